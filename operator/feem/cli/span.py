"""Times as people type them: `30m`, `2h`, `1d12h`, and moments with their zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from feem.cli.problem import Problem
from feem.view.release import duration

_SPAN = re.compile(r"^(?:(\d{1,4})d)?(?:(\d{1,4})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s)?$")
_EXAMPLES = "write e.g. 30m, 2h or 1d12h"


def span(text: str) -> timedelta:
    """Return how long `30m`, `2h` or `1d12h` is; raises Problem for anything else and for nothing at all."""
    found = _SPAN.match(text.strip())
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0, 0)
    length = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if not length:
        raise Problem(f"--for {text!r}", "it is not a time span", _EXAMPLES)
    return length


def moment(text: str) -> datetime:
    """Return the moment (UTC) that e.g. `2026-11-24T18:00+08:00` names; raises Problem where the zone is missing."""
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError as odd:
        raise Problem(f"--until {text!r}", "it is not a moment", "write e.g. 2026-11-24T18:00+08:00") from odd
    if at.tzinfo is None:
        raise Problem(f"--until {text!r}", "it does not say in which time zone", "write e.g. 2026-11-24T18:00+08:00")
    return at.astimezone(UTC)


def expiry(now: datetime, length: str | None, until: str | None, most: timedelta) -> datetime | None:
    """Return the moment (UTC, whole seconds) at which a decision stops to count; None where nothing was given.

    Raises Problem for both, for the past, and for more than `most`.
    """
    if length and until:
        raise Problem("--for and --until", "both say until when it counts", "give one of them")
    if not length and not until:
        return None
    at = now + span(length) if length else moment(str(until))
    given = f"--for {length}" if length else f"--until {until}"
    if at <= now:
        raise Problem(given, "it is over already", "give a later moment")
    if at - now > most:
        raise Problem(
            given, f"it may count {duration(most.total_seconds())} at most", f"give --for {_typed(most)} or less"
        )
    return at.replace(microsecond=0)


def _typed(length: timedelta) -> str:
    return duration(length.total_seconds())
