"""Windows that come by a cron expression.

CronSim reads the expressions and knows their days. The times of a day are the same on all ordinary days, so they are laid out once:
an expression that fires each minute costs one step a day. Where clocks are changed, a time that is skipped comes right after the
gap; one that is there twice comes once, the first time, unless the expression means each hour or minute that passes (it begins with
a star, as in Debian's cron, whose rules CronSim follows too). A window is not lost with the hour that is skipped: a Freeze would be.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from feem.core.windows.interval import Interval
from feem.core.windows.local import first_moment, last_moment, local_day

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
        return _on_uneven_day(self, day)

    @cached_property
    def _fields(self) -> CronSim:
        return CronSim(self.cron, SOME_YEAR)

    @cached_property
    def starts(self) -> tuple[timedelta, ...]:
        """How long after midnight times begin, by the clock."""
        hours, minutes = sorted(self._fields.hours), sorted(self._fields.minutes)
        return tuple(timedelta(hours=hour, minutes=minute) for hour in hours for minute in minutes)

    @property
    def is_steady(self) -> bool:
        """Whether each hour or minute that passes is meant, rather than what a clock shows."""
        minute, hour = self.cron.split()[:2]
        return minute.startswith("*") or hour.startswith("*")

    @cached_property
    def layout(self) -> tuple[tuple[timedelta, timedelta], ...]:
        """From when to when after midnight, on a day like any other; overlapping times merged."""
        merged: list[tuple[timedelta, timedelta]] = []
        for start in self.starts:
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
def _on_uneven_day(times: Recurring, day: date) -> tuple[Interval, ...]:
    midnight = datetime.combine(day, time())
    clocks = [midnight + begin for begin in times.starts]
    moments = {first_moment(clock, times.zone) for clock in clocks}
    if times.is_steady:
        moments |= {last_moment(clock, times.zone) for clock in clocks}
    return tuple(Interval(moment, moment + timedelta(seconds=times.seconds)) for moment in sorted(moments))


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
