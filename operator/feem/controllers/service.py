"""Reconciles a ManagedService and its open release: gather, decide, apply, until nothing is left to do now."""

from __future__ import annotations

from dataclasses import replace

from feem.api.audit import Part, Subject
from feem.api.release import Release
from feem.controllers.closer import Closer
from feem.controllers.door import Door
from feem.controllers.gather import Gatherer
from feem.controllers.release import ReleaseController
from feem.controllers.resources import RELEASES, SERVICES_MANAGED
from feem.core.audit.texts import Unrecordable
from feem.core.rollout.effects import CreateRelease
from feem.core.rollout.govern import decide_service, open_release
from feem.core.rollout.recovery import true_of_service
from feem.core.rollout.service_plan import ServicePlan
from feem.core.rollout.service_status import differs, next_status
from feem.core.rollout.snapshot import ServiceSnapshot
from feem.core.rollout.status import differs as release_differs
from feem.core.rollout.status import is_complete, status_of
from feem.core.rollout.status import next_status as next_release_status
from feem.ports import FINALIZER, Cluster, Conflict, Entry, Ledger, Notes

MOST_TURNS = 20
"""Transitions in one visit; then other services get their turn."""


class ServiceController:
    """One visit brings a service as far as it can go without waiting."""

    def __init__(
        self,
        cluster: Cluster,
        ledger: Ledger,
        notes: Notes,
        gatherer: Gatherer,
        releases: ReleaseController,
        door: Door,
        closer: Closer,
    ) -> None:
        self._cluster, self._ledger, self._notes = cluster, ledger, notes
        self._gatherer, self._releases, self._door, self._closer = gatherer, releases, door, closer
        self._witnessed: dict[str, str] = {}
        """By the service's UID: the release whose change was last recorded as seen."""

    async def reconcile(self, namespace: str, name: str) -> float | None:
        """Return the seconds until the next visit, or None when only an event can change anything."""
        await self._door.close_orphans(lambda subject: self._stands(namespace, name, subject))
        for _ in range(MOST_TURNS):
            service = self._gatherer.managed(namespace, name)
            if service is None:
                return None
            seen = self._gatherer.service_snapshot(service)
            if await self._let_go(seen):
                continue
            plan = decide_service(seen)
            if await self._apply(seen, plan) or await self._closer.settle(service, seen.releases):
                continue
            running = open_release(seen.releases)
            if running is None:
                return self._closer.after(seen.releases)
            again, after = await self._releases.advance(service, running)
            if not again:
                return after
        return 0.0

    def _stands(self, namespace: str, name: str, subject: Subject) -> bool:
        """Whether the subject of an intent is there; those that are no business of this service are said to be."""
        own = subject.name == name if subject.kind == "ManagedService" else subject.name.startswith(f"{name}-")
        resource = {"ManagedService": SERVICES_MANAGED, "Release": RELEASES}.get(subject.kind, "")
        if subject.namespace != namespace or not own or not resource:
            return True
        body = self._cluster.get(resource, namespace, subject.name)
        return body is not None and body["metadata"]["uid"] == subject.uid

    async def _let_go(self, seen: ServiceSnapshot) -> bool:
        """Take the finalizer off releases that have nothing left to clean up; True when there was one."""
        done = [item.metadata for item in seen.releases if is_complete(item) and FINALIZER in item.metadata.finalizers]
        for meta in done:
            await self._cluster.set_finalizer(RELEASES, meta.namespace, meta.name, present=False)
        return bool(done)

    async def _apply(self, seen: ServiceSnapshot, plan: ServicePlan) -> bool:
        """Carry out a service's plan; True when something changed, so that the picture has to be taken anew."""
        service = seen.service
        meta = service.metadata
        if plan.effects and FINALIZER not in meta.finalizers and meta.deletion_timestamp is None:
            await self._cluster.set_finalizer(SERVICES_MANAGED, meta.namespace, meta.name, present=True)
            return True
        subject = Subject(kind="ManagedService", namespace=meta.namespace, name=meta.name, uid=meta.uid)
        names = [item.metadata.name for item in seen.releases]
        true_now = true_of_service(meta.namespace, seen.workload, meta.name, names)
        entry = Entry(plan.action, Part.INTENT, subject, plan.reason, plan.message)
        await self._record_change(seen, plan, subject)
        await self._door.carry_out(entry, plan.effects, true_now=true_now)
        closed = await self._close(seen, plan)
        if plan.reheld is not None:
            await self._hold_again(seen, plan.reheld)
        if plan.unattributed:
            await self._record_unattributed(seen, plan, subject)
        written = await self._write_status(seen, plan)
        if plan.effects and plan.action != "RequestRelease":  # the Release that is requested shows itself
            await self._publish(seen, plan.action, plan.message)
        if plan.released:
            await self._cluster.set_finalizer(SERVICES_MANAGED, meta.namespace, meta.name, present=False)
        return bool(plan.effects) or closed or plan.reheld is not None or (written and plan.stable is not None)

    async def _record_change(self, seen: ServiceSnapshot, plan: ServicePlan, subject: Subject) -> None:
        """Record a change that admission held when it is first seen, in the name of whoever made it, before anything is done."""
        created = next((effect for effect in plan.effects if isinstance(effect, CreateRelease)), None)
        workload = seen.workload
        if created is None or workload is None or plan.action != "RequestRelease" or created.spec["attempt"] > 1:
            return
        known = self._witnessed.get(subject.uid) == created.name
        if known or any(str(created) in intent.effects for intent in self._ledger.open_intents(subject)):
            return
        who, digest = workload.requested_by, workload.template_digest
        text = f"{who or 'somebody'} changed Deployment {workload.name} to template {digest}; it is held"
        fact = Entry("ChangeSeen", Part.FACT, subject, seen.hold, text, evidence=digest, actor=who)
        try:
            await self._ledger.append(fact)
        except Unrecordable as unsafe:
            await self._ledger.append(replace(fact, actor="", message=f"{text}: {unsafe}"[:4000]))
        self._witnessed[subject.uid] = created.name

    async def _close(self, seen: ServiceSnapshot, plan: ServicePlan) -> bool:
        """Say on ended releases that the Deployment no longer carries their change."""
        for release, why in plan.closed:
            text = f"Deployment {release.spec.deployment} no longer carries this change"
            status = next_release_status(release, seen.now, held=(False, why, text))
            if release_differs(status_of(release), status):
                meta = release.metadata
                version = meta.resource_version
                await self._cluster.write_status(RELEASES, meta.namespace, meta.name, status.wire(), version)
        return bool(plan.closed)

    async def _hold_again(self, seen: ServiceSnapshot, release: Release) -> None:
        """Say on a release that was undone that its change has come again, and waits for people."""
        meta, deployment = release.metadata, release.spec.deployment
        text = (
            f"Deployment {deployment} is paused: it carries this change again, which was taken back after its promotion; "
            "apply another version, or decide Retry"
        )
        status = next_release_status(release, seen.now, held=(True, "Held", text))
        await self._cluster.write_status(RELEASES, meta.namespace, meta.name, status.wire(), meta.resource_version)
        body = self._cluster.get(RELEASES, meta.namespace, meta.name)
        if body is not None:
            await self._notes.publish(body, reason="Held", message=text, warning=True)

    async def _record_unattributed(self, seen: ServiceSnapshot, plan: ServicePlan, subject: Subject) -> None:
        name = seen.service.spec.workload.name
        text = f"Deployment {name} went live with template {plan.unattributed}, which no release brought"
        await self._ledger.append(Entry("UnattributedChange", Part.FACT, subject, "NoRelease", text))
        await self._publish(seen, "UnattributedChange", text, warning=True)

    async def _write_status(self, seen: ServiceSnapshot, plan: ServicePlan) -> bool:
        service = seen.service
        old, new = service.status, next_status(seen, plan)
        if not differs(old, new):
            return False
        meta = service.metadata
        fresh = self._gatherer.managed(meta.namespace, meta.name)
        if fresh is None:
            raise Conflict(f"ManagedService {meta.namespace}/{meta.name} went away")
        version = fresh.metadata.resource_version
        await self._cluster.write_status(SERVICES_MANAGED, meta.namespace, meta.name, new.wire(), version)
        if not plan.ready[0] and (old is None or plan.ready[1] not in {item.reason for item in old.conditions}):
            await self._publish(seen, plan.ready[1], plan.ready[2], warning=meta.deletion_timestamp is None)
        return True

    async def _publish(self, seen: ServiceSnapshot, reason: str, message: str, *, warning: bool = False) -> None:
        meta = seen.service.metadata
        body = self._cluster.get(SERVICES_MANAGED, meta.namespace, meta.name)
        if body is not None:
            await self._notes.publish(body, reason=reason, message=message, warning=warning)
