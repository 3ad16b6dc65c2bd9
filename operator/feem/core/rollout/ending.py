"""How a release ends: traffic first, then the record of why, then everything it made is taken away."""

from __future__ import annotations

from feem.core.rollout import status as words
from feem.core.rollout import undo, watch
from feem.core.rollout.effects import (
    ApplyCanary,
    DeleteCanary,
    Effect,
    EndUndo,
    Pause,
    PinService,
    RestoreRoute,
    SettleDeployment,
    SetWeight,
)
from feem.core.rollout.mark import TrafficMark
from feem.core.rollout.pin import unpinning
from feem.core.rollout.plan import Plan
from feem.core.rollout.snapshot import HoldMechanism, ReleaseSnapshot
from feem.core.rollout.status import next_status, status_of


def go_back(s: ReleaseSnapshot, end: str, reason: str, message: str, *, evidence: bool = False) -> Plan:
    """Send all traffic to stable and write down why; both at once when there is traffic to send back.

    A rolling update that people gave up is stopped as well.
    """
    spec, namespace = s.release.spec, s.namespace
    service, effects = spec.traffic.service, list[Effect]()
    if s.traffic is not None and s.traffic.weight > 0:
        mark = TrafficMark(s.release.metadata.name, status_of(s.release).step, end, reason)
        effects.append(SetWeight(namespace, spec.traffic.http_route, service, f"{service}-canary", 0, str(mark)))
    effects += _stop_or_pin(s)
    status = next_status(
        s.release,
        s.now,
        progressing=(True, "RollingBack", message),
        succeeded=(False, end, message),
        weight=0,
        verdicts=list(s.verdicts) or status_of(s.release).verdicts,
    )
    return Plan("RollBack", reason, message, status, tuple(effects), requeue=0, evidence=evidence)


def _stop_or_pin(s: ReleaseSnapshot) -> list[Effect]:
    """Pause a Deployment in its rolling update, unless its owner has it back; pin a Service that a stopped promotion unpinned.

    Else the Service would go on selecting the canary's pods; once old pods are replaced it needs the new ones, too.
    """
    spec, workload = s.release.spec, s.workload
    if workload is not None and workload.promoting:
        return [] if workload.paused or s.service_deleting else [Pause(s.namespace, workload.name)]
    held = workload is not None and workload.paused
    if s.canary is not None and held and not s.pinned and not s.problem:
        return [PinService(s.namespace, spec.traffic.service, spec.stable.pod_template_hash)]
    return []


def finish(s: ReleaseSnapshot, end: str, message: str) -> Plan:
    """Take away what the release made, in an order in which no request meets a closed door; then watch what was promoted."""
    plan = undo.follow(s, end) or _restore_traffic(s, end) or _scale_down(s, end) or _remove_canary(s, end)
    if plan is None and end == words.PROMOTED:
        plan, message = watch.go_on_watching(s), watch.closing_words(s, message)
    return plan or _complete(s, end, message)


def _restore_traffic(s: ReleaseSnapshot, end: str) -> Plan | None:
    traffic, effects = s.release.spec.traffic, list[Effect]()
    if s.traffic is not None and s.traffic.touched:
        effects.append(RestoreRoute(s.namespace, traffic.http_route, traffic.service, f"{traffic.service}-canary"))
    if s.workload is not None and (s.workload.promoting or s.workload.undo is not None):
        settled = EndUndo if s.workload.undo is not None else SettleDeployment
        effects.append(settled(s.namespace, s.workload.name, standing=s.hold == HoldMechanism.STANDING))
    if not effects:
        return None
    text = "the HTTPRoute goes back to its owner's backends"
    if s.workload is not None and s.workload.undo is not None:
        text = f"Deployment {s.workload.name} is its owner's again"
    status = next_status(s.release, s.now, progressing=(True, "CleaningUp", text), weight=0, restored_at=s.now)
    return Plan("RestoreTraffic", end, text, status, tuple(effects), requeue=0)


def _scale_down(s: ReleaseSnapshot, end: str) -> Plan | None:
    """Let canary pods go on for the plan's delay, then scale them away, so that the Service can be unpinned without meeting them.

    After a promotion it is not pinned, and they run what all pods run: they go with their Deployment.
    """
    canary, spec, old = s.canary, s.release.spec, status_of(s.release)
    if canary is None or canary.replicas == 0:
        return None
    text = "canary pods finish their requests, then go"
    restored_at = old.restored_at or s.now
    status = next_status(s.release, s.now, progressing=(True, "CleaningUp", text), restored_at=restored_at)
    left = spec.plan.scale_down_delay_seconds - (s.now - restored_at).total_seconds()
    if left > 0 and old.started_at is not None:
        return Plan("ScaleDownCanary", end, text, status, requeue=left)
    if not s.pinned:
        return None
    effect = ApplyCanary(
        s.namespace,
        spec.deployment,
        spec.traffic.service,
        s.release.metadata.name,
        s.release.metadata.uid,
        canary.template_digest,
        0,
        spec.plan.progress_deadline_seconds,
    )
    return Plan("ScaleDownCanary", end, text, status, (effect,))


def _remove_canary(s: ReleaseSnapshot, end: str) -> Plan | None:
    spec, effects = s.release.spec, list[Effect]()
    text = "the canary's Deployment and Service are removed"
    if s.canary is not None and s.canary.pods > 0 and s.pinned:
        waiting = "waiting for the last canary pods to go"
        return Plan(
            "RemoveCanary", end, waiting, next_status(s.release, s.now, progressing=(True, "CleaningUp", waiting))
        )
    effects += unpinning(s)
    if s.canary is not None or s.canary_service:
        effects.append(DeleteCanary(s.namespace, spec.deployment, spec.traffic.service))
    if not effects:
        return None
    status = next_status(s.release, s.now, progressing=(True, "CleaningUp", text))
    return Plan("RemoveCanary", end, text, status, tuple(effects), requeue=0)


def _complete(s: ReleaseSnapshot, end: str, message: str) -> Plan:
    status = next_status(s.release, s.now, progressing=(False, end, message), held=held_now(s, end), completed_at=s.now)
    return Plan("Complete", end, message, status, requeue=0)


def held_now(s: ReleaseSnapshot, end: str) -> tuple[bool, str, str]:
    """Whether the Deployment still carries this change, for the condition `Held`."""
    spec, workload = s.release.spec, s.workload
    if end in (words.PROMOTED, words.BYPASSED):
        return False, end, f"Deployment {spec.deployment} runs this change"
    if workload is not None and workload.template_digest == spec.template_digest:
        next_step = "change the Deployment again, put its stable template back, or decide Retry"
        return True, "Held", f"Deployment {spec.deployment} is paused with this change; {next_step}"
    if words.was_undone(s.release):
        text = f"Deployment {spec.deployment} was taken back to its earlier version; if this change comes again, it is held"
        return False, "Undone", text
    reverted = workload is None or workload.template_digest == spec.stable.template_digest
    return (
        False,
        "Reverted" if reverted else words.SUPERSEDED,
        f"Deployment {spec.deployment} no longer carries this change",
    )
