"""Records each Decision in the audit log and answers it on its status. Its effect is the release's own reconcile's business."""

from __future__ import annotations

from feem.api.audit import Part, Subject
from feem.api.base import ConditionStatus
from feem.api.decision import Decision, DecisionStatus, Verb
from feem.api.release import Release
from feem.controllers.examiner import Examiner
from feem.controllers.gather import Gatherer
from feem.controllers.resources import DECISIONS, RELEASES
from feem.core.audit.texts import Unrecordable
from feem.core.conditions import condition, find
from feem.core.gates.binding import binding_of
from feem.core.gates.reply import reply_to as reply_to_gates
from feem.core.rollout.reply import Reply, reply_to
from feem.ports import Clock, Cluster, Entry, Ledger

GATE_VERBS = frozenset({Verb.APPROVE, Verb.REJECT, Verb.BREAK_GLASS, Verb.SIGN_OFF})
"""What people say to gates; all other verbs steer the rollout."""


class DecisionController:
    """Answers each decision once."""

    def __init__(self, cluster: Cluster, ledger: Ledger, clock: Clock, gatherer: Gatherer, examiner: Examiner) -> None:
        self._cluster, self._ledger, self._clock = cluster, ledger, clock
        self._gatherer, self._examiner = gatherer, examiner

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
        counts, reason, message = self._reply(decision, release)
        meta = decision.metadata
        subject = Subject(kind="Decision", namespace=namespace, name=name, uid=meta.uid)
        spec = decision.spec
        role = f" as {spec.role}" if spec.role else ""
        text = f"{spec.verb} {spec.release}{role}: {spec.reason}" + (f" (ticket {spec.ticket})" if spec.ticket else "")
        entry = Entry("Decision", Part.FACT, subject, reason, text[:4000], evidence=spec.digest, actor=spec.by)
        try:
            await self._ledger.append(entry)
        except Unrecordable as unsafe:
            counts, reason = False, unsafe.reason
            message = f"{unsafe}; decide as a user whose name reads as what it is"
            refused = Entry("Decision", Part.FACT, subject, reason, message[:4000], evidence=spec.digest)
            await self._ledger.append(refused)
        status = ConditionStatus.TRUE if counts else ConditionStatus.FALSE
        answer = condition("Applied", status, reason, message[:8000], self._clock.now(), meta.generation)
        written = DecisionStatus(conditions=[answer]).wire()
        await self._cluster.write_status(DECISIONS, namespace, name, written, meta.resource_version)

    def _reply(self, decision: Decision, release: Release | None) -> Reply:
        if decision.spec.verb not in GATE_VERBS:
            return reply_to(decision, release, self._newest(release))
        if release is None:
            return reply_to_gates(decision, None, "", ())
        service = self._gatherer.managed(release.metadata.namespace, release.spec.service)
        siblings = self._examiner.siblings(service, release) if service is not None else ()
        profile = self._examiner.profile(release)
        return reply_to_gates(decision, release, binding_of(release, profile), siblings, profile)

    def _newest(self, release: Release | None) -> Release | None:
        if release is None:
            return None
        service = self._gatherer.managed(release.metadata.namespace, release.spec.service)
        releases = self._gatherer.releases(service) if service is not None else ()
        return releases[-1] if releases else None
