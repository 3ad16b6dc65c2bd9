"""What becomes of a step that has baked and about which too little is known: the plan's word on it, and whom it concerns."""

from __future__ import annotations

from datetime import datetime, timedelta

from feem.api.plan import WhenInconclusive
from feem.api.release import Outcome
from feem.core.rollout.snapshot import ReleaseSnapshot

THIN = frozenset({"TooFewSamples", "NotEnoughEvidence"})
"""Doubts that more traffic would settle. All others, missing metrics before all, are never acted upon."""


def is_thin(s: ReleaseSnapshot) -> bool:
    """Whether thin evidence, and nothing else, speaks against the next step."""
    doubts = [item for item in s.verdicts if item.outcome is not Outcome.PASS]
    return s.outcome is Outcome.INCONCLUSIVE and bool(doubts) and all(item.reason in THIN for item in doubts)


def thin_since(s: ReleaseSnapshot, before: datetime | None, *, baked: bool, passed: bool) -> datetime | None:
    """Return since when the evidence is thin and nothing else, or None; `before` is what the status says of this step.

    An interruption by any other doubt begins the time anew, but for a step that the plan has let go already (`passed`): it
    only waits until the doubt is gone. People who pause have taken the decision over.
    """
    if s.outcome is Outcome.PASS or s.directives.paused:
        return None
    if baked and is_thin(s):
        return before or s.now
    return before if passed else None


def action_due(s: ReleaseSnapshot, since: datetime | None) -> WhenInconclusive | None:
    """Return what the plan says to do now, or None while it says to wait, or while there is another doubt."""
    policy = s.release.spec.plan.inconclusive
    if since is None or not is_thin(s) or s.now < since + timedelta(seconds=policy.max_hold_seconds):
        return None
    return policy.action


def seconds_left(s: ReleaseSnapshot, since: datetime | None) -> float:
    """Return the seconds until the plan's action is due, at most one interval."""
    if since is None:
        return s.interval
    left = (since - s.now).total_seconds() + s.release.spec.plan.inconclusive.max_hold_seconds
    return min(s.interval, left) if left > 0 else s.interval


def is_shared(s: ReleaseSnapshot) -> bool:
    """Whether both tracks are outside an objective, so that the canary is not to blame."""
    shared = any(item.reason == "SharedDegradation" for item in s.verdicts)
    return s.outcome is Outcome.INCONCLUSIVE and shared


def doubts_of(s: ReleaseSnapshot) -> str:
    """Say what speaks against the next step."""
    said = "; ".join(f"{item.name}: {item.message}" for item in s.verdicts if item.outcome is not Outcome.PASS)
    return said or "no verdict yet"
