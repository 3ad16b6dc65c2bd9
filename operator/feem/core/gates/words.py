"""Results in words: one line for `kubectl get`, one entry a gate for the status."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from feem.api.release import GateStatus
from feem.core.gates.result import GateResult

LONGEST_MESSAGE = 1024
LONGEST_REASON = 128
MOST_GATES = 40
"""Bounds of the Release's status."""


def summary(holding: Sequence[GateResult]) -> str:
    """Say in one line what is missing, e.g. `1 of 2 approvals (risk); window opens 22:00 Asia/Shanghai`."""
    return "; ".join(dict.fromkeys(result.short or result.name for result in holding))


def statuses(results: Iterable[GateResult]) -> list[GateStatus]:
    """Write the results as the Release's status has them; texts too long for it are cut, and end in `…`."""
    return [
        GateStatus(
            name=result.name,
            stage=result.stage,
            outcome=result.outcome,
            reason=result.reason[:LONGEST_REASON],
            message=cut(result.message, LONGEST_MESSAGE),
        )
        for result in list(results)[:MOST_GATES]
    ]


def cut(text: str, length: int) -> str:
    """Return the text, or as much of it as fits before an `…`."""
    return text if len(text) <= length else text[: length - 1] + "…"


def listed(items: Iterable[str]) -> str:
    """Join words as people do: `a, b and c`."""
    *most, last = list(items) or [""]
    return f"{', '.join(most)} and {last}" if most else last


def counted(number: int, noun: str) -> str:
    """Return `1 day`, `2 days`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
