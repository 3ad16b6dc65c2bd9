"""Moments in words, for people in their own time zone."""

from __future__ import annotations

from datetime import UTC, datetime

from feem.core.windows.local import zone_named

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def moment(at: datetime, now: datetime, zone: str) -> str:
    """Say when something is: `22:00 Asia/Shanghai` today, `Fri 22:00 Asia/Shanghai` in the next six days, else with the date.

    A zone that is not known is replaced by UTC.
    """
    known = zone_named(zone)
    there, here = at.astimezone(known or UTC), now.astimezone(known or UTC)
    days = (there.date() - here.date()).days
    clock = f"{there:%H:%M} {zone if known else 'UTC'}"
    if days == 0:
        return clock
    return f"{WEEKDAYS[there.weekday()]} {clock}" if 0 < days <= 6 else f"{there:%Y-%m-%d} {clock}"
