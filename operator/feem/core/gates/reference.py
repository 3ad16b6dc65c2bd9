"""Texts that have to look like something, by a regular expression that the bank wrote."""

from __future__ import annotations

import re

from feem.core.gates.answer import Answer, holds

LONGEST = 256
"""How long a text may be that is compared: expressions can be slow on long ones."""


def compiled(pattern: str) -> re.Pattern[str] | None:
    """Return the expression, or None when it is none."""
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return None


def fits(pattern: re.Pattern[str], text: str) -> bool:
    """Whether the whole text looks as it has to."""
    return len(text) <= LONGEST and pattern.fullmatch(text) is not None


def bad_pattern(pattern: str) -> Answer:
    """Hold, for nobody can say what would be right."""
    message = (
        f"the profile's pattern {pattern!r} is no regular expression, so nothing can fit it; whoever keeps the profile has to "
        "correct it"
    )
    return holds("BadPattern", message, "unusable pattern in the profile")
