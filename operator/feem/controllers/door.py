"""The one door through which every effect goes: intent on record, act, outcome on record.

An intent that a crash left open is settled here the next time its subject is looked at: finished under the same intent when
the decision still asks for it, else closed as Recovered (the act had happened) or Abandoned (it had not, and is no longer wanted).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from feem.api.audit import AuditSpec, Part, Subject
from feem.core.rollout.effects import Effect
from feem.ports import Cluster, Entry, Ledger, Refused


class Door:
    """Carries out effects and keeps the log whole."""

    def __init__(self, cluster: Cluster, ledger: Ledger) -> None:
        self._cluster, self._ledger = cluster, ledger

    async def carry_out(self, entry: Entry, effects: Sequence[Effect], *, true_now: Collection[str]) -> None:
        """Announce, perform and close one plan's effects; `true_now` are the texts of effects that already hold.

        Raises Conflict or Unavailable with the intent left open, to be finished by the next try; Refused with it closed as Failed.
        """
        texts = tuple(str(effect) for effect in effects)
        intent = await self._settle(entry, texts, true_now)
        if not effects:
            return
        if intent is None:
            announced = Entry(
                entry.action, Part.INTENT, entry.subject, entry.reason, entry.message, texts, entry.evidence
            )
            intent = await self._ledger.append(announced)
        try:
            for effect in effects:
                await self._cluster.perform(effect, intent.index)
        except Refused as refusal:
            await self._close(intent, entry.subject, "Failed", str(refusal))
            raise
        await self._close(intent, entry.subject, "Done", "")

    async def close_orphans(self, exists: Callable[[Subject], bool]) -> None:
        """Close the intents whose subject is gone: nobody will ever look at it again."""
        for subject in self._ledger.open_subjects():
            if not exists(subject):
                for intent in self._ledger.open_intents(subject):
                    await self._close(intent, subject, "Abandoned", f"{subject.kind} {subject.name} is gone")

    async def _settle(self, entry: Entry, texts: tuple[str, ...], true_now: Collection[str]) -> AuditSpec | None:
        same: AuditSpec | None = None
        for intent in self._ledger.open_intents(entry.subject):
            if same is None and intent.action == entry.action and texts and set(texts) <= set(intent.effects):
                same = intent
            elif set(intent.effects) <= set(true_now):
                await self._close(intent, entry.subject, "Recovered", "found done after an interruption")
            else:
                await self._close(intent, entry.subject, "Abandoned", "interrupted, and overtaken by a newer decision")
        return same

    async def _close(self, intent: AuditSpec, subject: Subject, reason: str, message: str) -> None:
        await self._ledger.append(
            Entry(intent.action, Part.OUTCOME, subject, reason, message[:4000], intent=intent.index)
        )
