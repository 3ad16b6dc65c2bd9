"""Windows by cron: which times they are, around clock changes too, and that dense ones cost little."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from feem.api.window import WindowSpec
from feem.core.windows.interval import FOREVER, HORIZON, Interval
from feem.core.windows.times import next_span, span_at
from tests.windows.written import BERLIN, NEW_YORK, SHANGHAI, at, cron, local, utc

HOUR = 3600


@pytest.mark.parametrize(
    ("expression", "seconds", "zone", "now", "here", "following"),
    [
        # The window is there from its first moment on and is over at its last.
        ("0 22 * * 1-4", 8 * HOUR, SHANGHAI, "2026-11-23 21:59", None, ("2026-11-23 22:00", "2026-11-24 06:00")),
        (
            *("0 22 * * 1-4", 8 * HOUR, SHANGHAI, "2026-11-23 22:00"),
            *(("2026-11-23 22:00", "2026-11-24 06:00"), ("2026-11-24 22:00", "2026-11-25 06:00")),
        ),
        ("0 22 * * 1-4", 8 * HOUR, SHANGHAI, "2026-11-24 06:00", None, ("2026-11-24 22:00", "2026-11-25 06:00")),
        ("0 22 * * 1-4", 8 * HOUR, SHANGHAI, "2026-11-27 12:00", None, ("2026-11-30 22:00", "2026-12-01 06:00")),
        # One that began days ago, and ones that overlap or touch.
        (
            *("0 0 1 * *", 20 * 24 * HOUR, SHANGHAI, "2026-11-20 23:59"),
            *(("2026-11-01 00:00", "2026-11-21 00:00"), ("2026-12-01 00:00", "2026-12-21 00:00")),
        ),
        (
            *("0 8,9,10 * * *", 90 * 60, SHANGHAI, "2026-11-23 10:45"),
            *(("2026-11-23 08:00", "2026-11-23 11:30"), ("2026-11-24 08:00", "2026-11-24 11:30")),
        ),
        (
            *("0 8,9,10 * * *", HOUR, SHANGHAI, "2026-11-23 10:45"),
            *(("2026-11-23 08:00", "2026-11-23 11:00"), ("2026-11-24 08:00", "2026-11-24 11:00")),
        ),
        (
            *("0 18 * * 5,6", 24 * HOUR, SHANGHAI, "2026-11-28 18:00"),
            *(("2026-11-27 18:00", "2026-11-29 18:00"), ("2026-12-04 18:00", "2026-12-06 18:00")),
        ),
        # Names, last days of months, the nth weekday.
        ("0 22 L * *", HOUR, SHANGHAI, "2026-11-23 12:00", None, ("2026-11-30 22:00", "2026-11-30 23:00")),
        ("0 22 * * TUE#2", HOUR, SHANGHAI, "2026-11-23 12:00", None, ("2026-12-08 22:00", "2026-12-08 23:00")),
        # 29 February: further away than 400 days, then near.
        ("0 22 29 2 *", HOUR, SHANGHAI, "2026-11-23 12:00", None, None),
        ("0 22 29 2 *", HOUR, SHANGHAI, "2027-06-01 12:00", None, ("2028-02-29 22:00", "2028-02-29 23:00")),
        # Spring gap, 2026-03-29 in Berlin from 02:00 to 03:00: what is skipped comes right after it; the night is an hour shorter.
        ("30 2 * * *", HOUR, BERLIN, "2026-03-29 01:00", None, ("2026-03-29 03:00", "2026-03-29 04:00")),
        ("0 2,3 * * *", HOUR, BERLIN, "2026-03-29 01:00", None, ("2026-03-29 03:00", "2026-03-29 04:00")),
        (
            *("0 22 * * *", 8 * HOUR, BERLIN, "2026-03-29 03:30"),
            *(("2026-03-28 22:00", "2026-03-29 07:00"), ("2026-03-29 22:00", "2026-03-30 06:00")),
        ),
        # Autumn fold, 2026-10-25 in Berlin from 03:00 back to 02:00: a fixed time comes once, the first time.
        ("0 2 * * *", 30 * 60, BERLIN, "2026-10-25 01:00", None, ("2026-10-25 02:00", "2026-10-25 02:30")),
        (
            *("0 22 * * *", 8 * HOUR, BERLIN, "2026-10-25 04:59"),
            *(("2026-10-24 22:00", "2026-10-25 05:00"), ("2026-10-25 22:00", "2026-10-26 06:00")),
        ),
        # New York: 2026-03-08 forward, 2026-11-01 back.
        ("30 2 * * *", HOUR, NEW_YORK, "2026-03-08 01:00", None, ("2026-03-08 03:00", "2026-03-08 04:00")),
        (
            *("0 22 * * *", 8 * HOUR, NEW_YORK, "2026-11-01 01:30"),
            *(("2026-10-31 22:00", "2026-11-01 05:00"), ("2026-11-01 22:00", "2026-11-02 06:00")),
        ),
        # Every other hour, one of them skipped: it comes right after the gap.
        ("0 */2 * * *", HOUR // 2, BERLIN, "2026-03-29 01:00", None, ("2026-03-29 03:00", "2026-03-29 03:30")),
        # Midnight itself is skipped in Santiago on 2026-09-06.
        ("0 0 * * *", HOUR, "America/Santiago", "2026-09-05 22:00", None, ("2026-09-06 01:00", "2026-09-06 02:00")),
    ],
)
def test_times(
    expression: str, seconds: int, zone: str, now: str, here: tuple[str, str] | None, following: tuple[str, str] | None
) -> None:
    spec, moment = cron(expression, seconds, zone), at(now, zone)
    assert (local(span_at(spec, moment), zone), local(next_span(spec, moment), zone)) == (here, following)


def test_a_fixed_time_does_not_come_again_in_the_hour_that_comes_twice() -> None:
    spec = cron("0 2 * * *", 1800)
    assert span_at(spec, at("2026-10-25 02:10", BERLIN, fold=0)) == Interval(
        utc("2026-10-25 00:00"), utc("2026-10-25 00:30")
    )
    assert span_at(spec, at("2026-10-25 02:10", BERLIN, fold=1)) is None


def test_each_hour_means_each_hour_that_passes() -> None:
    spec = cron("0 * * * *", 600)
    assert span_at(spec, at("2026-10-25 02:05", BERLIN, fold=0)) is not None
    assert span_at(spec, at("2026-10-25 02:05", BERLIN, fold=1)) is not None


def test_a_duration_is_seconds_that_pass_so_a_day_of_25_hours_has_a_gap() -> None:
    spec, evening = cron("0 0 * * *", 24 * HOUR), at("2026-10-24 20:00", BERLIN)
    found, following = span_at(spec, evening), next_span(spec, evening)
    assert found is not None
    assert found.end == at("2026-10-25 23:00", BERLIN)
    assert following is not None
    assert following.start == at("2026-10-26 00:00", BERLIN)


@pytest.mark.parametrize(
    ("expression", "seconds"),
    [("* * * * *", 60), ("*/5 * * * *", 2678400), ("0 0 * * *", 2678400), ("0 * * * *", 3600)],
)
def test_what_never_closes_says_so(expression: str, seconds: int) -> None:
    now = utc("2026-11-23 12:34:56")
    found = span_at(cron(expression, seconds), now)
    assert found is not None
    assert found.start <= now - HORIZON + timedelta(days=32)
    assert found.end == FOREVER
    assert next_span(cron(expression, seconds), now) is None


def test_a_window_near_the_horizon_is_not_cut_off() -> None:
    spec, now = cron("0 0 1 12 *", 20 * 24 * HOUR, SHANGHAI), at("2026-11-01 00:00", SHANGHAI)
    found = next_span(spec, at("2026-12-25 00:00", SHANGHAI))
    assert local(found, SHANGHAI) == ("2027-12-01 00:00", "2027-12-21 00:00")
    assert local(next_span(spec, now), SHANGHAI) == ("2026-12-01 00:00", "2026-12-21 00:00")


def test_dense_windows_cost_little() -> None:
    """A loop over each minute of 400 days takes seconds; a visit may not."""
    specs = [cron("* * * * *", 60), cron("*/2 * * * *", 60), cron("*/5 * * * *", 2678400)]
    began = time.perf_counter()
    for spec in specs:
        span_at(spec, utc("2026-11-23 12:34"))
        next_span(spec, utc("2026-11-23 12:34"))
    assert time.perf_counter() - began < 1


DAYS = (
    st.sampled_from(["*", "*", "*/2", "L", "25-31"]),
    st.sampled_from(["*", "3,10", "11"]),
    st.sampled_from(["*", "*", "SUN", "1-5"]),
)
FIXED = st.tuples(st.sampled_from(["0", "30", "15,45"]), st.sampled_from(["2", "1-3", "0", "23", "2,3"]), *DAYS)
ANY = st.tuples(st.sampled_from(["0", "30", "*/20", "*"]), st.sampled_from(["*", "2", "1-3", "0", "*/6", "2,3"]), *DAYS)
ZONES = st.sampled_from([BERLIN, NEW_YORK, "America/Santiago", "America/Havana", "Australia/Lord_Howe"])
CHANGES = st.sampled_from(
    ["2026-03-07", "2026-03-28", "2026-10-24", "2026-10-31", "2026-09-05", "2026-04-04", "2026-10-03", "2026-06-01"]
)
SECONDS = st.sampled_from([60, 1200, 3600, 5400])


@settings(max_examples=60, deadline=None)
@given(FIXED, SECONDS, ZONES, CHANGES, st.integers(0, 2 * 24 * 60))
def test_fixed_times_are_those_of_cronsim(
    fields: tuple[str, ...], seconds: int, zone: str, day: str, minutes: int
) -> None:
    """The layout of ordinary days, the rules of the others, and the merging change nothing."""
    expression, now = " ".join(fields), utc(day) + timedelta(minutes=minutes)
    starts: list[datetime] = []
    for moment in CronSim(expression, (now - timedelta(days=3)).astimezone(ZoneInfo(zone))):
        starts.append(moment.astimezone(UTC))
        if starts[-1] > now + timedelta(days=5):
            break
    agrees(cron(expression, seconds, zone), now, starts)


@settings(max_examples=30, deadline=None)
@given(ANY, SECONDS, ZONES, CHANGES, st.integers(0, 2 * 24 * 60))
def test_all_times_are_those_of_a_look_at_each_minute(
    fields: tuple[str, ...], seconds: int, zone: str, day: str, minutes: int
) -> None:
    expression, now = " ".join(fields), utc(day) + timedelta(minutes=minutes)
    begin = now - timedelta(days=1, hours=2)
    starts = [begin + timedelta(minutes=index) for index in range(3 * 24 * 60)]
    rule, known = CronSim(expression, now), ZoneInfo(zone)
    steady = any(field.startswith("*") for field in fields[:2])
    found = [start for start in starts if begins(rule, start, known, steady=steady)]
    agrees(cron(expression, seconds, zone), now, found)


def begins(rule: CronSim, moment: datetime, known: ZoneInfo, *, steady: bool) -> bool:
    """Whether clocks show a time of the expression, or jump over one right now."""
    here, before = moment.astimezone(known), (moment - timedelta(minutes=1)).astimezone(known)
    shown = [here.replace(tzinfo=None)] if steady or not here.fold else []
    skipped = (here.utcoffset() or timedelta()) - (before.utcoffset() or timedelta())
    minutes = range(1, max(skipped // timedelta(minutes=1), 0) + 1)
    shown += [here.replace(tzinfo=None) - timedelta(minutes=minute) for minute in minutes]
    return any(
        clock.month in rule.months
        and rule.match_day(clock.date())
        and clock.hour in rule.hours
        and clock.minute in rule.minutes
        for clock in shown
    )


def agrees(spec: WindowSpec, now: datetime, starts: list[datetime]) -> None:
    """Compare with all occurrences from more than a duration before `now` to some time after it, in order."""
    assert spec.recurrence is not None
    duration = timedelta(seconds=spec.recurrence.duration_seconds)
    found, following = span_at(spec, now), next_span(spec, now)
    end = now
    for start in starts:
        if start <= end < start + duration:
            end = start + duration
    assert (found is not None) == (end > now)
    if found is not None and starts and end < starts[-1]:
        assert found.end == end
    later = min((start for start in starts if start > end), default=None)
    if later is not None:
        assert following is not None
        assert following.start == later
