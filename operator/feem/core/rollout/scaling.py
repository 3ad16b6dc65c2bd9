"""The canary's pods and the pin: brought to where a step needs them before anything else is done."""

from __future__ import annotations

from typing import Any

from feem.core.rollout.effects import ApplyCanary, DeleteCanary, Effect, PinService
from feem.core.rollout.plan import Plan
from feem.core.rollout.runs import under_way
from feem.core.rollout.snapshot import ReleaseSnapshot
from feem.core.rollout.status import next_status
from feem.core.rollout.steps import replicas_of
from feem.core.rollout.waiting import wait, watching


def pods_of(s: ReleaseSnapshot, step: int) -> int:
    """Canary pods for a step; while an experiment is under way those that there are, for it looks at exactly these."""
    if under_way(s) is not None and s.canary is not None and s.canary.release == s.release.metadata.name:
        return max(1, s.canary.replicas)
    return replicas_of(s, step)


def bring_up(s: ReleaseSnapshot, replicas: int, before: str, found: dict[str, Any] | None) -> Plan | None:
    """Return the plan that makes, or waits for, so many Ready canary pods; None when they are there. `before` says what for."""
    plan = scale(s, replicas, found)
    if plan is not None:
        return plan
    if s.canary is not None and s.canary.ready >= replicas:
        return None
    ready = s.canary.ready if s.canary else 0
    text = f"waiting for {replicas} Ready canary pods ({ready} now) before {before}"
    return wait(s, "StartingCanary", text, going=True, requeue=watching(s), **(found or {}))


def scale(s: ReleaseSnapshot, replicas: int, found: dict[str, Any] | None) -> Plan | None:
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
