"""When a window is open: the times that its spec writes down in words of a wall clock."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from feem.api.window import Preset, Range, Recurrence, WindowSpec, WindowType
from feem.core.windows.cron import Recurring
from feem.core.windows.interval import FOREVER, HORIZON, Interval, Pattern, around, following
from feem.core.windows.local import zone_named
from feem.core.windows.once import once
from feem.core.windows.preset import PresetDays
from feem.core.windows.problem import problem_with

__all__ = ["FOREVER", "HORIZON", "Interval", "is_over", "next_span", "span_at"]


def span_at(spec: WindowSpec, now: datetime) -> Interval | None:
    """Return the time around `now` in which a window is open without a break; None when it is not, or cannot be used.

    Its end is FOREVER when it stays open all through the horizon; its start is exact within the horizon.
    """
    times = _times_of(spec)
    if times is None or isinstance(times, Interval):
        return times if times is not None and now in times else None
    return around(times, now)


def next_span(spec: WindowSpec, now: datetime) -> Interval | None:
    """Return the next time, beginning after `now` and within the horizon, in which a window is open; None when there is none."""
    times = _times_of(spec)
    if times is None or isinstance(times, Interval):
        return times if times is not None and now < times.start <= now + HORIZON else None
    return following(times, now)


def _times_of(spec: WindowSpec) -> Interval | Pattern | None:
    if problem_with(spec) is not None:
        return None
    return _times(spec.type, spec.time_zone, spec.recurrence, spec.range, spec.preset)


@lru_cache(maxsize=1024)
def _times(
    kind: WindowType, zone_name: str, recurrence: Recurrence | None, written: Range | None, preset: Preset | None
) -> Interval | Pattern | None:
    """Make what lays out a window's times, once for all visits."""
    zone, freeze = zone_named(zone_name), kind is WindowType.FREEZE
    if zone is None:
        return None
    if recurrence is not None:
        return Recurring(recurrence.cron, recurrence.duration_seconds, zone)
    if preset is not None:
        return PresetDays(preset, zone, whole_breaks=freeze)
    return once(written, zone, freeze=freeze) if written is not None else None


def is_over(spec: WindowSpec, now: datetime) -> bool:
    """Whether a window can never be open again: a range in the past. Everything else comes again."""
    times = _times_of(spec)
    return isinstance(times, Interval) and times.end <= now
