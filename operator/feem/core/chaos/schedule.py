"""When an experiment's schedule comes: the times of `core/windows/cron.py`, each begun once at the most, none made up for.

A run begins at its time plus a jitter, which never reaches the next time: so runs begin in the order of their times.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from feem.api.experiment import Schedule
from feem.core.windows.cron import Recurring, problem_with_cron
from feem.core.windows.days import problem_with_zone
from feem.core.windows.local import local_day, zone_named

Problem = tuple[str, str]
"""A CamelCase reason, and a sentence with the next step."""

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
MOST_DAYS = 50 * 366
"""How far is looked, back and ahead: 50 years, as CronSim does."""
MOST_COUNTED = 10_000
"""Missed times beyond which nobody cares how many there were."""


@dataclass(frozen=True)
class Missed:
    """Times that passed without a run: how many (`MOST_COUNTED` at the most, `more`: there were more), the first and the last (UTC)."""

    count: int
    more: bool
    first: datetime
    last: datetime

    def __str__(self) -> str:
        first, last = (f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC" for moment in (self.first, self.last))
        if self.count == 1:
            return f"the time {first}"
        return f"{'more than ' if self.more else ''}{self.count:,} times from {first} to {last}"


@dataclass(frozen=True)
class Due:
    """What to do now: `occurrence` is to be run, `missed` are not; `dealt_with` is the last time (UTC) that needs no other look."""

    occurrence: datetime | None = None
    missed: Missed | None = None
    dealt_with: datetime | None = None


def problems_with(schedule: Schedule) -> tuple[Problem, ...]:
    """Return all that is wrong with a schedule: UnknownTimeZone; BadCron or NeverOccurs."""
    return _problems(schedule.cron, schedule.time_zone)


def due(schedule: Schedule, uid: str, since: datetime, now: datetime) -> Due:
    """Say which time after `since` is to be run now: the latest that has begun, within its deadline. All earlier ones are missed."""
    newest = latest(schedule, since, now)
    if newest is not None and begins_at(schedule, uid, newest) > now:
        newest = latest(schedule, since, newest - SECOND)
    if newest is None:
        return Due()
    late = now - begins_at(schedule, uid, newest)
    if late > timedelta(seconds=schedule.starting_deadline_seconds):
        return Due(None, missed(schedule, since, newest), newest)
    return Due(newest, missed(schedule, since, newest - SECOND), newest)


def begins_at(schedule: Schedule, uid: str, occurrence: datetime) -> datetime:
    """Return when (UTC) the run for a time begins: by its jitter later, but before the next time."""
    if not schedule.jitter_seconds:
        return occurrence
    following = next_after(schedule, occurrence)
    room = int((following - occurrence).total_seconds()) - 1 if following is not None else schedule.jitter_seconds
    return occurrence + timedelta(seconds=jitter(uid, occurrence, min(schedule.jitter_seconds, room)))


def jitter(uid: str, occurrence: datetime, seconds: int) -> int:
    """Return 0 up to and including `seconds`, always the same for one experiment and time, another for each other one."""
    text = f"{uid} {occurrence.astimezone(UTC).isoformat()}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()) % (seconds + 1)


def run_name(experiment: str, occurrence: datetime) -> str:
    """Name the run for a time: two operators that make it make the same one."""
    return f"{experiment}-{occurrence.astimezone(UTC):%Y%m%d%H%M}"


def next_after(schedule: Schedule, moment: datetime) -> datetime | None:
    """Return the first time (UTC) later than a moment; None when there is none within 50 years."""
    times = _times(schedule.cron, schedule.time_zone)
    day = times.day(moment)
    for _ in range(MOST_DAYS):
        begin, offsets = times.on(day)
        at = bisect_right(offsets, moment - begin)
        if at < len(offsets):
            return begin + offsets[at]
        day += DAY
    return None


def latest(schedule: Schedule, after: datetime, until: datetime) -> datetime | None:
    """Return the last time (UTC) that is later than `after` and not later than `until`; None when there is none."""
    times = _times(schedule.cron, schedule.time_zone)
    day = times.day(until)
    end = max(times.day(after), day - MOST_DAYS * DAY)
    while day >= end:
        begin, offsets = times.on(day)
        at = bisect_right(offsets, until - begin)
        if at:
            found = begin + offsets[at - 1]
            return found if found > after else None
        day -= DAY
    return None


def missed(schedule: Schedule, after: datetime, until: datetime) -> Missed | None:
    """Count the times later than `after` and not later than `until`, a day at a step; None when there are none."""
    last = latest(schedule, after, until)
    first = next_after(schedule, after) if last is not None else None
    if first is None or last is None:
        return None
    times, count, seen = _times(schedule.cron, schedule.time_zone), 0, after
    day = max(times.day(after), times.day(until) - MOST_DAYS * DAY)
    while count <= MOST_COUNTED and day <= times.day(until):
        begin, offsets = times.on(day)
        low, high = bisect_right(offsets, seen - begin), bisect_right(offsets, until - begin)
        if high > low:
            count, seen = count + high - low, begin + offsets[high - 1]
        day += DAY
    return Missed(min(count, MOST_COUNTED), count > MOST_COUNTED, first, last)


@dataclass(frozen=True)
class _Times:
    """One expression in one zone, day by day.

    Those of a day like any other are laid out once (`Recurring.starts`): a schedule for each minute costs no more than one for each
    day. `exact` lasts no time, so that no two of it can be one; `whole` lasts a day, so that those of a day are one, and small.
    A time that a gap moved beyond midnight may be another day's too: the gap ends where that day begins.
    """

    exact: Recurring
    whole: Recurring

    def day(self, moment: datetime) -> date:
        """Return the day that a calendar in the zone shows."""
        return moment.astimezone(self.exact.zone).date()

    def on(self, day: date) -> tuple[datetime, Sequence[timedelta]]:
        """Return the beginning of a day (UTC) and how long after it its times come, in order."""
        if not self.whole.begin_on(day):
            return datetime.combine(day, datetime.min.time(), UTC), ()
        here = local_day(day, self.exact.zone)
        if here.even:
            return here.start, self.exact.starts
        return here.start, tuple(time.start - here.start for time in self.exact.begin_on(day))


@lru_cache(maxsize=1024)
def _problems(cron: str, time_zone: str) -> tuple[Problem, ...]:
    found = problem_with_zone(time_zone), problem_with_cron(cron)
    return tuple(problem for problem in found if problem is not None)


@lru_cache(maxsize=1024)
def _times(cron: str, time_zone: str) -> _Times:
    zone = zone_named(time_zone)
    if zone is None:
        raise ValueError(f"{time_zone} is not a time zone: ask problems_with first")
    return _Times(Recurring(cron, 0, zone), Recurring(cron, 86_400, zone))
