"""The way forward: canary up, traffic to the step's weight, bake, evidence, next step."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

from feem.api.release import Outcome
from feem.core.rollout import promotion
from feem.core.rollout.effects import ApplyCanary, DeleteCanary, Effect, PinService, SetWeight
from feem.core.rollout.mark import TrafficMark
from feem.core.rollout.plan import Plan
from feem.core.rollout.snapshot import ReleaseSnapshot
from feem.core.rollout.status import next_status, progress, status_of


def go_on(s: ReleaseSnapshot) -> Plan:
    """Take the next step forward, or say what is waited for."""
    if s.problem:
        return wait(s, "Waiting", s.problem, requeue=watching(s))
    step, last = current_step(s), len(s.release.spec.plan.steps)
    if step == 0:
        if s.directives.paused:
            return wait(s, "Paused", "a person paused the release before its first step; decide Resume to go on")
        return shift(s, last + 1 if s.directives.promote else 1)
    if s.traffic is None or s.traffic.uneven or s.traffic.weight != weight_of(s, step):
        return shift(s, step)
    if step > last:
        return promotion.promote(s)
    return bake(s, step)


def current_step(s: ReleaseSnapshot) -> int:
    """The step the traffic is in. The route's mark knows best: it was written with the weights."""
    mark = s.traffic.mark if s.traffic is not None else None
    if mark is not None and mark.release == s.release.metadata.name and not mark.ending:
        return mark.step
    return status_of(s.release).step


def weight_of(s: ReleaseSnapshot, step: int) -> int:
    """Percent of the requests for the canary in a step; after the last step, all."""
    steps = s.release.spec.plan.steps
    return steps[step - 1].weight if step <= len(steps) else 100


def replicas_of(s: ReleaseSnapshot, step: int) -> int:
    """Canary pods of a step: the plan's number, else the workload's replicas times the weight, rounded up, at least one."""
    steps, full = s.release.spec.plan.steps, s.workload.replicas if s.workload else 0
    if step > len(steps):
        return max(1, full)
    return steps[step - 1].replicas or max(1, math.ceil(full * steps[step - 1].weight / 100))


def bake(s: ReleaseSnapshot, step: int) -> Plan:
    """Let the step's share of traffic run for its time, and go on only while the evidence allows it."""
    spec, old = s.release.spec, status_of(s.release)
    same = old.step == step and old.step_started_at is not None
    started = old.step_started_at if same and old.step_started_at is not None else s.now
    passed = old.passed_at if same else None
    bakes = timedelta(seconds=spec.plan.steps[step - 1].bake_seconds)
    left = (started + bakes - s.now).total_seconds()
    if passed is None and left <= 0 and s.outcome is Outcome.PASS:
        passed = s.now
    found: dict[str, Any] = {
        "step": step,
        "weight": weight_of(s, step),
        "step_started_at": started,
        "passed_at": passed,
    }
    if s.directives.paused:
        text = f"a person paused the release in {_name(s, step)}; decide Resume or Abort"
        return wait(s, "Paused", text, requeue=s.interval, **found)
    if s.directives.promote:
        return shift(s, len(spec.plan.steps) + 1, found)
    if passed is not None and s.outcome is Outcome.PASS:
        return shift(s, step + 1, found)
    scale = _scale(s, replicas_of(s, step if passed is None else step + 1), found)
    if scale is not None:
        return scale
    if left > 0:
        text = f"{_name(s, step)} bakes until {(started + bakes).strftime('%H:%M:%S')} UTC"
        return wait(s, "Baking", text, going=True, requeue=min(s.interval, left), **found)
    doubts = "; ".join(f"{item.name}: {item.message}" for item in s.verdicts if item.outcome is not Outcome.PASS)
    text = f"{_name(s, step)} has baked but the evidence does not allow the next step: {doubts or 'no verdict yet'}"
    return wait(s, "Inconclusive", text, requeue=s.interval, **found)


def shift(s: ReleaseSnapshot, step: int, found: dict[str, Any] | None = None) -> Plan:
    """Bring the traffic to a step: Service pinned, canary scaled and Ready, then one write of weights and mark.

    The step after the last one is the promotion: all traffic to the canary, and the Deployment resumed under the same intent.
    `found` are the status fields of the step the traffic is in until then.
    """
    spec, replicas = s.release.spec, replicas_of(s, step)
    scale = _scale(s, replicas, found)
    if scale is not None:
        return scale
    if s.canary is None or s.canary.ready < replicas:
        ready = s.canary.ready if s.canary else 0
        text = f"waiting for {replicas} Ready canary pods ({ready} now) before {_name(s, step)}"
        return wait(s, "StartingCanary", text, going=True, requeue=watching(s), **(found or {}))
    weight, service = weight_of(s, step), spec.traffic.service
    mark = TrafficMark(s.release.metadata.name, step)
    effect = SetWeight(s.namespace, spec.traffic.http_route, service, f"{service}-canary", weight, str(mark))
    old, last = status_of(s.release), len(spec.plan.steps)
    arrived: dict[str, Any] = {
        "step": step,
        "weight": weight,
        "step_started_at": s.now,
        "passed_at": None,
        "started_at": old.started_at or s.now,
        "verdicts": list(s.verdicts) or old.verdicts,
    }
    if step > last:
        return promotion.promote(s, (effect,), arrived)
    text = f"{weight}% of the requests go to the canary ({progress(step, last, weight)})"
    status = next_status(s.release, s.now, progressing=(True, "Baking", text), **arrived)
    return Plan("ShiftTraffic", f"Step{step}", text, status, (effect,), requeue=0, evidence=bool(s.verdicts))


def _scale(s: ReleaseSnapshot, replicas: int, found: dict[str, Any] | None) -> Plan | None:
    """Return the plan that brings canary and pin to where they must be, or None when they are there."""
    release, spec, canary = s.release, s.release.spec, s.canary
    effects: list[Effect] = []
    if s.pinned != spec.stable.pod_template_hash:
        effects.append(PinService(s.namespace, spec.traffic.service, spec.stable.pod_template_hash))
    name = release.metadata.name
    if canary is not None and (canary.release != name or canary.template_digest != spec.template_digest):
        effects.append(DeleteCanary(s.namespace, spec.deployment, spec.traffic.service))
        canary = None
    if canary is None or not s.canary_service or canary.replicas != replicas:
        deadline = spec.plan.progress_deadline_seconds
        effects.append(
            ApplyCanary(
                s.namespace,
                spec.deployment,
                spec.traffic.service,
                name,
                release.metadata.uid,
                spec.template_digest,
                replicas,
                deadline,
            )
        )
    if not effects:
        return None
    text = f"the canary of {spec.deployment} gets {replicas} pods; Service {spec.traffic.service} stays with stable"
    status = next_status(release, s.now, progressing=(True, "StartingCanary", text), **(found or {}))
    return Plan("ApplyCanary", "Canary", text, status, tuple(effects), requeue=0)


def watching(s: ReleaseSnapshot) -> float | None:
    """Seconds until the next look: a canary with traffic is judged all the time, whatever else is waited for."""
    return s.interval if s.traffic is not None and s.traffic.weight > 0 else None


def wait(
    s: ReleaseSnapshot,
    reason: str,
    message: str,
    *,
    going: bool = False,
    requeue: float | None = None,
    **fields: Any,
) -> Plan:
    """A plan that changes nothing but the status."""
    status = next_status(s.release, s.now, progressing=(going, reason, message), verdicts=list(s.verdicts), **fields)
    return Plan("Wait", reason, message, status, requeue=requeue)


def _name(s: ReleaseSnapshot, step: int) -> str:
    last = len(s.release.spec.plan.steps)
    return f"step {step}/{last} at {weight_of(s, step)}%" if step <= last else "promotion"
