"""From Kubernetes objects to the release tree: pure, so that what people see can be tested without a cluster."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from feem.api.base import ConditionStatus
from feem.api.decision import Decision
from feem.api.release import Release, ReleaseStatus
from feem.api.service import ManagedService
from feem.core.conditions import find, is_true
from feem.core.rollout.route import observed
from feem.view.advice import act, next_step, why
from feem.view.compliance import compliance_of
from feem.view.doing import doing
from feem.view.objectives import objectives_of
from feem.view.pods import Body, images_of, tracks_of
from feem.view.release import (
    AuditRange,
    DecisionView,
    ReleaseTree,
    StepState,
    StepView,
)
from feem.view.situation import Situation

DEPLOYMENTS = "deployments.apps"
ROUTES = "httproutes.gateway.networking.k8s.io"


@dataclass(frozen=True)
class ReleaseBodies:
    """A release and the objects around it, as the API server returned them; what does not exist is None or empty."""

    release: Body
    service: Body | None = None
    deployment: Body | None = None
    replica_sets: tuple[Body, ...] = ()
    canary: Body | None = None
    route: Body | None = None
    decisions: tuple[Body, ...] = ()
    audit: AuditRange | None = None
    unreadable: tuple[str, ...] = ()
    """The resources that this person has no right to read."""


def release_tree(bodies: ReleaseBodies, now: datetime) -> ReleaseTree:
    """Build the tree as of `now` (UTC). Raises pydantic.ValidationError for objects of another version."""
    release = Release.read(bodies.release)
    status = release.status or ReleaseStatus()
    progressing, succeeded = find(status.conditions, "Progressing"), find(status.conditions, "Succeeded")
    result = succeeded.reason if succeeded and succeeded.status is not ConditionStatus.UNKNOWN else ""
    state = progressing.reason if progressing else "Requested"
    backend = release.spec.traffic.service
    weight = observed(bodies.route, backend, f"{backend}-canary").weight if bodies.route is not None else None
    shown = status.weight if weight is None else weight
    steps = _steps(release, status, result, now)
    tracks = tracks_of(bodies.replica_sets, bodies.canary, release, shown, promoted=result == "Promoted")
    objectives = objectives_of(release, status.verdicts)
    compliance = compliance_of(release, status, now)
    decisions = tuple(_decisions(bodies.decisions, release.metadata.name))
    situation = Situation(
        release=release,
        status=status,
        state=state,
        result=result,
        said=progressing.message if progressing else "",
        ending=succeeded.message if result and succeeded else "",
        steps=steps,
        tracks=tracks,
        objectives=objectives,
        decisions=decisions,
        newest=not bodies.service or _newest(bodies.service) in {"", release.metadata.name},
        compliance=compliance,
        now=now,
    )
    return ReleaseTree(
        now=now,
        namespace=release.metadata.namespace,
        name=release.metadata.name,
        service=release.spec.service,
        deployment=release.spec.deployment,
        attempt=release.spec.attempt,
        requested_by=release.spec.requested_by,
        requested_at=release.metadata.creation_timestamp,
        images=tuple(images_of(release, bodies.replica_sets)),
        held=is_true(status.conditions, "Held"),
        state=state,
        result=result,
        doing=doing(situation),
        why=why(situation),
        next_step=next_step(situation),
        act=act(situation),
        progress=status.progress or f"0/{len(release.spec.plan.steps)}",
        weight=shown,
        steps=steps,
        objectives=objectives,
        tracks=tracks,
        decisions=decisions,
        audit=bodies.audit,
        started_at=status.started_at,
        completed_at=status.completed_at,
        warnings=tuple(_warnings(bodies, release, status, weight, result)),
        compliance=compliance,
    )


def _steps(release: Release, status: ReleaseStatus, result: str, now: datetime) -> tuple[StepView, ...]:
    at = status.step
    views = []
    for number, step in enumerate(release.spec.plan.steps, start=1):
        left: int | None = None
        if number < at or result == "Promoted" or (number == at and status.passed_at is not None and not result):
            state = StepState.DONE
        elif number > at:
            state = StepState.SKIPPED if result else StepState.TODO
        elif result:
            state = StepState.FAILED if result == "RolledBack" else StepState.STOPPED
        else:
            state = StepState.CURRENT
            if status.step_started_at is not None:
                rest = status.step_started_at + timedelta(seconds=step.bake_seconds) - now
                left = max(0, int(rest.total_seconds()))
        views.append(StepView(number, step.weight, step.bake_seconds, state, left))
    return tuple(views)


def _decisions(bodies: Iterable[Body], release: str) -> Iterable[DecisionView]:
    read = [Decision.read(body) for body in bodies]
    mine = [decision for decision in read if decision.spec.release == release]
    for decision in sorted(mine, key=lambda item: (str(item.metadata.creation_timestamp), item.metadata.name)):
        applied = find(decision.status.conditions, "Applied") if decision.status else None
        yield DecisionView(
            name=decision.metadata.name,
            verb=decision.spec.verb.value,
            by=decision.spec.by,
            reason=decision.spec.reason,
            at=decision.metadata.creation_timestamp,
            applied=applied.reason if applied else "",
            refused=applied.message if applied and applied.status is ConditionStatus.FALSE else "",
            role=decision.spec.role or "",
        )


def _newest(service: Body) -> str:
    status = ManagedService.read(service).status
    return status.release if status else ""


def _warnings(
    bodies: ReleaseBodies, release: Release, status: ReleaseStatus, weight: int | None, result: str
) -> Iterable[str]:
    if bodies.unreadable:
        yield f"you may not read {', '.join(bodies.unreadable)} here, so that some of this is left out"
    if bodies.deployment is None and not result and DEPLOYMENTS not in bodies.unreadable:
        yield f"Deployment {release.spec.deployment} is gone"
    if bodies.route is None and not result and ROUTES not in bodies.unreadable:
        yield f"HTTPRoute {release.spec.traffic.http_route} is gone: the weights cannot be seen or set"
    if weight is not None and weight != status.weight and status.completed_at is None and not result:
        yield f"the HTTPRoute says {weight}% where the release's status says {status.weight}%: a change is under way"
    if status.conditions and all(item.observed_generation < release.metadata.generation for item in status.conditions):
        yield "FEEM has not looked at the newest form of this release yet: is the operator running?"
