"""Promotion: the owner's Deployment is resumed and its native rolling update brings the change to all pods."""

from __future__ import annotations

from typing import Any

from feem.core.rollout import status as words
from feem.core.rollout.effects import Effect, RestoreRoute, Unpause
from feem.core.rollout.pin import unpinning
from feem.core.rollout.plan import Plan, without_proof
from feem.core.rollout.snapshot import ReleaseSnapshot
from feem.core.rollout.status import next_status


def promote(
    s: ReleaseSnapshot, shift: tuple[Effect, ...] = (), arrived: dict[str, Any] | None = None, unproven: str = ""
) -> Plan:
    """Resume the Deployment. All traffic is on the canary, so nothing a rolling update does can be felt at the gateway.

    `shift` brings the traffic there when it is not there yet, `arrived` are the status fields that say so; `unproven` says why
    the last step was let go without proof.
    """
    spec = s.release.spec
    if s.directives.paused:
        text = "a person paused the release before its promotion; decide Resume or Abort"
        status = next_status(s.release, s.now, progressing=(False, "Paused", text), verdicts=list(s.verdicts))
        return Plan("Wait", "Paused", text, status, requeue=s.interval)
    effects = list(shift)
    effects += unpinning(s)
    effects.append(Unpause(s.namespace, spec.deployment, spec.template_digest, promoting=True))
    text = f"the canary serves all requests; Deployment {spec.deployment} is resumed and rolls to the change"
    text += f", {unproven}" if unproven else ""
    status = next_status(s.release, s.now, progressing=(True, "RollingUpdate", text), **(arrived or {}))
    reason = "PromoteDecision" if s.directives.promote else "AllStepsPassed"
    plan = Plan("Promote", reason, text, status, tuple(effects), requeue=0, evidence=bool(s.verdicts))
    return without_proof(plan) if unproven else plan


def under_way(s: ReleaseSnapshot) -> bool:
    """Whether the Deployment has been resumed, by FEEM or around it, or stopped in the middle of FEEM's rolling update."""
    workload = s.workload
    if workload is None or workload.deleting:
        return False
    carries = workload.template_digest == s.release.spec.template_digest
    return (carries and not workload.paused) or (workload.promoting and not carries)


def watch(s: ReleaseSnapshot) -> Plan:
    """Wait for the rolling update; when it is complete, the release has succeeded."""
    spec, workload = s.release.spec, s.workload
    if workload is None:
        raise ValueError("a rolling update without a Deployment")
    bypassed = workload.template_digest == spec.template_digest and not workload.promoting
    if canary_is_lost(s) and not (bypassed and s.pinned):
        return _give_traffic_back(s)
    if workload.template_digest != spec.template_digest:
        return _interrupted(s)
    if bypassed:
        return _bypassed(s)
    if workload.settled:
        text = f"all {workload.replicas} pods of Deployment {spec.deployment} run the change"
        promoted = (True, words.PROMOTED, text)
        status = next_status(
            s.release, s.now, progressing=(True, "CleaningUp", text), succeeded=promoted, promoted_at=s.now
        )
        return Plan("Complete", words.PROMOTED, text, status, requeue=0)
    if workload.stuck:
        text = (
            f"the rolling update of {spec.deployment} makes no progress ({workload.stuck}); the canary serves meanwhile: "
            "mend what keeps its pods, or decide Abort"
        )
        return Plan(
            "Wait",
            "RollingUpdateStuck",
            text,
            next_status(s.release, s.now, progressing=(False, "RollingUpdateStuck", text)),
        )
    text = f"Deployment {spec.deployment} rolls to the change; the canary serves all requests meanwhile"
    return Plan("Wait", "RollingUpdate", text, next_status(s.release, s.now, progressing=(True, "RollingUpdate", text)))


def given_up(s: ReleaseSnapshot) -> tuple[str, str] | None:
    """Return reason and message when people end a promotion that cannot finish by itself, or None.

    One that can is finished: half of the pods are replaced by then, and the way back is the earlier template.
    """
    spec, workload = s.release.spec, s.workload
    if workload is None or not workload.promoting:
        return None
    if not workload.stuck and workload.template_digest == spec.template_digest:
        return None
    if s.service_deleting:
        return "ServiceDeleted", f"ManagedService {spec.service} was deleted; the owner's pods serve all requests"
    if s.release.metadata.deletion_timestamp is not None:
        return "ReleaseDeleted", f"Release {s.release.metadata.name} was deleted; the owner's pods serve all requests"
    if s.directives.abort:
        text = f"a person gave the promotion up; apply the earlier template to take Deployment {spec.deployment} back"
        return "AbortDecision", text
    return None


def canary_is_lost(s: ReleaseSnapshot) -> bool:
    """Whether requests go to a canary that cannot answer them."""
    there = s.canary is not None and s.canary_service and s.canary.ready > 0
    return s.traffic is not None and s.traffic.weight > 0 and not there


def _give_traffic_back(s: ReleaseSnapshot) -> Plan:
    """The canary went away in the middle of the rolling update: the owner's pods, old and new, take its requests."""
    traffic = s.release.spec.traffic
    text = "the canary is gone before the rolling update was over; the owner's pods serve all requests"
    effect = RestoreRoute(s.namespace, traffic.http_route, traffic.service, f"{traffic.service}-canary")
    status = next_status(s.release, s.now, progressing=(True, "RollingUpdate", text), weight=0, restored_at=s.now)
    return Plan("RestoreTraffic", "CanaryLost", text, status, (effect,), requeue=0)


def _interrupted(s: ReleaseSnapshot) -> Plan:
    """A newer template came in the middle of the rolling update, past the policy that refuses it: the canary serves, people decide."""
    name = s.release.spec.deployment
    text = (
        f"Deployment {name} got another template in the middle of its rolling update; the canary keeps all traffic. "
        f"Apply the template of this release again to finish, then the newer one; or decide Abort"
    )
    status = next_status(s.release, s.now, progressing=(False, "PromotionInterrupted", text))
    return Plan("Wait", "PromotionInterrupted", text, status)


def _bypassed(s: ReleaseSnapshot) -> Plan:
    """Somebody resumed the Deployment around FEEM: its pods are changing now, so keep every door open until they are done."""
    spec, workload = s.release.spec, s.workload
    text = f"Deployment {spec.deployment} was resumed by somebody else than FEEM"
    effects = unpinning(s)
    if effects:
        status = next_status(s.release, s.now, progressing=(False, words.BYPASSED, text))
        return Plan("FollowBypass", words.BYPASSED, text, status, effects, requeue=0)
    if workload is not None and workload.settled:
        status = next_status(
            s.release, s.now, progressing=(True, "CleaningUp", text), succeeded=(False, words.BYPASSED, text)
        )
        return Plan("Complete", words.BYPASSED, text, status, requeue=0)
    return Plan("Wait", words.BYPASSED, text, next_status(s.release, s.now, progressing=(False, words.BYPASSED, text)))
