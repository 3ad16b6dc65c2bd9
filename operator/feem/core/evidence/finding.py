"""What one test says about a canary, before it is put into the words and figures of a verdict."""

from __future__ import annotations

from dataclasses import dataclass

from feem.api.release import CategoryShares, Outcome, TrackCounts


@dataclass(frozen=True)
class Finding:
    """Outcome, reason (one word) and message (a sentence), with the figures behind them."""

    outcome: Outcome
    reason: str
    message: str
    canary: TrackCounts | None = None
    stable: TrackCounts | None = None
    shares: tuple[CategoryShares, ...] = ()
    log_evidence: float | None = None
    decides: str = ""


def inconclusive(reason: str, message: str) -> Finding:
    """Return that nothing can be said, and why."""
    return Finding(Outcome.INCONCLUSIVE, reason, message)
