"""Windows that come once, between two local times."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from feem.api.window import Range
from feem.core.windows.interval import Interval
from feem.core.windows.local import first_moment, last_moment


def once(written: Range, zone: ZoneInfo, *, freeze: bool) -> Interval | None:
    """Return when a range is, or None when nothing lies between its local times. Raises ValueError when they are no dates.

    Where clocks are put back, a local time comes twice: a Freeze takes the first as its start and the second as its end, so that
    it is never shorter than written, an Allow the other way round, so that it is never longer.
    """
    start, end = datetime.fromisoformat(written.start), datetime.fromisoformat(written.end)
    if freeze:
        interval = Interval(first_moment(start, zone), last_moment(end, zone))
    else:
        interval = Interval(last_moment(start, zone), first_moment(end, zone))
        if (
            start < end and interval.start >= interval.end
        ):  # both within the hour that comes twice: take its second time
            interval = Interval(interval.start, last_moment(end, zone))
    return interval if interval.start < interval.end else None
