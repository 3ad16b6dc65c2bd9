"""Windows as people write them, and moments as they read them off a clock."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from feem.api.window import ChangeWindow, Preset, PresetKind, Range, Recurrence, WindowSpec, WindowType
from feem.core.windows.interval import Interval

BERLIN, NEW_YORK, SHANGHAI = "Europe/Berlin", "America/New_York", "Asia/Shanghai"
ALLOW, FREEZE = WindowType.ALLOW, WindowType.FREEZE


def cron(expression: str, seconds: int, zone: str = BERLIN, kind: WindowType = ALLOW) -> WindowSpec:
    recurrence = Recurrence(cron=expression, duration_seconds=seconds)
    return WindowSpec(type=kind, reason="nightly", time_zone=zone, recurrence=recurrence)


def once(start: str, end: str, zone: str = BERLIN, kind: WindowType = ALLOW) -> WindowSpec:
    return WindowSpec(type=kind, reason="once", time_zone=zone, range=Range(start=start, end=end))


def days(
    kind: str, zone: str = BERLIN, type_: WindowType = ALLOW, *, before: int = 0, after: int = 0, country: str = ""
) -> WindowSpec:
    preset = Preset(kind=PresetKind(kind), days_before=before, days_after=after, country=country)
    return WindowSpec(type=type_, reason="days", time_zone=zone, preset=preset)


def window(spec: WindowSpec, name: str = "w") -> ChangeWindow:
    return ChangeWindow.model_validate({"metadata": {"name": name}, "spec": spec.wire()})


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def at(text: str, zone: str, fold: int = 0) -> datetime:
    """The moment at which a clock shows this."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def local(interval: Interval | None, zone: str) -> tuple[str, str] | None:
    """What clocks show at its start and its end."""
    if interval is None:
        return None
    start, end = (moment.astimezone(ZoneInfo(zone)) for moment in (interval.start, interval.end))
    return f"{start:%Y-%m-%d %H:%M}", f"{end:%Y-%m-%d %H:%M}"
