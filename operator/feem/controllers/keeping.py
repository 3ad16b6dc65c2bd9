"""Carries out a release's plan, and keeps the samples behind a decision that ends something."""

from __future__ import annotations

from feem.api.audit import AuditSpec, Part, Subject
from feem.api.release import Outcome
from feem.controllers.door import Door
from feem.controllers.judge import Judgement
from feem.core.rollout.effects import KEEPS, Effect, KeepEvidence
from feem.core.rollout.plan import Plan
from feem.core.rollout.recovery import true_of_release
from feem.core.rollout.snapshot import ReleaseSnapshot
from feem.ports import Archive, Entry, Ledger

KEPT = frozenset({"RollBack", "Promote", "Undo"})
"""The actions whose samples are kept: each holds those of all steps before it."""
WAYS_BACK = frozenset({"RollBack", "Undo"})


class Keeper:
    """Keeps the samples first, under the intent of the decision.

    A decision that was announced before an interruption is carried out as announced, however the samples look by now; where its
    own were not kept, those of now are, afterwards and under an intent of their own.
    """

    def __init__(self, ledger: Ledger, door: Door, archive: Archive) -> None:
        self._ledger, self._door, self._archive = ledger, door, archive

    async def carry_out(
        self, seen: ReleaseSnapshot, plan: Plan, judgement: Judgement, subject: Subject, *, witnessed: bool = False
    ) -> KeepEvidence | None:
        """Announce, perform and close a plan; returns the evidence that was kept, without its document after an interruption.

        Raises Conflict, Unavailable or Refused, as the Door does.
        """
        before = await self._kept_before(seen, subject)
        keeping = self._keeping(plan, seen, judgement) if before is None else None
        resumed = any(_resumes(intent, plan) for intent in self._ledger.open_intents(subject))
        digest = judgement.digest if plan.evidence or keeping is not None else ""
        entry = Entry(plan.action, Part.INTENT, subject, plan.reason, plan.message, evidence=digest)
        true_now = true_of_release(seen) | ({str(before)} if before is not None else set())
        effects: tuple[Effect, ...] = (keeping, *plan.effects) if keeping is not None and not resumed else plan.effects
        whole = await self._door.carry_out(entry, effects, true_now=true_now, witnessed=witnessed)
        if keeping is not None and resumed:
            text = f"the samples behind {plan.action}, judged again after an interruption"
            again = Entry("KeepEvidence", Part.INTENT, subject, plan.reason, text, evidence=digest)
            whole = await self._door.carry_out(again, (keeping,), true_now=())
        return before or (keeping if whole else None)

    def _keeping(self, plan: Plan, seen: ReleaseSnapshot, judgement: Judgement) -> KeepEvidence | None:
        """Return the effect that keeps the samples, where they are worth it.

        Of a way back that was announced, only a Fail is: it is taken whatever the evidence says now.
        """
        again = seen.announced is not None and plan.action in WAYS_BACK
        speaks = seen.outcome is Outcome.FAIL if again else plan.evidence
        if not speaks or plan.action not in KEPT or not plan.effects or judgement.tape is None:
            return None
        document = judgement.tape.document(plan.action, judgement.at, judgement.verdicts)
        return _file(seen, judgement.digest, document) if document is not None else None

    async def _kept_before(self, seen: ReleaseSnapshot, subject: Subject) -> KeepEvidence | None:
        """Return the evidence that an interrupted intent announced and kept."""
        for intent in self._ledger.open_intents(subject):
            effect = _file(seen, intent.evidence, b"")
            if str(effect) in intent.effects and await self._archive.has(effect):
                return effect
        return None


def _resumes(intent: AuditSpec, plan: Plan) -> bool:
    """Whether a plan goes on with what an interrupted intent announced, evidence included."""
    texts, announced = {str(effect) for effect in plan.effects}, set(intent.effects)
    keeps = any(text.startswith(KEEPS) for text in announced)
    return bool(texts) and keeps and intent.action == plan.action and texts <= announced


def _file(seen: ReleaseSnapshot, digest: str, document: bytes) -> KeepEvidence:
    meta = seen.release.metadata
    return KeepEvidence(meta.namespace, meta.name, meta.uid, seen.release.spec.service, digest, document)
