"""The way forward: canary up, traffic to the step's weight, bake, evidence, experiment, next step."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from feem.api.plan import WhenInconclusive
from feem.api.release import Outcome
from feem.core.rollout import ending, experiments, inconclusive, promotion
from feem.core.rollout import status as words
from feem.core.rollout.effects import SetWeight
from feem.core.rollout.faults import wait_for_undo
from feem.core.rollout.gating import held_back
from feem.core.rollout.mark import TrafficMark
from feem.core.rollout.plan import Plan, without_proof
from feem.core.rollout.scaling import bring_up, pods_of, scale
from feem.core.rollout.snapshot import ReleaseSnapshot
from feem.core.rollout.status import next_status, progress, status_of
from feem.core.rollout.steps import current_step, name_of, weight_of
from feem.core.rollout.waiting import wait, watching


def go_on(s: ReleaseSnapshot) -> Plan:
    """Take the next step forward, or say what is waited for."""
    if s.problem:
        return wait(s, "Waiting", s.problem, requeue=watching(s))
    step, last = current_step(s), len(s.release.spec.plan.steps)
    if step == 0:
        if s.directives.paused:
            return wait(s, "Paused", "a person paused the release before its first step; decide Resume to go on")
        return _enter(s, last + 1 if s.directives.promote else 1)
    held = held_back(s, step) if step > last else None
    if held is not None:
        return held
    if s.traffic is None or s.traffic.uneven or s.traffic.weight != weight_of(s, step):
        return wait_for_undo(s, repairs=step <= last) or shift(s, step)
    return bake(s, step) if step <= last else wait_for_undo(s) or promotion.promote(s)


def bake(s: ReleaseSnapshot, step: int) -> Plan:
    """Let the step's share of traffic run for its time, and go on only while the evidence allows it."""
    found, left = _record(s, step)
    passed, thin = found["passed_at"], found["thin_since"]
    if s.directives.paused:
        text = f"a person paused the release in {name_of(s, step)}; decide Resume or Abort"
        return wait(s, "Paused", text, requeue=s.interval, **found)
    if s.directives.promote:
        return _enter(s, len(s.release.spec.plan.steps) + 1, found)
    tried = experiments.watch(s, step, found)
    if tried is not None:
        return tried
    if passed is not None and s.outcome is Outcome.PASS:
        return experiments.before_leaving(s, step, found) or _enter(s, step + 1, found)
    due = inconclusive.action_due(s, thin)
    if due is WhenInconclusive.ROLLBACK:
        text = f"the evidence of {name_of(s, step)} stayed too thin for too long: {inconclusive.doubts_of(s)}"
        return ending.go_back(s, words.ROLLED_BACK, "InconclusiveTooLong", text, evidence=True)
    if due is WhenInconclusive.PROMOTE:
        text = f"without proof, for the evidence of {name_of(s, step)} stayed too thin: {inconclusive.doubts_of(s)}"
        let_go = {**found, "passed_at": passed or s.now}
        return experiments.before_leaving(s, step, let_go) or _enter(s, step + 1, let_go, unproven=text)
    leaves = passed is not None and experiments.proven(s, step, found["step_started_at"])
    scaled = scale(s, pods_of(s, step + 1 if leaves else step), found)
    return scaled or _stay(s, step, left, found, too_long=due is WhenInconclusive.HOLD)


def _enter(s: ReleaseSnapshot, step: int, found: dict[str, Any] | None = None, unproven: str = "") -> Plan:
    """Go to a step that the traffic is not in yet, if its gates are open and nothing is broken on purpose."""
    return held_back(s, step, found) or wait_for_undo(s, found) or shift(s, step, found, unproven)


def _record(s: ReleaseSnapshot, step: int) -> tuple[dict[str, Any], float]:
    """Return the status fields of a step and the seconds until its bake is over; below 0 when it is.

    A step that the route knows and the status does not, because writing it was interrupted, begins now.
    """
    old = status_of(s.release)
    same = old.step == step and old.step_started_at is not None
    started = old.step_started_at if same and old.step_started_at is not None else s.now
    bakes = timedelta(seconds=s.release.spec.plan.steps[step - 1].bake_seconds)
    left = (started + bakes - s.now).total_seconds()
    passed = old.passed_at if same else None
    if passed is None and left <= 0 and s.outcome is Outcome.PASS:
        passed = s.now
    thin = inconclusive.thin_since(s, old.thin_since if same else None, baked=left <= 0, passed=passed is not None)
    began = old.started_at or started
    fields = {"step": step, "weight": weight_of(s, step), "step_started_at": started, "started_at": began}
    return {**fields, "passed_at": passed, "thin_since": thin}, left


def _stay(s: ReleaseSnapshot, step: int, left: float, found: dict[str, Any], *, too_long: bool) -> Plan:
    """Say what keeps the traffic in its step: its time, a trouble that both tracks share, or too little evidence."""
    where, doubts = name_of(s, step), inconclusive.doubts_of(s)
    baking = min(s.interval, left) if left > 0 else s.interval
    if inconclusive.is_shared(s):
        text = (
            f"{where} holds: both tracks are outside the objective, so the canary is not to blame; look at what both "
            f"depend on. {doubts}"
        )
        return wait(s, "SharedDegradation", text, requeue=baking, **found)
    if left > 0:
        text = f"{where} bakes until {(s.now + timedelta(seconds=left)).strftime('%H:%M:%S')} UTC"
        return wait(s, "Baking", text, going=True, requeue=baking, **found)
    if too_long:
        text = (
            f"{where} is held for more than {s.release.spec.plan.inconclusive.max_hold_seconds} s after its bake, since "
            f"the evidence stays too thin: decide Promote to go on without proof, or Abort to go back. {doubts}"
        )
        return wait(s, "HeldTooLong", text, requeue=s.interval, **found)
    text = f"{where} has baked but the evidence does not allow the next step: {doubts}"
    return wait(s, "Inconclusive", text, requeue=inconclusive.seconds_left(s, found["thin_since"]), **found)


def shift(s: ReleaseSnapshot, step: int, found: dict[str, Any] | None = None, unproven: str = "") -> Plan:
    """Bring the traffic to a step: Service pinned, canary scaled and Ready, then one write of weights and mark.

    The step after the last one is the promotion: all traffic to the canary, and the Deployment resumed under the same intent.
    `found` are the status fields of the step the traffic is in until then. `unproven` says why the plan lets it go without proof.
    """
    starting = bring_up(s, pods_of(s, step), name_of(s, step), found)
    if starting is not None:
        return starting
    spec, weight = s.release.spec, weight_of(s, step)
    service = spec.traffic.service
    mark = TrafficMark(s.release.metadata.name, step)
    effect = SetWeight(s.namespace, spec.traffic.http_route, service, f"{service}-canary", weight, str(mark))
    old, last = status_of(s.release), len(spec.plan.steps)
    arrived: dict[str, Any] = {
        "step": step,
        "weight": weight,
        "step_started_at": s.now,
        "passed_at": None,
        "thin_since": None,
        "started_at": old.started_at or s.now,
        "verdicts": list(s.verdicts) or old.verdicts,
    }
    if step > last:
        return promotion.promote(s, (effect,), arrived, unproven)
    text = f"{weight}% of the requests go to the canary ({progress(step, last, weight)})"
    text += f", {unproven}" if unproven else ""
    status = next_status(s.release, s.now, progressing=(True, "Baking", text), **arrived)
    plan = Plan("ShiftTraffic", f"Step{step}", text, status, (effect,), requeue=0, evidence=bool(s.verdicts))
    return without_proof(plan) if unproven else plan
