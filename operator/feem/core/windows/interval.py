"""Times without gaps, and how the many times of one pattern become the few that matter: those around now."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

HORIZON = timedelta(days=400)
"""How far is looked ahead: a year with all its holidays, and some."""
FOREVER = datetime(9999, 12, 31, tzinfo=UTC)
"""The end of what does not end within the horizon."""


@dataclass(frozen=True)
class Interval:
    """From `start` on, up to but without `end`; both aware, UTC. An `end` of FOREVER: none is known."""

    start: datetime
    end: datetime

    def __contains__(self, moment: datetime) -> bool:
        """Whether a moment is in it."""
        return self.start <= moment < self.end


class Pattern(Protocol):
    """Times that come again and again, day by day in their zone."""

    @property
    def zone(self) -> ZoneInfo:
        """Whose days."""
        ...

    @property
    def reach(self) -> timedelta:
        """An upper bound of how long after the first moment of its day a time can end."""
        ...

    def begin_on(self, day: date) -> Sequence[Interval]:
        """Return the times that begin on a day. Starts and ends come in order, within a day and from day to day."""
        ...


def around(pattern: Pattern, now: datetime) -> Interval | None:
    """Return the time that contains `now`, together with all that it overlaps or touches; None when there is none."""
    limit = now + HORIZON
    times = _ending_after(pattern, now, limit)
    first = next(times, None)
    if first is None or now not in first:
        return None
    return Interval(_back(pattern, first.start, now - HORIZON), _ahead(first.end, times, limit))


def following(pattern: Pattern, now: datetime) -> Interval | None:
    """Return the next time that begins after `now` and within the horizon, with all that it overlaps or touches."""
    here, limit = around(pattern, now), now + HORIZON
    after = here.end if here is not None else now
    first = next(_ending_after(pattern, after, limit), None) if after <= limit else None
    if first is None or first.start > limit:
        return None
    far = first.start + HORIZON
    return Interval(first.start, _ahead(first.end, _ending_after(pattern, first.end, far), far))


def _ending_after(pattern: Pattern, moment: datetime, limit: datetime) -> Iterator[Interval]:
    """The times that end after a moment, as far as they begin on days up to that of the limit."""
    day = _day(pattern, moment - pattern.reach)
    last = _day(pattern, limit)
    while day <= last:
        times = pattern.begin_on(day)
        yield from times[bisect_right(times, moment, key=_end) :] if times else ()
        day += timedelta(days=1)


def _end(time: Interval) -> datetime:
    return time.end


def _ahead(end: datetime, times: Iterator[Interval], limit: datetime) -> datetime:
    for time in times:
        if time.start > end:
            break
        end = max(end, time.end)
        if end > limit:
            return FOREVER
    return end


def _back(pattern: Pattern, start: datetime, limit: datetime) -> datetime:
    day = _day(pattern, start)
    while start > limit and day >= _day(pattern, start - pattern.reach):
        for time in reversed(pattern.begin_on(day)):
            if time.start >= start:
                continue
            if time.end < start:
                return start
            start = time.start
        day -= timedelta(days=1)
    return start


def _day(pattern: Pattern, moment: datetime) -> date:
    return moment.astimezone(pattern.zone).date()
