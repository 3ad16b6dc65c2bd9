"""Signs the log's head, has it witnessed, and publishes it: every few seconds, and at once when an act waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from feem.api.audit import Part
from feem.api.auditlog import AuditLogStatus
from feem.api.base import Condition
from feem.controllers.history import History
from feem.controllers.retention import LOG, Retention
from feem.controllers.witnesses import Witnesses
from feem.core.audit.publishing import Doubt, Head, doubt_of, next_status, stated
from feem.core.conditions import said
from feem.core.tlog.checkpoint import Checkpoint
from feem.core.tlog.note import Note, NoteError
from feem.core.tlog.policy import Policy
from feem.core.tlog.vkey import Key, parse_vkey
from feem.ports import (
    AuditMeasurements,
    Clock,
    Entry,
    Forked,
    LogObject,
    NotWitnessed,
    NumberedLedger,
    Publication,
    Records,
    Refused,
    Signer,
    Unavailable,
    Witness,
    WitnessAhead,
    WitnessDisagrees,
)

log = structlog.get_logger("feem.audit")


@dataclass(frozen=True)
class Publishing:
    """Where and how the log is published."""

    origin: str
    signer: Signer
    log: LogObject
    publication: Publication | None = None
    witnesses: Sequence[Witness] = ()
    policy: Policy = field(default_factory=lambda: Policy(()))
    interval: float = 10.0
    """Seconds between two heads while entries come."""


class Publisher:
    """One leader's hand on what is published. Signs only what is durable, and only what goes on from every head seen before."""

    def __init__(
        self,
        publishing: Publishing,
        records: Records,
        ledger: NumberedLedger,
        clock: Clock,
        figures: AuditMeasurements,
        retention: Retention,
    ) -> None:
        self._to, self._ledger, self._clock, self._figures = publishing, ledger, clock, figures
        self._retention = retention
        self._history = History(records, publishing.publication)
        self._witnesses = Witnesses(publishing.witnesses, publishing.policy, publishing.signer.keys, clock)
        self._turn = asyncio.Lock()
        self._status = AuditLogStatus()
        self._ready = False
        """Whether the tree was built from what is published and stored."""
        self._signed = -1
        """The size that this leader signed last."""
        self._doubt: Doubt | None = None

    async def visit(self) -> float:
        """Publish what is new; returns the seconds until the next visit."""
        async with self._turn:
            await self._publish()
        return self._to.interval

    async def witnessed(self, index: int) -> None:
        """Return once enough witnesses have signed a head that covers this entry. Raises NotWitnessed when they have not."""
        async with self._turn:
            if self._witnesses.vouched <= index:
                try:
                    await self._publish()
                except (Unavailable, Refused) as problem:
                    raise NotWitnessed(f"entry {index} has to be witnessed before the act: {problem}") from problem
        if self._witnesses.vouched <= index:
            why = self._doubt.message if self._doubt is not None else self._witnesses.missing()
            raise NotWitnessed(f"entry {index} has to be witnessed before the act, and is not: {why}")

    async def _publish(self) -> None:
        size = 0 if self._ledger.head is None else self._ledger.head.index + 1
        self._figures.log_seen(size, self._ledger.open_count)
        stage = "read"
        try:
            if not self._ready:
                await self._begin(size)
            size = 0 if self._ledger.head is None else self._ledger.head.index + 1
            stage = "publish"
            await self._history.take(size)
            stage = "sign"
            self._doubt = await self._contradiction()
            head = None if self._doubt is not None else await self._sign()
            stage = "status"
            await self._show(head)
        except Forked as problem:
            self._doubt = Doubt("Forked", str(problem))
            self._figures.log_failed(stage)
            await self._show(None)
        except (Unavailable, Refused):
            self._figures.log_failed(stage)
            raise
        if self._doubt is not None:
            log.error("the audit log is not signed", reason=self._doubt.reason, problem=self._doubt.message)
        self._figures.log_signing(ok=self._doubt is None)

    async def _begin(self, size: int) -> None:
        """Find what was published before and build the tree; a changed key is put on record first."""
        status = await self._to.log.read()
        self._status = status or AuditLogStatus()
        await self._history.load(size)
        ours = {key.vkey() for key in self._to.signer.keys}
        if status is not None and status.keys and not ours <= set(status.keys):
            ids = ", ".join(key.key_id.hex() for key in self._to.signer.keys)
            text = f"checkpoints are signed by the keys {ids} from now on; those of before stay in the list of keys"
            await self._ledger.append(Entry("KeysChanged", Part.FACT, LOG, "Rotated", text))
        self._ready = True

    async def _contradiction(self) -> Doubt | None:
        """Ask each head that was published before whether the tree goes on from it."""
        if self._signed == self._history.tree.size:
            return self._doubt
        tip = (0, None) if self._to.publication is None else await self._to.publication.tip()
        for where, note in (("the published directory", tip[1]), ("the AuditLog", self._status.checkpoint or None)):
            if note is not None:
                doubt = doubt_of(self._history.tree, note, where, self._known_keys(), self._to.origin)
                if doubt is not None:
                    return doubt
        if tip[0] > self._history.tree.size:
            text = f"the published directory has {tip[0]} entries, the store {self._history.tree.size}"
            return Doubt("PublishedAhead", f"{text}: the store was cut off or restored from an old backup")
        return None

    async def _sign(self) -> Head | None:
        """Sign the tree and let witnesses sign; None when nothing is new."""
        tree, now = self._history.tree, self._clock.now()
        if tree.size == 0 or (tree.size == self._signed and not self._witnesses.lacking(tree.size)):
            return None
        checkpoint = Checkpoint(self._to.origin, tree.size, tree.root())
        note = Note(checkpoint.text(), tuple(self._to.signer.sign(checkpoint, int(now.timestamp())))).wire()
        try:
            lines = await self._witnesses.ask(note, checkpoint, tree)
        except (WitnessAhead, WitnessDisagrees) as problem:
            reason = "WitnessAhead" if isinstance(problem, WitnessAhead) else "WitnessDisagrees"
            text = f"{problem}, the store has {tree.size}: it was cut off, restored from an old backup, or rewritten"
            self._doubt = Doubt(
                reason, f"{text}; bring the missing entries back, or begin another log with a new origin"
            )
            self._figures.log_failed("witness")
            return None
        if self._witnesses.lacking(tree.size):
            self._figures.log_failed("witness")
        note += "".join(line + "\n" for line in lines)
        published = None
        if self._to.publication is not None:
            await self._to.publication.publish(note, self._keys_text())
            self._figures.log_published(tree.size)
            published = now
        self._signed = tree.size
        self._figures.log_signed(tree.size, now.timestamp())
        return Head(checkpoint, note, now, published)

    async def _show(self, head: Head | None) -> None:
        """Write what changed to the AuditLog, then let go of what may go."""
        old = self._status
        new = next_status(
            old,
            head,
            self._conditions(old, self._clock.now()),
            keys=[key.vkey() for key in self._to.signer.keys],
            witnesses=self._witnesses.said(),
            open_intents=self._ledger.open_count,
        )
        if head is not None or said(new.conditions) != said(old.conditions) or new.keys != old.keys:
            await self._to.log.write(new)
            self._status = new
        if self._doubt is None and self._is_published(new):
            first = await self._retention.prune(new.first, new.size)
            if first != new.first:
                self._status = new.model_copy(update={"first": first})
                await self._to.log.write(self._status)

    def _is_published(self, status: AuditLogStatus) -> bool:
        """Whether the newest head stands in the directory, so that the store may let go of what is below it."""
        there, signed = status.published_at, status.signed_at
        return self._to.publication is not None and there is not None and signed is not None and there >= signed

    def _conditions(self, old: AuditLogStatus, now: datetime) -> list[Condition]:
        before = old.conditions
        signed = ("Signed", "the head is signed and goes on from every head published before")
        conditions = [stated(before, "Signed", self._doubt, signed, now)]
        if self._to.publication is not None:
            conditions.append(
                stated(before, "Published", self._doubt, ("Published", "the directory is up to date"), now)
            )
        if self._to.witnesses:
            conditions.append(
                stated(before, "Witnessed", self._witnesses.doubt(), ("Witnessed", "enough witnesses signed"), now)
            )
        return conditions

    def _known_keys(self) -> tuple[Key, ...]:
        """Our own keys first; those of before count for heads that were signed before a rotation."""
        texts = dict.fromkeys((*(key.vkey() for key in self._to.signer.keys), *self._status.keys))
        return tuple(key for text in texts if (key := _parsed(text)) is not None)

    def _keys_text(self) -> str:
        lines = [
            f"# keys of {self._to.origin}; compare them with those you were given",
            *(key.vkey() for key in self._known_keys()),
        ]
        return "\n".join([*lines, *(key.vkey() for key in self._to.policy.keys)]) + "\n"


def _parsed(text: str) -> Key | None:
    try:
        return parse_vkey(text)
    except NoteError:
        return None
