"""After a crash: which announced effects are true in the world now."""

from __future__ import annotations

from collections.abc import Iterable

from feem.core.chaos.effects import CreateRun
from feem.core.rollout.effects import (
    ApplyCanary,
    CreateRelease,
    DeleteCanary,
    Effect,
    EndUndo,
    Govern,
    Pause,
    PinService,
    RestoreRoute,
    SettleDeployment,
    SetWeight,
    UndoTemplate,
    Ungovern,
    Unpause,
    UnpinService,
)
from feem.core.rollout.snapshot import ReleaseSnapshot, Workload


def true_of_release(s: ReleaseSnapshot) -> frozenset[str]:
    """Return the text of every effect on canary, traffic, Deployment and experiments that holds in this snapshot."""
    spec, namespace, canary = s.release.spec, s.namespace, s.canary
    service, name = spec.traffic.service, s.release.metadata.name
    holds: list[Effect] = [PinService(namespace, service, s.pinned) if s.pinned else UnpinService(namespace, service)]
    holds.extend(CreateRun(namespace, run.metadata.name, "", "", {}) for run in s.runs)
    if canary is not None and s.canary_service:
        deadline = spec.plan.progress_deadline_seconds
        uid, digest = s.release.metadata.uid, canary.template_digest
        holds.append(ApplyCanary(namespace, spec.deployment, service, name, uid, digest, canary.replicas, deadline))
    if canary is None and not s.canary_service:
        holds.append(DeleteCanary(namespace, spec.deployment, service))
        holds.append(ApplyCanary(namespace, spec.deployment, service, name, "", "", 0, 0))
    if s.traffic is not None:
        route, mark = spec.traffic.http_route, str(s.traffic.mark or "")
        holds.append(SetWeight(namespace, route, service, f"{service}-canary", s.traffic.weight, mark))
        if not s.traffic.touched:
            holds.append(RestoreRoute(namespace, route, service, f"{service}-canary"))
            holds.append(SetWeight(namespace, route, service, f"{service}-canary", 0, mark))
    if s.workload is not None:
        holds.extend(_of_workload(namespace, s.workload))
        undo, carried = s.workload.undo, s.workload.template_digest
        if undo is not None and undo.release == name and not s.workload.paused:
            holds.append(UndoTemplate(namespace, s.workload.name, "", carried, ""))
    return frozenset(str(effect) for effect in holds)


def true_of_service(namespace: str, workload: Workload | None, service: str, releases: Iterable[str]) -> frozenset[str]:
    """Return the text of every effect on the Deployment and its Releases that holds."""
    holds: list[Effect] = [CreateRelease(namespace, name, "", {}) for name in releases]
    if workload is not None:
        holds.extend(_of_workload(namespace, workload))
        governed = workload.governed_by == service
        holds.append(Govern(namespace, workload.name, service) if governed else Ungovern(namespace, workload.name))
    return frozenset(str(effect) for effect in holds)


def _of_workload(namespace: str, workload: Workload) -> list[Effect]:
    name = workload.name
    holds: list[Effect] = []
    if workload.paused:
        holds.append(Pause(namespace, name))
    else:
        holds.append(Unpause(namespace, name, workload.template_digest, promoting=False))
    if not workload.promoting:
        holds.append(SettleDeployment(namespace, name, standing=False))
    if not workload.promoting and workload.undo is None:
        holds.append(EndUndo(namespace, name, standing=False))
    return holds
