"""Follows ended releases until what they owe is paid and their record need not be kept any longer."""

from __future__ import annotations

from feem.api.audit import Part, Subject
from feem.api.base import ConditionStatus
from feem.api.release import Release, ReleaseStatus
from feem.api.service import ManagedService
from feem.controllers.examiner import Examiner
from feem.controllers.resources import RELEASES
from feem.core.conditions import find
from feem.core.rollout.closing import SIGNED_OFF, is_settled, seconds_until_change, settled
from feem.core.rollout.status import differs, is_complete, status_of
from feem.ports import Clock, Cluster, Entry, Ledger, Notes


class Closer:
    """Writes the condition `SignedOff`."""

    def __init__(self, cluster: Cluster, ledger: Ledger, notes: Notes, clock: Clock, examiner: Examiner) -> None:
        self._cluster, self._ledger, self._notes = cluster, ledger, notes
        self._clock, self._examiner = clock, examiner

    async def settle(self, service: ManagedService, releases: tuple[Release, ...]) -> bool:
        """Look at every release that owes something; True when something was written."""
        written = False
        for release in releases:
            if self._may_change(release):
                closure = await self._examiner.closure(service, release)
                status = settled(release, closure, self._clock.now())
                if differs(status_of(release), status):
                    await self._write(release, status)
                    written = True
        return written

    def after(self, releases: tuple[Release, ...]) -> float | None:
        """Seconds until time alone changes what one of them says."""
        now = self._clock.now()
        waits = [seconds for item in releases if (seconds := seconds_until_change(item, now)) is not None]
        return min(waits, default=None)

    def _may_change(self, release: Release) -> bool:
        if not is_complete(release) or is_settled(release):
            return False
        status = status_of(release)
        kept = status.retain_until is not None and status.retain_until > self._clock.now()
        paid = find(status.conditions, SIGNED_OFF)
        owes = status.sign_off is not None and (paid is None or paid.status is not ConditionStatus.TRUE)
        return owes or not kept

    async def _write(self, release: Release, status: ReleaseStatus) -> None:
        meta = release.metadata
        answer = find(status.conditions, SIGNED_OFF)
        before = find(status_of(release).conditions, SIGNED_OFF)
        news = answer is not None and (before is None or before.reason != answer.reason)
        if news and answer is not None:
            subject = Subject(kind="Release", namespace=meta.namespace, name=meta.name, uid=meta.uid)
            await self._ledger.append(Entry("SignOff", Part.FACT, subject, answer.reason, answer.message[:4000]))
        await self._cluster.write_status(RELEASES, meta.namespace, meta.name, status.wire(), meta.resource_version)
        body = self._cluster.get(RELEASES, meta.namespace, meta.name)
        if news and answer is not None and body is not None:
            warning = answer.status is not ConditionStatus.TRUE
            await self._notes.publish(body, reason=answer.reason, message=answer.message, warning=warning)
