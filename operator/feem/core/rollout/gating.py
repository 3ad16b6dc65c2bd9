"""Where gates meet the rollout: each move forward asks those of its stage and of all before; going back asks none."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from feem.api.gate import Stage
from feem.api.release import GateOutcome, GateStatus, ReleaseStatus
from feem.api.service import Mode
from feem.core.gates.result import GateResult
from feem.core.gates.words import statuses, summary
from feem.core.rollout.plan import Plan
from feem.core.rollout.snapshot import ReleaseSnapshot
from feem.core.rollout.status import ending_of, next_status, progress, status_of
from feem.core.rollout.waiting import wait, watching

WAITING = "Waiting"
WITHOUT_PROFILE = frozenset({"freeze", "debt"})
"""The gates that are asked of every release."""


def stage_of(s: ReleaseSnapshot, step: int) -> Stage:
    """Return the stage that a step belongs to; the step after the last one is the promotion."""
    if step > len(s.release.spec.plan.steps):
        return Stage.PROMOTION
    return Stage.START if step <= 1 else Stage.STEP


def held_back(s: ReleaseSnapshot, step: int, found: dict[str, Any] | None = None) -> Plan | None:
    """Return the plan that waits because gates keep the release from a step, or None; `found` is what the status says of now."""
    holding = s.compliance.holding(stage_of(s, step))
    if not holding or s.release.spec.mode is Mode.OBSERVE:
        return None
    at = status_of(s.release)
    text = summary(holding)
    if at.step > 0:
        text = f"{progress(at.step, len(s.release.spec.plan.steps), at.weight)} is kept: {text}"
    return wait(s, WAITING, text, requeue=_look_again(s, holding), **(found or {}))


def with_gates(s: ReleaseSnapshot, plan: Plan) -> Plan:
    """Return the plan with what every gate says now on its status; a release that has ended keeps what was said last."""
    if not s.compliance.results or ending_of(s.release) is not None:
        return plan
    allowed = _allowed(s)
    status = next_status(s.release, s.now, allowed=allowed, base=plan.status)
    written = {"gates": statuses(s.compliance.results), "binding": s.compliance.binding}
    return replace(plan, status=status.model_copy(update=written), requeue=_sooner(plan.requeue, _changes(s)))


def news_of(old: ReleaseStatus, new: ReleaseStatus) -> tuple[GateStatus, ...]:
    """Return the gates that say something else than before; at the first look, everything but that no freeze and no debt is there."""
    before = {gate.name: (gate.outcome, gate.reason) for gate in old.gates}
    news = tuple(gate for gate in new.gates if before.get(gate.name) != (gate.outcome, gate.reason))
    usual = not before and all(
        gate.name in WITHOUT_PROFILE and gate.outcome is GateOutcome.PASSED for gate in new.gates
    )
    return () if usual else news


def _allowed(s: ReleaseSnapshot) -> tuple[bool, str, str]:
    following = stage_of(s, status_of(s.release).step + 1)
    holding = s.compliance.holding(following)
    if not holding:
        return True, "AllGatesPassed", f"every gate of stage {following} is open"
    if s.release.spec.mode is Mode.OBSERVE:
        return False, "WouldHold", f"this would have been held: {summary(holding)}"
    return False, "GatesHold", f"stage {following} is held: {summary(holding)}"


def _look_again(s: ReleaseSnapshot, holding: tuple[GateResult, ...]) -> float | None:
    """Seconds until time alone may open a gate; a canary with traffic is looked at all the time."""
    moments = [item.until for item in holding if item.until is not None]
    return _sooner(watching(s), _seconds(s, min(moments)) if moments else None)


def _changes(s: ReleaseSnapshot) -> float | None:
    """Seconds until time alone may change what any gate says."""
    moments = [item.until for item in s.compliance.results if item.until is not None]
    return _seconds(s, min(moments)) if moments else None


def _seconds(s: ReleaseSnapshot, moment: datetime) -> float:
    return max(0.5, (moment - s.now).total_seconds())


def _sooner(one: float | None, other: float | None) -> float | None:
    return other if one is None else one if other is None else min(one, other)
