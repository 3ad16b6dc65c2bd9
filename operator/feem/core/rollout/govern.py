"""decide_service(snapshot) -> ServicePlan: what a service needs beside its open release.

Taking a Deployment under governance, requesting a release for a change that is held, settling a Deployment that is back on
its stable template, adopting a new stable revision, and giving everything back when the ManagedService is deleted.
"""

from __future__ import annotations

from feem.api.release import Release
from feem.api.service import Mode, StableRevision
from feem.core.rollout.effects import Govern, Pause, Unpause
from feem.core.rollout.giving_back import give_back
from feem.core.rollout.observing import observe
from feem.core.rollout.request import request
from feem.core.rollout.revisions import brought_by, holder_of, live_instead_of, revision_with, stable_from
from feem.core.rollout.service_plan import ServicePlan
from feem.core.rollout.snapshot import HoldMechanism, ServiceSnapshot, Workload
from feem.core.rollout.status import (
    ABORTED,
    BYPASSED,
    PROMOTED,
    ROLLED_BACK,
    ending_word,
    holds,
    is_complete,
    was_undone,
)


def decide_service(s: ServiceSnapshot) -> ServicePlan:
    """Return what the service needs now."""
    running = open_release(s.releases)
    written = s.service.status.stable if s.service.status else None
    stable = brought_by(running, s.revisions) or written
    if running is not None and ending_word(running) == BYPASSED and stable is not None and stable != written:
        ready = ServicePlan.ready if s.problem is None else (False, *s.problem)
        return ServicePlan(stable=stable, ready=ready, unattributed=stable.template_digest)
    if s.service.metadata.deletion_timestamp is not None:
        return _give_back(s, stable, running)
    if s.problem is not None:
        return ServicePlan(stable=stable, ready=(False, *s.problem))
    workload = s.workload
    if workload is None:
        raise ValueError("a service without problems has a Deployment")
    if s.service.spec.mode is Mode.OBSERVE:
        return observe(s, workload, stable, running)
    if stable is None or workload.governed_by != s.service.metadata.name:
        return _adopt_first(s, workload, stable)
    if running is not None:
        return ServicePlan(stable=stable)
    return _at_rest(s, workload, stable)


def open_release(releases: tuple[Release, ...]) -> Release | None:
    """Return the release that is under way, or None. There is never more than one: the next begins when it is complete."""
    return next((release for release in releases if not is_complete(release)), None)


def _adopt_first(s: ServiceSnapshot, workload: Workload, stable: StableRevision | None) -> ServicePlan:
    """Learn the stable revision, write it down, then govern: a Deployment that is just rolling has no stable revision yet.

    A Deployment that lost its label while it held a change is governed again at once.
    """
    name = workload.name
    on_stable = stable is not None and workload.template_digest == stable.template_digest
    if on_stable or (stable is not None and workload.paused):
        effect = Govern(s.service.metadata.namespace, name, s.service.metadata.name)
        return ServicePlan("Govern", "Labelled", f"Deployment {name} is governed", (effect,), stable)
    current = revision_with(s.revisions, workload.template_digest)
    if not workload.settled or workload.paused or current is None:
        next_step = f"kubectl rollout {'resume' if workload.paused else 'status'} deployment {name}"
        text = f"Deployment {name} has to finish its own rolling update first: {next_step}"
        return ServicePlan(stable=stable, ready=(False, "DeploymentNotSettled", text))
    moved = stable is not None and stable.template_digest != current.template_digest
    return ServicePlan(
        stable=stable_from(current),
        ready=(False, "Adopting", f"Deployment {name} is being adopted"),
        unattributed=current.template_digest if moved else "",
    )


def _at_rest(s: ServiceSnapshot, workload: Workload, stable: StableRevision) -> ServicePlan:
    """No release is open: the Deployment is stable, holds a change, or has moved."""
    last, holder = s.releases[-1] if s.releases else None, holder_of(s.releases, workload.template_digest)
    closed = tuple(
        (item, _why_closed(workload, stable, item)) for item in s.releases if holds(item) and item is not holder
    )
    if workload.template_digest == stable.template_digest:
        return _on_stable(s, workload, stable, closed)
    if not workload.paused:
        attributed = _promoted(last, workload.template_digest)
        return _adopt_next(s, workload, stable, closed, attributed=attributed)
    live = live_instead_of(stable, s.revisions)
    if live is not None:
        unattributed = "" if _promoted(last, live.template_digest) else live.template_digest
        return ServicePlan(stable=stable_from(live), closed=closed, unattributed=unattributed)
    return _held(s, workload, stable, closed, holder)


def _held(
    s: ServiceSnapshot,
    workload: Workload,
    stable: StableRevision,
    closed: tuple[tuple[Release, str], ...],
    holder: Release | None,
) -> ServicePlan:
    """A change is held: it gets a release, unless its last one ended badly and nobody has decided Retry since."""
    if holder is None:
        return _request(s, workload, stable, closed, None)
    if not holds(holder):
        if was_undone(holder):
            return ServicePlan(stable=stable, closed=closed, reheld=holder)
        return _request(s, workload, stable, closed, None)
    if s.retry:
        return _request(s, workload, stable, closed, holder)
    if ending_word(holder) not in (ROLLED_BACK, ABORTED):
        return _request(s, workload, stable, (*closed, (holder, "Retried")), None)
    return ServicePlan(stable=stable, closed=closed)


def _promoted(release: Release | None, digest: str) -> bool:
    """Whether this release brought the template with this digest live."""
    return release is not None and release.spec.template_digest == digest and ending_word(release) == PROMOTED


def _on_stable(
    s: ServiceSnapshot, workload: Workload, stable: StableRevision, closed: tuple[tuple[Release, str], ...]
) -> ServicePlan:
    namespace, current = s.service.metadata.namespace, revision_with(s.revisions, stable.template_digest)
    stable = stable_from(current) if current is not None else stable
    mixed = any(item.replicas for item in s.revisions if item.template_digest != stable.template_digest)
    if s.hold == HoldMechanism.STANDING and not workload.paused and workload.settled:
        text = f"Deployment {workload.name} is kept paused: this cluster has no MutatingAdmissionPolicy"
        return ServicePlan("Pause", "StandingPause", text, (Pause(namespace, workload.name),), stable, closed=closed)
    if workload.paused and (s.hold == HoldMechanism.ADMISSION or mixed):
        text = f"Deployment {workload.name} has its stable template: nothing is left to hold"
        effect = Unpause(namespace, workload.name, stable.template_digest, promoting=False)
        return ServicePlan("Resume", "OnStable", text, (effect,), stable, closed=closed)
    return ServicePlan(stable=stable, closed=closed)


def _adopt_next(
    s: ServiceSnapshot,
    workload: Workload,
    stable: StableRevision,
    closed: tuple[tuple[Release, str], ...],
    *,
    attributed: bool,
) -> ServicePlan:
    """The template went live: by a promotion, or around FEEM, which is recorded."""
    current = revision_with(s.revisions, workload.template_digest)
    if current is None or not (workload.settled or attributed):
        text = f"Deployment {workload.name} is rolling to a template that no release brought"
        return ServicePlan(stable=stable, closed=closed, ready=(False, "UnattributedChange", text))
    unattributed = "" if attributed else workload.template_digest
    return ServicePlan(stable=stable_from(current), closed=closed, unattributed=unattributed)


def _request(
    s: ServiceSnapshot,
    workload: Workload,
    stable: StableRevision,
    closed: tuple[tuple[Release, str], ...],
    tried: Release | None,
) -> ServicePlan:
    current = revision_with(s.revisions, stable.template_digest)
    stable = stable_from(current) if current is not None else stable
    effect, text = request(s, workload, stable, tried)
    if tried is not None:
        closed = (*closed, (tried, "Retried"))
    return ServicePlan("RequestRelease", "TemplateChanged", text, (effect,), stable, closed=closed)


def _give_back(s: ServiceSnapshot, stable: StableRevision | None, running: Release | None) -> ServicePlan:
    """The ManagedService is being deleted: first its open release ends, then the Deployment is given back."""
    if running is not None:
        return ServicePlan(stable=stable, ready=(False, "Deleting", f"release {running.metadata.name} ends first"))
    workload = s.workload
    if workload is None or workload.deleting or workload.governed_by != s.service.metadata.name:
        return ServicePlan(stable=stable, released=True, ready=(False, "Deleting", "everything is given back"))
    effects, text = give_back(s, workload, stable)
    return ServicePlan("GiveBack", "ServiceDeleted", text, effects, stable, ready=(False, "Deleting", text))


def _why_closed(workload: Workload, stable: StableRevision, release: Release) -> str:
    if workload.template_digest == release.spec.template_digest:
        return "Retried"
    if was_undone(release):
        return "Undone"
    return "Reverted" if workload.template_digest == stable.template_digest else "Superseded"
