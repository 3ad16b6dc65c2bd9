"""Records each Decision in the audit log and answers it on its status. Its effect is the release's own reconcile's business."""

from __future__ import annotations

from feem.api.audit import Part, Subject
from feem.api.base import ConditionStatus
from feem.api.decision import Decision, DecisionStatus
from feem.api.release import Release
from feem.controllers.gather import DECISIONS, RELEASES, Gatherer
from feem.core.conditions import condition, find
from feem.core.rollout.reply import reply_to
from feem.ports import Clock, Cluster, Entry, Ledger


class DecisionController:
    """Answers each decision once."""

    def __init__(self, cluster: Cluster, ledger: Ledger, clock: Clock, gatherer: Gatherer) -> None:
        self._cluster, self._ledger, self._clock, self._gatherer = cluster, ledger, clock, gatherer

    async def reconcile(self, namespace: str, name: str) -> None:
        """Record and answer one decision, unless that is done."""
        body = self._cluster.get(DECISIONS, namespace, name)
        if body is None:
            return
        decision = Decision.read(body)
        if decision.status is not None and find(decision.status.conditions, "Applied") is not None:
            return
        found = self._cluster.get(RELEASES, namespace, decision.spec.release)
        release = Release.read(found) if found is not None else None
        counts, reason, message = reply_to(decision, release, self._newest(release))
        meta = decision.metadata
        subject = Subject(kind="Decision", namespace=namespace, name=name, uid=meta.uid)
        text = f"{decision.spec.verb} {decision.spec.release}: {decision.spec.reason}"
        entry = Entry("Decision", Part.FACT, subject, reason, text[:4000], actor=decision.spec.by)
        await self._ledger.append(entry)
        status = ConditionStatus.TRUE if counts else ConditionStatus.FALSE
        answer = condition("Applied", status, reason, message, self._clock.now(), meta.generation)
        written = DecisionStatus(conditions=[answer]).wire()
        await self._cluster.write_status(DECISIONS, namespace, name, written, meta.resource_version)

    def _newest(self, release: Release | None) -> Release | None:
        if release is None:
            return None
        service = self._gatherer.managed(release.metadata.namespace, release.spec.service)
        releases = self._gatherer.releases(service) if service is not None else ()
        return releases[-1] if releases else None
