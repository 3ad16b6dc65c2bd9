"""When an experiment comes: around clock changes and in leap years, after downtimes and clocks set back, and each time once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from feem.api.experiment import NAME_MAX_LENGTH, Schedule
from feem.core.chaos.schedule import (
    MOST_COUNTED,
    begins_at,
    due,
    jitter,
    latest,
    missed,
    next_after,
    problems_with,
    run_name,
)
from tests.chaos.experiments import UID, schedule, utc

DAY = timedelta(days=1)
TABLE = [
    # Spring: what is skipped comes right after the gap.
    ("30 2 * * *", "Europe/Berlin", "2026-03-27 12:00", ["2026-03-28 01:30", "2026-03-29 01:00", "2026-03-30 00:30"]),
    (
        "15 2 * * *",
        "America/New_York",
        "2026-03-07 00:00",
        ["2026-03-07 07:15", "2026-03-08 07:00", "2026-03-09 06:15"],
    ),
    ("0 2,3 * * *", "Europe/Berlin", "2026-03-28 12:00", ["2026-03-29 01:00", "2026-03-30 00:00", "2026-03-30 01:00"]),
    # Autumn: a fixed time comes once, the first time; each hour is each hour that passes.
    ("30 2 * * *", "Europe/Berlin", "2026-10-23 12:00", ["2026-10-24 00:30", "2026-10-25 00:30", "2026-10-26 01:30"]),
    (
        "30 1 * * *",
        "America/New_York",
        "2026-10-31 00:00",
        ["2026-10-31 05:30", "2026-11-01 05:30", "2026-11-02 06:30"],
    ),
    ("30 * * * *", "Europe/Berlin", "2026-10-25 00:00", ["2026-10-25 00:30", "2026-10-25 01:30", "2026-10-25 02:30"]),
    (
        *("*/30 1 * * *", "America/New_York", "2026-11-01 00:00"),
        ["2026-11-01 05:00", "2026-11-01 05:30", "2026-11-01 06:00", "2026-11-01 06:30", "2026-11-02 06:00"],
    ),
    # Lord Howe changes its clocks by half an hour: 02:00 to 02:30, and back from 02:00 to 01:30.
    (
        "15 2 * * *",
        "Australia/Lord_Howe",
        "2026-10-02 00:00",
        ["2026-10-02 15:45", "2026-10-03 15:30", "2026-10-04 15:15"],
    ),
    (
        "45 1 * * *",
        "Australia/Lord_Howe",
        "2026-04-03 00:00",
        ["2026-04-03 14:45", "2026-04-04 14:45", "2026-04-05 15:15"],
    ),
    (
        "*/45 1 * * *",
        "Australia/Lord_Howe",
        "2026-04-04 00:00",
        ["2026-04-04 14:00", "2026-04-04 14:45", "2026-04-04 15:15"],
    ),
    # No clock changes; half hours, and three quarters.
    ("0 10 * * 1-5", "Asia/Shanghai", "2026-11-26 12:00", ["2026-11-27 02:00", "2026-11-30 02:00", "2026-12-01 02:00"]),
    ("0 9 * * *", "Asia/Kolkata", "2026-11-26 12:00", ["2026-11-27 03:30", "2026-11-28 03:30"]),
    ("0 9 * * *", "Asia/Kathmandu", "2026-11-26 12:00", ["2026-11-27 03:15", "2026-11-28 03:15"]),
    # 29 February, across the century that has none in its first year; and one that is a Sunday.
    ("0 12 29 2 *", "UTC", "2026-01-01 00:00", ["2028-02-29 12:00", "2032-02-29 12:00"]),
    ("0 12 29 2 *", "Europe/Berlin", "2096-02-01 00:00", ["2096-02-29 11:00", "2104-02-29 11:00"]),
    ("0 12 29 2 */7", "UTC", "2026-01-01 00:00", ["2032-02-29 12:00", "2060-02-29 12:00"]),
    # Midnight itself is skipped, or comes after an hour that is there twice.
    ("0 0 * * *", "America/Santiago", "2026-09-05 00:00", ["2026-09-05 04:00", "2026-09-06 04:00", "2026-09-07 03:00"]),
    ("30 23 * * *", "America/Santiago", "2026-04-04 12:00", ["2026-04-05 02:30", "2026-04-06 03:30"]),
    (
        "30 * * * *",
        "America/Santiago",
        "2026-04-05 02:00",
        ["2026-04-05 02:30", "2026-04-05 03:30", "2026-04-05 04:30"],
    ),
    ("0 0 * * *", "Africa/Cairo", "2026-04-22 00:00", ["2026-04-22 22:00", "2026-04-23 22:00", "2026-04-24 21:00"]),
    # The gap ends at midnight in Nuuk: what was skipped comes with the next day's first time, and is one run with it.
    ("30 23 * * *", "America/Nuuk", "2026-03-28 12:00", ["2026-03-29 01:00", "2026-03-30 00:30"]),
    (
        "0,30 0,23 * * *",
        "America/Nuuk",
        "2026-03-28 12:00",
        ["2026-03-29 01:00", "2026-03-29 01:30", "2026-03-30 00:00"],
    ),
    # Samoa left out a whole day.
    ("0 9 * * *", "Pacific/Apia", "2011-12-29 00:00", ["2011-12-29 19:00", "2011-12-30 10:00", "2011-12-30 19:00"]),
]


@pytest.mark.parametrize(("cron", "zone", "start", "expected"), TABLE)
def test_when_it_comes(cron: str, zone: str, start: str, expected: list[str]) -> None:
    when, wanted = schedule(cron, zone), [utc(text) for text in expected]
    assert coming(when, utc(start), len(wanted)) == wanted


@pytest.mark.parametrize(("cron", "zone", "start", "expected"), TABLE)
def test_looking_back_sees_the_same_times(cron: str, zone: str, start: str, expected: list[str]) -> None:
    when, wanted = schedule(cron, zone), [utc(text) for text in expected]
    for earlier, at in zip([utc(start), *wanted], wanted, strict=False):
        assert latest(when, earlier, at) == at
        assert latest(when, at - timedelta(seconds=1), at + timedelta(seconds=1)) == at
        assert latest(when, earlier, at - timedelta(seconds=1)) is None
        assert latest(when, at, at) is None
    found = missed(when, utc(start), wanted[-1])
    assert found is not None
    assert (found.count, found.more, found.first, found.last) == (len(wanted), False, wanted[0], wanted[-1])


def coming(when: Schedule, moment: datetime, count: int) -> list[datetime]:
    found: list[datetime] = []
    while len(found) < count:
        at = next_after(when, found[-1] if found else moment)
        assert at is not None
        found.append(at)
    return found


EXPRESSIONS = st.builds(
    "{} {} {} {} {}".format,
    st.sampled_from(["0", "30", "15,45", "*/20", "*", "59"]),
    st.sampled_from(["*", "2", "1-3", "0", "23", "*/6", "0,23"]),
    st.sampled_from(["*", "*", "*/2", "L", "25-31"]),
    st.sampled_from(["*", "3,10", "4,9,11"]),
    st.sampled_from(["*", "*", "SUN", "1-5"]),
)
ZONES = st.sampled_from(
    [
        *("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Shanghai", "America/Santiago"),
        *("America/Nuuk", "America/Havana", "Africa/Cairo", "Asia/Kolkata", "UTC"),
    ]
)
CHANGES = st.sampled_from(
    [
        *("2026-03-07", "2026-03-28", "2026-10-24", "2026-10-31", "2026-09-05", "2026-04-04", "2026-10-03"),
        *("2026-04-23", "2026-06-01"),
    ]
)


@settings(max_examples=150, deadline=None)
@given(EXPRESSIONS, st.integers(0, 365))
def test_on_ordinary_days_the_times_are_those_of_cronsim(cron: str, offset: int) -> None:
    """Shanghai changes no clocks: every day is ordinary."""
    begin, zone = utc("2026-01-01") + offset * DAY, ZoneInfo("Asia/Shanghai")
    rule = CronSim(cron, begin.astimezone(zone))
    assert coming(schedule(cron, "Asia/Shanghai"), begin, 5) == [next(rule).astimezone(UTC) for _ in range(5)]


@settings(max_examples=150, deadline=None)
@given(EXPRESSIONS, ZONES, CHANGES, st.integers(0, 2 * 24 * 60), st.integers(1, 3 * 24 * 60))
def test_forward_backward_and_counting_agree_around_clock_changes(
    cron: str, zone: str, day: str, minutes: int, span: int
) -> None:
    when, begin = schedule(cron, zone), utc(day) + timedelta(minutes=minutes)
    end, forward = begin + timedelta(minutes=span), list[datetime]()
    at = next_after(when, begin)
    while at is not None and at <= end:
        forward.append(at)
        at = next_after(when, at)
    backward, at = list[datetime](), latest(when, begin, end)
    while at is not None:
        backward.append(at)
        at = latest(when, begin, at - timedelta(seconds=1))
    assert forward == backward[::-1]
    found = missed(when, begin, end)
    assert (found.count if found else 0) == len(forward)


# -- jitter -------------------------------------------------------------------------------------------------------------


@given(st.uuids(), st.integers(0, 20_000_000), st.integers(0, 3600))
def test_jitter_is_within_its_bounds_and_always_the_same(uid: object, minute: int, seconds: int) -> None:
    at = utc("2020-01-01") + timedelta(minutes=minute)
    found = jitter(str(uid), at, seconds)
    assert 0 <= found <= seconds
    assert jitter(str(uid), at.astimezone(ZoneInfo("Asia/Shanghai")), seconds) == found


def test_jitter_spreads_experiments_and_days() -> None:
    """500 experiments of one time, within five minutes: no second has many, and both ends are reached."""
    at = utc("2026-11-23 10:00")
    of_experiments = [jitter(f"uid-{number}", at, 299) for number in range(500)]
    of_days = [jitter(UID, at + number * DAY, 299) for number in range(500)]
    for found in (of_experiments, of_days):
        assert max(found.count(second) for second in found) <= 9
        assert min(found) < 10
        assert max(found) > 289
    assert {jitter(f"uid-{number}", at, 4) for number in range(100)} == {0, 1, 2, 3, 4}


@settings(max_examples=150, deadline=None)
@given(EXPRESSIONS, ZONES, CHANGES, st.integers(0, 3600))
def test_a_run_begins_before_the_next_time_comes_so_order_is_kept(cron: str, zone: str, day: str, seconds: int) -> None:
    when = schedule(cron, zone, jitter=seconds)
    times = coming(when, utc(day), 8)
    for at, following in pairwise(times):
        assert at <= begins_at(when, UID, at) <= at + timedelta(seconds=seconds)
        assert begins_at(when, UID, at) < following


# -- what is due --------------------------------------------------------------------------------------------------------

MORNINGS = schedule("0 10 * * *", "UTC", deadline=300)


@pytest.mark.parametrize(
    ("since", "now", "occurrence", "dealt_with", "lost"),
    [
        ("2026-11-22 10:00", "2026-11-23 09:59:59", None, None, ""),
        ("2026-11-22 10:00", "2026-11-23 10:00:00", "2026-11-23 10:00", "2026-11-23 10:00", ""),
        ("2026-11-22 10:00", "2026-11-23 10:05:00", "2026-11-23 10:00", "2026-11-23 10:00", ""),
        ("2026-11-22 10:00", "2026-11-23 10:05:01", None, "2026-11-23 10:00", "the time 2026-11-23 10:00 UTC"),
        ("2026-11-23 10:00", "2026-11-23 10:02:00", None, None, ""),
        (
            *("2026-11-20 10:00", "2026-11-23 10:01:00", "2026-11-23 10:00", "2026-11-23 10:00"),
            "2 times from 2026-11-21 10:00 UTC to 2026-11-22 10:00 UTC",
        ),
        (
            *("2026-11-20 10:00", "2026-11-23 12:00:00", None, "2026-11-23 10:00"),
            "3 times from 2026-11-21 10:00 UTC to 2026-11-23 10:00 UTC",
        ),
        # The clock was set back: what was dealt with is not repeated.
        ("2026-11-23 10:00", "2026-11-23 09:59:00", None, None, ""),
        ("2026-11-23 10:00", "2026-11-20 10:00:00", None, None, ""),
    ],
)
def test_what_is_due(since: str, now: str, occurrence: str | None, dealt_with: str | None, lost: str) -> None:
    found = due(MORNINGS, UID, utc(since), utc(now))
    assert found.occurrence == (utc(occurrence) if occurrence else None)
    assert found.dealt_with == (utc(dealt_with) if dealt_with else None)
    assert str(found.missed or "") == lost


def test_the_deadline_counts_from_the_jitter_on() -> None:
    when, at = schedule("0 10 * * *", "UTC", jitter=3600, deadline=60), utc("2026-11-23 10:00")
    begin = begins_at(when, UID, at)
    assert timedelta(seconds=60) < begin - at
    assert due(when, UID, at - DAY, begin - timedelta(seconds=1)).dealt_with is None
    for seconds in (0, 60):
        assert due(when, UID, at - DAY, begin + timedelta(seconds=seconds)).occurrence == at
    late = due(when, UID, at - DAY, begin + timedelta(seconds=61))
    assert (late.occurrence, late.dealt_with) == (None, at)


@pytest.mark.parametrize(
    ("cron", "deadline", "late", "runs", "count", "more"),
    [
        ("* * * * *", 300, 30, True, MOST_COUNTED, True),
        ("*/5 * * * *", 300, 30, True, 8639, False),
        ("*/5 * * * *", 10, 30, False, 8640, False),
        ("0 * * * *", 300, 30, True, 719, False),
    ],
)
def test_after_a_month_of_downtime_one_run_or_none(
    cron: str, deadline: int, late: int, *, runs: bool, count: int, more: bool
) -> None:
    when, since = schedule(cron, "UTC", deadline=deadline), utc("2026-06-01 00:00")
    back = utc("2026-07-01 00:00") + timedelta(seconds=late)
    found = due(when, UID, since, back)
    assert (found.occurrence is not None) == runs
    assert found.missed is not None
    assert (found.missed.count, found.missed.more) == (count, more)
    assert str(found.missed).startswith(
        "more than 10,000 times from 2026-06-01 00:01 UTC" if more else f"{count:,} times"
    )
    assert found.dealt_with == utc("2026-07-01 00:00")
    assert due(when, UID, found.dealt_with, back) == due(when, UID, back, back)


def test_a_long_downtime_costs_little() -> None:
    """A step for each minute of ten years would take a minute; and a status that somebody spoiled takes no year either."""
    began = time.process_time()
    for cron in ("* * * * *", "*/7 3-5 * * *", "0 12 29 2 */7", "0 0 * * *"):
        for since in ("2016-01-01", "0001-01-03"):
            due(schedule(cron, "America/New_York", jitter=3600), UID, utc(since), utc("2026-11-23 12:00"))
    assert time.process_time() - began < 2


VISITS = st.lists(st.integers(-600, 4000), min_size=1, max_size=40)
"""Seconds from one visit to the next; below 0 the clock was set back."""


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["* * * * *", "*/5 * * * *", "0 * * * *", "15,45 1-3 * * *"]),
    ZONES,
    CHANGES,
    st.sampled_from([0, 20, 59, 600, 3600]),
    st.sampled_from([10, 60, 300, 86400]),
    VISITS,
)
def test_however_it_is_visited_no_time_is_run_twice_or_lost(
    cron: str, zone: str, day: str, spread: int, deadline: int, visits: list[int]
) -> None:
    when, start = schedule(cron, zone, jitter=spread, deadline=deadline), utc(day) + timedelta(hours=20)
    since, now, latest_now, runs, lost = start, start, start, list[datetime](), 0
    for seconds in visits:
        now += timedelta(seconds=seconds)
        latest_now = max(latest_now, now)
        found = due(when, UID, since, now)
        if found.occurrence is not None:
            begin = begins_at(when, UID, found.occurrence)
            assert begin <= now <= begin + timedelta(seconds=deadline)
            runs.append(found.occurrence)
        lost += found.missed.count if found.missed else 0
        since = max(since, found.dealt_with or since)
    assert runs == sorted(set(runs)), "each once, in order"
    begun = sum(begins_at(when, UID, at) <= latest_now for at in between(when, start, latest_now))
    assert len(runs) + lost == begun, "each time that has begun was run, or is known to be missed"


def between(when: Schedule, after: datetime, until: datetime) -> Iterator[datetime]:
    at = next_after(when, after)
    while at is not None and at <= until:
        yield at
        at = next_after(when, at)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago"])
@pytest.mark.parametrize("cron", ["30 2 * * *", "0 0 * * *", "*/15 * * * *", "45 1,23 * * *"])
def test_a_year_of_visits_each_minute_runs_each_time_once(zone: str, cron: str) -> None:
    """Across every clock change of a year, visited on time: all are run, none is missed."""
    when, since = schedule(cron, zone, deadline=60), utc("2026-01-01")
    expected, runs, end = list(between(when, since, utc("2027-01-01"))), list[datetime](), utc("2027-01-01")
    visit = next_after(when, since)
    while visit is not None and visit <= end:
        found = due(when, UID, since, visit)
        assert found.missed is None
        assert found.occurrence is not None
        runs.append(found.occurrence)
        since = found.occurrence
        visit = next_after(when, since)
    assert runs == expected
    assert len(expected) >= 365


# -- names and problems -------------------------------------------------------------------------------------------------


def test_names_of_runs_are_those_of_the_time_in_utc() -> None:
    at = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    assert run_name("kill", at) == "kill-202610250030"
    assert run_name("kill", at.replace(fold=1)) == "kill-202610250130"
    assert len(run_name("x" * NAME_MAX_LENGTH, at)) <= 63


@pytest.mark.parametrize(
    ("cron", "zone", "reasons"),
    [
        ("0 10 * * 1-5", "Asia/Shanghai", []),
        ("0 10 * * 1-5", "Asia/Shangai", ["UnknownTimeZone"]),
        ("0 25 * * *", "UTC", ["BadCron"]),
        ("0 0 0 * * *", "UTC", ["BadCron"]),
        ("0 0 30 2 *", "UTC", ["NeverOccurs"]),
        ("0 25 * * *", "Mars/Olympus", ["UnknownTimeZone", "BadCron"]),
    ],
)
def test_what_is_wrong_is_said_at_once(cron: str, zone: str, reasons: list[str]) -> None:
    assert [reason for reason, _ in problems_with(schedule(cron, zone))] == reasons
