"""The port `Ledger` over any store of entries: numbers them, keeps one outcome to an intent, and knows when another operator leads."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Self

from feem.api.audit import AuditSpec, Part, Subject
from feem.core.audit.record import Statement, name_of, next_record
from feem.ports import Clock, Entry, Fenced, Records, Taken, Unavailable

log = logging.getLogger(__name__)

REMEMBERED = 1_000
"""How many outcomes are remembered, to answer for one whose first answer was lost."""

Appended = Callable[[AuditSpec, float], None]
"""Called for each entry of ours with the seconds it took until it was durable."""


class RecordLedger:
    """One leader's hand on the log. Appends are written one after another; see `feem.ports.Ledger`."""

    def __init__(
        self, records: Records, clock: Clock, *, epoch: int, actor: str, appended: Appended | None = None
    ) -> None:
        self._records = records
        self._clock = clock
        self._epoch = epoch
        self._actor = actor
        self._appended: Appended = appended or (lambda *_: None)
        self._writing = asyncio.Lock()
        self._head: AuditSpec | None = None
        self._open: dict[int, AuditSpec] = {}
        self._outcomes: OrderedDict[int, AuditSpec] = OrderedDict()
        self._doubtful: dict[str, AuditSpec] = {}
        """By digest: what was sent for the next index without an answer. Any of these may be there, or may still arrive."""

    @classmethod
    async def open(
        cls, records: Records, clock: Clock, *, epoch: int, actor: str, appended: Appended | None = None
    ) -> Self:
        """Find the head and the open intents, and return the ledger of this epoch.

        Raises Fenced when a later epoch has already written, Unavailable when the store cannot be asked.
        """
        ledger = cls(records, clock, epoch=epoch, actor=actor, appended=appended)
        stored = await records.head()
        if stored is not None:
            ledger._head = stored.record
            ledger._check_epoch(stored.record)
            ledger._open = await _open_intents(records, stored.record, stored.open_from or 0)
        return ledger

    @property
    def epoch(self) -> int:
        """The fencing epoch of what is written here."""
        return self._epoch

    @property
    def open_count(self) -> int:
        """How many intents have no outcome yet."""
        return len(self._open)

    @property
    def open_from(self) -> int:
        """The lowest index that a new leader needs: the oldest open intent, else the next entry."""
        return min(self._open, default=0 if self._head is None else self._head.index + 1)

    @property
    def head(self) -> AuditSpec | None:
        """The last entry, None while the log is empty."""
        return self._head

    def open_intents(self, subject: Subject) -> Sequence[AuditSpec]:
        """Return the intents about this subject that have no outcome yet, oldest first."""
        return [intent for _, intent in sorted(self._open.items()) if intent.subject == subject]

    def open_subjects(self) -> Sequence[Subject]:
        """Return the subjects that have open intents, each once."""
        return list({intent.subject.model_dump_json(): intent.subject for intent in self._open.values()}.values())

    async def append(self, entry: Entry) -> AuditSpec:
        """Write the next entry; returns it once it is durable.

        What was written by an attempt whose answer was lost is found again, not written twice. An intent that was settled
        meanwhile, even by an earlier leader, keeps that outcome, and it is returned. Raises Unavailable or Fenced.
        """
        said = Statement(
            entry.action,
            entry.part,
            entry.subject,
            entry.actor or self._actor,
            entry.reason,
            entry.message,
            entry.effects,
            entry.evidence,
            entry.intent,
        )
        async with self._writing:
            began = time.perf_counter()
            found = await self._clear_doubt(said)
            while found is None:
                found = self._settled(said) or await self._put(said)
            if found.epoch == self._epoch:
                self._appended(found, time.perf_counter() - began)
            return found

    async def _put(self, said: Statement) -> AuditSpec | None:
        """Try the next index; None when something else stands there, which may be the outcome that was to be written."""
        record = next_record(self._head, said, self._clock.now(), self._epoch)
        self._doubtful[record.digest] = record
        try:
            await self._records.put(record, self._open_from(record))
        except Taken:
            there = await self._read(record.index)
            ours = there.digest in self._doubtful
            self._take(there)
            return there if ours and _says(there, said) else None
        self._take(record)
        return record

    async def _clear_doubt(self, said: Statement) -> AuditSpec | None:
        """Look whether an unanswered write has arrived; return it when it says the same as what is to be written now."""
        if not self._doubtful:
            return None
        there = await self._records.read(next(iter(self._doubtful.values())).index)
        if there is None:
            return None
        ours = there.digest in self._doubtful
        self._take(there)
        return there if ours and _says(there, said) else None

    def _settled(self, said: Statement) -> AuditSpec | None:
        """Return the outcome an intent already has: a second one would be a lie."""
        if said.part is not Part.OUTCOME or said.intent is None or said.intent in self._open:
            return None
        if said.intent in self._outcomes:
            return self._outcomes[said.intent]
        raise ValueError(f"{said.action}: entry {said.intent} is no open intent")

    async def _read(self, index: int) -> AuditSpec:
        record = await self._records.read(index)
        if record is None:
            raise Unavailable(f"entry {name_of(index)} exists and then does not: somebody removes audit records")
        return record

    def _take(self, record: AuditSpec) -> None:
        """Step over the entry at the next index, whoever wrote it. Raises Fenced unless it is ours or of an earlier epoch."""
        if record.digest not in self._doubtful:
            self._check_epoch(record)
            if record.epoch == self._epoch:
                raise Fenced(
                    f"entry {record.index} of epoch {record.epoch} was written by another operator with our epoch"
                )
            if self._head is not None and record.previous != self._head.digest:
                log.error("audit entry %d does not follow %d: run `feem audit verify`", record.index, self._head.index)
        self._doubtful.clear()
        self._head = record
        if record.part is Part.INTENT:
            self._open[record.index] = record
        elif record.part is Part.OUTCOME and record.intent is not None:
            self._open.pop(record.intent, None)
            self._outcomes[record.intent] = record
            if len(self._outcomes) > REMEMBERED:
                self._outcomes.popitem(last=False)

    def _check_epoch(self, record: AuditSpec) -> None:
        if record.epoch > self._epoch:
            raise Fenced(
                f"entry {record.index} is of epoch {record.epoch}, ours is {self._epoch}: another operator leads"
            )

    def _open_from(self, record: AuditSpec) -> int:
        return min(set(self._open) - {record.intent}, default=record.index)


async def lowest_free_epoch(records: Records) -> int:
    """Return the lowest fencing epoch that a log allows: 0 when it is empty, else one more than its head's."""
    head = await records.head()
    return 0 if head is None else head.record.epoch + 1


async def _open_intents(records: Records, head: AuditSpec, first: int) -> dict[int, AuditSpec]:
    return unsettled([*[record async for record in records.since(first, head.index)], head])


def unsettled(records: Iterable[AuditSpec]) -> dict[int, AuditSpec]:
    """Return the intents among these entries that none of them is the outcome of, by index."""
    waiting: dict[int, AuditSpec] = {}
    for record in records:
        if record.part is Part.INTENT:
            waiting[record.index] = record
        elif record.intent is not None:
            waiting.pop(record.intent, None)
    return waiting


def _says(record: AuditSpec, said: Statement) -> bool:
    """Whether a record says this, apart from its place and time; texts may have been cut to fit."""
    probe = next_record(None, said, datetime.fromisoformat(record.time), record.epoch)
    fields = ("action", "part", "subject", "actor", "reason", "message", "effects", "evidence", "intent")
    return all(getattr(record, name) == getattr(probe, name) for name in fields)
