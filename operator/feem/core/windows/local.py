"""Local times as moments: what a wall clock shows becomes UTC, also on the days on which clocks are changed.

A local time that clocks skip (gap) stands for the first moment after the gap. One that comes twice (fold) is both: callers say which
they mean. See PEP 495 for `fold`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from feem.core.windows.interval import FOREVER

DAY = timedelta(days=1)
EARLIEST, LATEST = datetime(1900, 1, 1), datetime(9998, 12, 31)  # noqa: DTZ001 - local times, of any zone
UNSTABLE = frozenset({"localtime", "Factory"})
"""Names in the database that mean something else on each machine, or nothing."""


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    return frozenset(available_timezones()) - UNSTABLE


@lru_cache(maxsize=1024)
def zone_named(name: str) -> ZoneInfo | None:
    """Return the IANA time zone of this name, or None when there is none."""
    return ZoneInfo(name) if name in _names() else None


def similar_zone(name: str) -> str:
    """Return the time zone whose name is most like a mistyped one."""
    known = {known.lower(): known for known in _names()}
    found = get_close_matches(name.lower(), sorted(known), n=1)
    return known[found[0]] if found else "Asia/Shanghai"


def first_moment(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the first moment (UTC) at which clocks of a zone show a naive local time, or jump over it."""
    if local >= LATEST:
        return FOREVER
    local = max(local, EARLIEST)
    early, late = (_utc(local, zone, fold) for fold in (0, 1))
    return early if early <= late else _jump(late, early, zone)


def last_moment(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the last moment (UTC) at which clocks of a zone show a naive local time, or jump over it."""
    if local >= LATEST:
        return FOREVER
    local = max(local, EARLIEST)
    early, late = (_utc(local, zone, fold) for fold in (0, 1))
    return late if early <= late else _jump(late, early, zone)


def _utc(local: datetime, zone: ZoneInfo, fold: int) -> datetime:
    return local.replace(tzinfo=zone, fold=fold).astimezone(UTC)


def _jump(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Find the moment, to the second, at which clocks jump between two moments.

    They are what PEP 495 makes of a time in a gap: too early with fold 1, too late with fold 0.
    """
    offset = after.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after


@dataclass(frozen=True)
class LocalDay:
    """One day of a zone: its first moment (UTC), and whether no clock is changed in it."""

    start: datetime
    even: bool


@lru_cache(maxsize=8192)
def local_day(day: date, zone: ZoneInfo) -> LocalDay:
    """Look at one day."""
    start, end = start_of_day(day, zone), start_of_day(day + DAY, zone)
    offsets = {moment.astimezone(zone).utcoffset() for moment in (start, start + DAY / 2, end)}
    return LocalDay(start, even=end - start == DAY and len(offsets) == 1)


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Return the first moment (UTC) of a day in a zone; where clocks skip midnight, that is later than midnight."""
    return first_moment(datetime.combine(day, time()), zone)
