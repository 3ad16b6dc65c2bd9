"""Windows that come by a cron expression.

CronSim reads the expressions and knows the days; on days on which clocks are changed it also finds the times, so that a fixed
time that is skipped comes right after the gap and one that is there twice comes once. On all other days the times are the same
ones, so they are laid out once: an expression that fires each minute costs one step a day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from feem.core.windows.interval import Interval
from feem.core.windows.local import DAY, local_day

SOME_YEAR = datetime(2024, 1, 1, tzinfo=UTC)
"""Where the search for any occurrence begins; CronSim looks at 50 years, so at every kind of year."""


@dataclass(frozen=True)
class Recurring:
    """Times that begin by a cron expression and last some seconds."""

    cron: str
    seconds: int
    zone: ZoneInfo

    @property
    def reach(self) -> timedelta:
        """A day that is longer than usual, and the duration."""
        return timedelta(seconds=self.seconds, hours=26)

    def begin_on(self, day: date) -> tuple[Interval, ...]:
        """Return the times that begin on a day; such as overlap may stand as one."""
        if day.month not in self._fields.months or not self._fields.match_day(day):
            return ()
        if local_day(day, self.zone).even:
            return _on_even_day(self, day)
        return _on_uneven_day(self.cron, self.seconds, day, self.zone)

    @cached_property
    def _fields(self) -> CronSim:
        return CronSim(self.cron, SOME_YEAR)

    @cached_property
    def layout(self) -> tuple[tuple[timedelta, timedelta], ...]:
        """From when to when after midnight, on a day like any other; overlapping times merged."""
        hours, minutes = sorted(self._fields.hours), sorted(self._fields.minutes)
        starts = [timedelta(hours=hour, minutes=minute) for hour in hours for minute in minutes]
        merged: list[tuple[timedelta, timedelta]] = []
        for start in starts:
            end = start + timedelta(seconds=self.seconds)
            if merged and merged[-1][1] >= start:
                merged[-1] = (merged[-1][0], end)
            else:
                merged.append((start, end))
        return tuple(merged)


@lru_cache(maxsize=512)
def _on_even_day(times: Recurring, day: date) -> tuple[Interval, ...]:
    midnight = local_day(day, times.zone).start
    return tuple(Interval(midnight + begin, midnight + end) for begin, end in times.layout)


@lru_cache(maxsize=128)
def _on_uneven_day(cron: str, seconds: int, day: date, zone: ZoneInfo) -> tuple[Interval, ...]:
    before = datetime.combine(day - DAY, time(23, 59, 59), tzinfo=zone)
    found: list[Interval] = []
    for moment in CronSim(cron, before):
        if moment.date() > day:
            break
        start = moment.astimezone(UTC)
        if moment.date() == day and (not found or start > found[-1].start):
            found.append(Interval(start, start + timedelta(seconds=seconds)))
    return tuple(found)


def problem_with_cron(cron: str) -> tuple[str, str] | None:
    """Say what is wrong with an expression: BadCron or NeverOccurs, and a sentence."""
    fields = cron.split()
    if len(fields) != 5:
        return "BadCron", (
            f"cron {cron!r} has {len(fields)} fields: write minute, hour, day of month, month and day of week, e.g. `0 22 * * 1-4`"
        )
    try:
        occurs = next(CronSim(cron, SOME_YEAR), None) is not None
    except CronSimError as problem:
        minute, hour, day, _, weekday = fields
        if not _readable(f"{minute} {hour} {day} * {weekday}") or not _readable(f"0 0 1 {fields[3]} *"):
            return "BadCron", f"cron {cron!r} cannot be read ({problem}): write e.g. `0 22 * * 1-4`"
        occurs = False
    if not occurs:
        return "NeverOccurs", f"cron {cron!r} names a day that no year has: choose one that exists, e.g. `0 22 28 2 *`"
    return None


def _readable(cron: str) -> bool:
    try:
        CronSim(cron, SOME_YEAR)
    except CronSimError:
        return False
    return True
