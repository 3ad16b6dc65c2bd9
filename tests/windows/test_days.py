"""Presets and working days, against calendars as states publish them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from feem.api.window import WindowType
from feem.core.windows.days import is_holiday, is_weekend, is_working, problem_with_days, working_days_after
from feem.core.windows.interval import FOREVER
from feem.core.windows.times import next_span, span_at
from tests.windows.written import ALLOW, BERLIN, FREEZE, NEW_YORK, SHANGHAI, at, days, local


@pytest.mark.parametrize(
    ("kind", "before", "after", "zone", "now", "here", "following"),
    [
        ("MonthEnd", 2, 1, SHANGHAI, "2026-11-23 12:00", None, ("2026-11-28 00:00", "2026-12-02 00:00")),
        (
            *("MonthEnd", 2, 1, SHANGHAI, "2026-12-01 23:59"),
            *(("2026-11-28 00:00", "2026-12-02 00:00"), ("2026-12-29 00:00", "2027-01-02 00:00")),
        ),
        # Leap years and others.
        ("MonthEnd", 0, 0, BERLIN, "2028-02-01 12:00", None, ("2028-02-29 00:00", "2028-03-01 00:00")),
        ("MonthEnd", 0, 0, BERLIN, "2027-02-01 12:00", None, ("2027-02-28 00:00", "2027-03-01 00:00")),
        ("QuarterEnd", 0, 0, BERLIN, "2026-04-01 00:00", None, ("2026-06-30 00:00", "2026-07-01 00:00")),
        ("QuarterEnd", 3, 2, BERLIN, "2026-07-03 00:00", None, ("2026-09-27 00:00", "2026-10-03 00:00")),
        ("YearEnd", 0, 0, BERLIN, "2026-11-23 12:00", None, ("2026-12-31 00:00", "2027-01-01 00:00")),
        (
            *("YearEnd", 15, 5, BERLIN, "2027-01-05 23:59"),
            *(("2026-12-16 00:00", "2027-01-06 00:00"), ("2027-12-16 00:00", "2028-01-06 00:00")),
        ),
        # The two days of a weekend are one time; days beside it join the next one when they touch.
        (
            *("Weekends", 0, 0, SHANGHAI, "2026-11-29 00:00"),
            *(("2026-11-28 00:00", "2026-11-30 00:00"), ("2026-12-05 00:00", "2026-12-07 00:00")),
        ),
        ("Weekends", 1, 0, SHANGHAI, "2026-11-26 23:59", None, ("2026-11-27 00:00", "2026-11-30 00:00")),
        # Days on which clocks are changed have 23 and 25 hours, and belong to the window whole.
        (
            *("Weekends", 0, 0, BERLIN, "2026-03-29 23:59"),
            *(("2026-03-28 00:00", "2026-03-30 00:00"), ("2026-04-04 00:00", "2026-04-06 00:00")),
        ),
        (
            *("Weekends", 0, 0, NEW_YORK, "2026-11-01 23:59"),
            *(("2026-10-31 00:00", "2026-11-02 00:00"), ("2026-11-07 00:00", "2026-11-09 00:00")),
        ),
    ],
)
def test_presets(
    kind: str, before: int, after: int, zone: str, now: str, here: tuple[str, str] | None, following: tuple[str, str]
) -> None:
    spec, moment = days(kind, zone, before=before, after=after), at(now, zone)
    assert (local(span_at(spec, moment), zone), local(next_span(spec, moment), zone)) == (here, following)


def test_a_weekend_of_49_hours() -> None:
    found = span_at(days("Weekends"), at("2026-10-25 12:00", BERLIN))
    assert found is not None
    assert found.end - found.start == timedelta(hours=49)


def test_what_leaves_no_day_free_stays_open() -> None:
    found = span_at(days("Weekends", before=3, after=2), at("2026-11-25 12:00", BERLIN))
    assert found is not None
    assert found.end == FOREVER


@pytest.mark.parametrize(
    ("kind", "month", "spans"),
    [
        (ALLOW, "2026-02", ["16 to 21", "23 to 24"]),
        (FREEZE, "2026-02", ["16 to 24"]),  # the weekend of 21 February lies within the Spring Festival
        (ALLOW, "2026-04", ["05 to 07"]),
        (ALLOW, "2026-10", ["01 to 04", "05 to 08"]),
        (FREEZE, "2026-10", ["01 to 08"]),
    ],
)
def test_public_holidays_of_china(kind: WindowType, month: str, spans: list[str]) -> None:
    spec, moment, found = days("PublicHolidays", SHANGHAI, kind, country="CN"), at(f"{month}-01 00:00", SHANGHAI), []
    here = span_at(spec, moment) or next_span(spec, moment)
    while here is not None:
        start, end = local(here, SHANGHAI) or ("", "")
        if not start.startswith(month):
            break
        found.append(f"{start[8:10]} to {end[8:10]}")
        here = next_span(spec, here.start)
    assert found == spans


def test_weekends_of_china_leave_out_make_up_working_days() -> None:
    """14 and 28 February 2026 are Saturdays on which China works for its Spring Festival."""
    with_country, without = days("Weekends", SHANGHAI, country="CN"), days("Weekends", SHANGHAI)
    for day in ("2026-02-14", "2026-02-28", "2026-09-20", "2026-10-10"):
        assert span_at(with_country, at(f"{day} 12:00", SHANGHAI)) is None
        assert span_at(without, at(f"{day} 12:00", SHANGHAI)) is not None
    assert span_at(with_country, at("2026-03-01 12:00", SHANGHAI)) is not None


def test_holidays_of_a_subdivision() -> None:
    """Corpus Christi is a holiday in Hesse and not in Berlin."""
    corpus_christi = at("2026-06-04 12:00", BERLIN)
    assert span_at(days("PublicHolidays", country="DE-HE"), corpus_christi) is not None
    assert span_at(days("PublicHolidays", country="DE-BE"), corpus_christi) is None
    assert span_at(days("PublicHolidays", country="DE"), corpus_christi) is None


def test_easter_is_one_freeze() -> None:
    found = span_at(days("PublicHolidays", BERLIN, FREEZE, country="DE"), at("2026-04-04 12:00", BERLIN))
    assert local(found, BERLIN) == ("2026-04-03 00:00", "2026-04-07 00:00")


def test_a_substitute_in_the_year_before_is_found() -> None:
    """1 January 2028 is a Saturday: the United States rest on Friday, 31 December 2027."""
    assert is_holiday(date(2027, 12, 31), "US")


@pytest.mark.parametrize(
    ("day", "country", "working"),
    [
        ("2026-11-23", "", True),
        ("2026-11-28", "", False),
        ("2026-11-29", "", False),
        ("2026-10-01", "", True),
        ("2026-10-01", "CN", False),
        ("2026-10-10", "CN", True),
        ("2026-10-17", "CN", False),
        ("2026-06-05", "SA", False),  # a Friday
        ("2026-06-07", "SA", True),  # a Sunday
        ("2026-06-06", "HK", False),  # a Saturday
        ("2026-06-04", "DE-HE", False),
    ],
)
def test_working(day: str, country: str, working: bool) -> None:  # noqa: FBT001 - a column of the table
    assert is_working(date.fromisoformat(day), country) is working


@pytest.mark.parametrize(
    ("start", "count", "zone", "country", "over"),
    [
        ("2026-11-23 12:00", 1, SHANGHAI, "CN", "2026-11-25 00:00"),
        ("2026-11-23 00:00", 2, SHANGHAI, "CN", "2026-11-26 00:00"),
        ("2026-11-27 12:00", 1, SHANGHAI, "", "2026-12-01 00:00"),
        ("2026-11-28 12:00", 1, SHANGHAI, "", "2026-12-01 00:00"),
        # Asked on Friday, 13 February: Saturday is a working day, the next ones are 24 and 25 February.
        ("2026-02-13 12:00", 1, SHANGHAI, "CN", "2026-02-15 00:00"),
        ("2026-02-13 12:00", 3, SHANGHAI, "CN", "2026-02-26 00:00"),
        ("2026-02-13 12:00", 3, SHANGHAI, "", "2026-02-19 00:00"),
        # Over Easter, over both changes of clocks, over a leap day.
        ("2026-04-02 17:00", 1, BERLIN, "DE", "2026-04-08 00:00"),
        ("2026-03-27 12:00", 1, BERLIN, "", "2026-03-31 00:00"),
        ("2026-10-23 12:00", 1, BERLIN, "", "2026-10-27 00:00"),
        ("2028-02-28 12:00", 1, BERLIN, "", "2028-03-01 00:00"),
    ],
)
def test_lead_time(start: str, count: int, zone: str, country: str, over: str) -> None:
    assert working_days_after(at(start, zone), count, zone, country) == at(over, zone)


def test_the_day_of_a_request_is_the_local_one() -> None:
    """In Shanghai it is Tuesday already."""
    asked = at("2026-11-24 00:30", SHANGHAI)
    assert working_days_after(asked, 1, SHANGHAI, "") == at("2026-11-26 00:00", SHANGHAI)
    assert working_days_after(asked, 1, BERLIN, "") == at("2026-11-25 00:00", BERLIN)


def test_a_lead_time_that_cannot_be_counted_is_never_over() -> None:
    asked = at("2026-11-24 00:30", SHANGHAI)
    assert working_days_after(asked, 1, "Asia/Shangai", "") == FOREVER
    assert working_days_after(asked, 1, SHANGHAI, "XX") == FOREVER
    assert problem_with_days("Asia/Shangai", "XX") == (
        "UnknownTimeZone",
        "Asia/Shangai is not an IANA time zone: write e.g. Asia/Shanghai",
    )
    assert problem_with_days(SHANGHAI, "CN") is None


def test_a_country_nobody_knows_has_no_holidays() -> None:
    assert not is_holiday(date(2026, 10, 1), "XX")
    assert is_weekend(date(2026, 10, 10), "XX")
