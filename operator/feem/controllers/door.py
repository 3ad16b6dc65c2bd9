"""The one door through which every effect goes: intent on record, act, outcome on record.

An intent that a crash left open is settled here the next time its subject is looked at: finished under the same intent when
the decision still asks for it, else closed as Recovered (the act had happened) or Abandoned (it had not, and is no longer wanted).

Everything FEEM changes that others own or act upon goes through here: Deployments, Services, HTTPRoutes, ConfigMaps, and the
creation of Releases. What does not is FEEM's own bookkeeping, which changes nobody's traffic, pods or rights:

- status of FEEM's own kinds, and its finalizer on them (`Cluster.write_status`, `Cluster.set_finalizer`): follow what is on record;
- AuditRecords, which are the record, their pruning once they are published elsewhere, and the AuditLog object that shows its head;
- the Lease, which decides who may write records;
- Events, which tell people what is on record, and go within the hour;
- SubjectAccessReviews, and dry runs, which store nothing.

`tests/architecture/test_one_door.py` finds any other write.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import structlog

from feem.api.audit import AuditSpec, Part, Subject
from feem.core.chaos.acts import UndoFault
from feem.core.effects import AnyEffect
from feem.core.rollout.effects import KEEPS, KeepEvidence
from feem.ports import Cluster, Conflict, Entry, Ledger, NotWitnessed, Refused, Unavailable, Witnessing

log = structlog.get_logger(__name__)


class Door:
    """Carries out effects and keeps the log whole."""

    def __init__(self, cluster: Cluster, ledger: Ledger, witnessing: Witnessing | None = None) -> None:
        self._cluster, self._ledger, self._witnessing = cluster, ledger, witnessing

    async def carry_out(
        self, entry: Entry, effects: Sequence[AnyEffect], *, true_now: Collection[str], witnessed: bool = False
    ) -> bool:
        """Announce, perform and close one plan's effects; `true_now` are the texts of effects that already hold.

        `witnessed`: not before witnesses of the log have signed a head that covers the announcement. Raises NotWitnessed until then.

        Returns whether all were performed: evidence that cannot be kept holds nothing up, and the outcome says so.
        Raises Conflict or Unavailable with the intent left open, to be finished by the next try; Refused with it closed as Failed.
        """
        texts = tuple(str(effect) for effect in effects)
        intent = await self._settle(entry, texts, true_now)
        if not effects:
            return True
        if intent is None:
            announced = Entry(
                entry.action, Part.INTENT, entry.subject, entry.reason, entry.message, texts, entry.evidence
            )
            intent = await self._ledger.append(announced)
        if witnessed:
            await self._vouched(intent)
        lost = _lost(set(intent.effects) - set(texts) - set(true_now))
        refused: list[Refused] = []
        for effect in effects:
            try:
                lost += await self._perform(effect, intent)
            except Refused as refusal:
                refused.append(refusal)
                if not isinstance(effect, UndoFault):  # of a fault goes what can go
                    break
        if refused:
            await self._close(intent, entry.subject, "Failed", "; ".join(map(str, refused)))
            raise refused[0]
        await self._close(intent, entry.subject, "Done", lost)
        return not lost

    async def _vouched(self, intent: AuditSpec) -> None:
        if self._witnessing is None:
            raise NotWitnessed(
                f"entry {intent.index} has to be witnessed before the act, and the audit log is not signed: give it keys"
            )
        await self._witnessing.witnessed(intent.index)

    async def close_orphans(self, exists: Callable[[Subject], bool]) -> None:
        """Close the intents whose subject is gone: nobody will ever look at it again."""
        for subject in self._ledger.open_subjects():
            if not exists(subject):
                for intent in self._ledger.open_intents(subject):
                    await self._close(intent, subject, "Abandoned", f"{subject.kind} {subject.name} is gone")

    async def _perform(self, effect: AnyEffect, intent: AuditSpec) -> str:
        """Perform one effect; returns what is to be said of evidence that could not be kept."""
        try:
            await self._cluster.perform(effect, intent.index)
        except (Refused, Conflict, Unavailable) as problem:
            if not isinstance(effect, KeepEvidence):
                raise
            log.warning("evidence not kept", release=effect.release, namespace=effect.namespace, problem=str(problem))
            return f"not done: {effect}: {problem}"
        return ""

    async def _settle(self, entry: Entry, texts: tuple[str, ...], true_now: Collection[str]) -> AuditSpec | None:
        same: AuditSpec | None = None
        for intent in self._ledger.open_intents(entry.subject):
            undone = set(intent.effects) - set(true_now)
            if same is None and intent.action == entry.action and texts and set(texts) <= set(intent.effects):
                same = intent
            elif all(text.startswith(KEEPS) for text in undone) and undone < set(intent.effects):
                words = "; ".join(("found done after an interruption", *([_lost(undone)] if undone else [])))
                await self._close(intent, entry.subject, "Recovered", words)
            else:
                await self._close(intent, entry.subject, "Abandoned", "interrupted, and overtaken by a newer decision")
        return same

    async def _close(self, intent: AuditSpec, subject: Subject, reason: str, message: str) -> None:
        await self._ledger.append(
            Entry(intent.action, Part.OUTCOME, subject, reason, message[:4000], intent=intent.index)
        )


def _lost(undone: Collection[str]) -> str:
    """Say which announced evidence was not kept, because an interruption took the samples with it; empty when none was."""
    return "; ".join(f"not done: {text}" for text in sorted(undone) if text.startswith(KEEPS))
