"""What one gate answers, before the chain adds its name and stage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from feem.core.gates.result import Reliance


@dataclass(frozen=True)
class Answer:
    """Whether a gate holds, why, and what to do; `until` (UTC) is when time alone may change it, `rests_on` what a pass rests on."""

    holds: bool
    reason: str
    message: str
    short: str = ""
    until: datetime | None = None
    rests_on: tuple[Reliance, ...] = ()


def passes(reason: str, message: str, until: datetime | None = None, rests_on: tuple[Reliance, ...] = ()) -> Answer:
    """Say that nothing is missing."""
    return Answer(False, reason, message, "", until, rests_on)


def holds(reason: str, message: str, short: str, until: datetime | None = None) -> Answer:
    """Say what is missing: a sentence with the next step, and a few words."""
    return Answer(True, reason, message, short, until)
