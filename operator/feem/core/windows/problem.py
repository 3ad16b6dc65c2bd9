"""Why a window cannot be used: what the API server cannot check, because it knows no calendars."""

from __future__ import annotations

from functools import lru_cache

from feem.api.window import Preset, Range, Recurrence, WindowSpec
from feem.core.windows.cron import problem_with_cron
from feem.core.windows.days import problem_with_country, problem_with_zone
from feem.core.windows.local import zone_named
from feem.core.windows.once import once

Problem = tuple[str, str]
"""A CamelCase reason, and a sentence with the next step."""


def problem_with(spec: WindowSpec) -> Problem | None:
    """Return why a window cannot be used, or None: UnknownTimeZone, BadCron, BadRange, NeverOccurs, UnknownCountry, NoTime."""
    return _problem(spec.time_zone, spec.recurrence, spec.range, spec.preset)


@lru_cache(maxsize=1024)
def _problem(zone: str, recurrence: Recurrence | None, written: Range | None, preset: Preset | None) -> Problem | None:
    bad_zone = problem_with_zone(zone)
    if bad_zone is not None:
        return bad_zone
    if recurrence is not None:
        return problem_with_cron(recurrence.cron)
    if preset is not None:
        return problem_with_country(preset.country)
    if written is not None:
        return _problem_with_range(written, zone)
    return "NoTime", "the window has no time: give exactly one of recurrence, range and preset"


def _problem_with_range(written: Range, zone_name: str) -> Problem | None:
    zone, words = zone_named(zone_name), f"from {written.start} to {written.end}"
    try:
        interval = once(written, zone, freeze=True) if zone is not None else None
    except ValueError as problem:
        return "BadRange", f"the range {words} is not between two dates ({problem}): write e.g. 2026-12-31T18:00"
    if interval is None:
        return "NeverOccurs", f"no time in {zone_name} lies {words}: choose an end that is later than the start"
    return None
