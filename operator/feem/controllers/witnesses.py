"""Asks the witnesses for their signatures, and knows how far enough of them vouch for the log."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from feem.api.auditlog import Vouched
from feem.core.audit.publishing import Doubt
from feem.core.tlog.checkpoint import Checkpoint
from feem.core.tlog.policy import NONE, Policy
from feem.core.tlog.signing import CheckpointError, open_checkpoint
from feem.core.tlog.tree import Tree
from feem.core.tlog.vkey import Key
from feem.ports import Clock, Unavailable, Witness

log = structlog.get_logger("feem.audit")


class Witnesses:
    """All witnesses of a log. Without any, or with a quorum of none, nobody vouches and nobody has to."""

    def __init__(self, witnesses: Sequence[Witness], policy: Policy, log_keys: Sequence[Key], clock: Clock) -> None:
        self._all, self._policy, self._clock = tuple(witnesses), policy, clock
        self._keys = (*log_keys, *(witness.key for witness in policy.witnesses.values()))
        self._said = {witness.name: Vouched(name=witness.name) for witness in witnesses}
        self.vouched = 0
        """The size of the largest head that enough witnesses signed."""

    def lacking(self, size: int) -> bool:
        """Whether a witness has not signed a head of this size yet."""
        return any(vouched.size < size for vouched in self._said.values())

    async def ask(self, note: str, checkpoint: Checkpoint, tree: Tree) -> list[str]:
        """Show a signed head to each witness; returns their lines. Raises WitnessAhead or WitnessDisagrees.

        One that cannot be reached is left out, and asked again next time.
        """
        answers = await asyncio.gather(
            *(self._one(witness, note, checkpoint, tree) for witness in self._all), return_exceptions=True
        )
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        lines = [line for answer in answers if not isinstance(answer, BaseException) for line in answer]
        if self._all and self._satisfied(note, lines):
            self.vouched = checkpoint.size
        return lines

    def doubt(self) -> Doubt | None:
        """Return why the last head is not vouched for by enough witnesses."""
        newest = max((vouched.size for vouched in self._said.values()), default=0)
        if self._policy.quorum == NONE or (self.vouched >= newest > 0 and not self._problems()):
            return None
        return Doubt("NotWitnessed", self.missing())

    def missing(self) -> str:
        """Say which witnesses did not sign, and why."""
        if not self._all:
            return "no witness is set (audit.witnesses)"
        if self._policy.quorum == NONE:
            return "the policy asks for no witness: give it a quorum line (audit.witnesses)"
        return "; ".join(self._problems()) or "not enough witnesses have signed yet"

    def _problems(self) -> list[str]:
        return [f"{vouched.name}: {vouched.problem}" for vouched in self._said.values() if vouched.problem]

    def said(self) -> list[Vouched]:
        """Return what each witness said last."""
        return list(self._said.values())

    async def _one(self, witness: Witness, note: str, checkpoint: Checkpoint, tree: Tree) -> Sequence[str]:
        try:
            lines = await witness.cosign(note, checkpoint, lambda old: tree.consistency(old, checkpoint.size))
        except Unavailable as problem:
            log.warning("a witness did not sign", witness=witness.name, problem=str(problem))
            before = self._said[witness.name]
            self._said[witness.name] = before.model_copy(update={"problem": str(problem)[:1024]})
            return ()
        self._said[witness.name] = Vouched(name=witness.name, size=checkpoint.size, time=self._clock.now())
        return lines

    def _satisfied(self, note: str, lines: Sequence[str]) -> bool:
        try:
            opened = open_checkpoint(note + "".join(line + "\n" for line in lines), self._keys)
        except CheckpointError:
            return False
        return self._policy.quorum != NONE and self._policy.satisfied(opened)
