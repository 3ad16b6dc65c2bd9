"""The audit log of a simulated world: kept by the world, so that it outlives the operator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from feem.api.audit import AuditSpec, Part, Subject
from feem.core.audit.record import Statement, name_of, next_record
from feem.ports import Entry
from tests.world.api import OPERATOR, Api


class SimulatedLedger:
    """The port `Ledger` over a list of records; a new one reads what an old one left."""

    def __init__(self, api: Api, records: list[AuditSpec], now: Callable[[], datetime]) -> None:
        self._api, self._records, self._now = api, records, now

    async def append(self, entry: Entry) -> AuditSpec:
        statement = Statement(
            entry.action,
            entry.part,
            entry.subject,
            entry.actor or OPERATOR,
            entry.reason,
            entry.message,
            entry.effects,
            entry.evidence,
            entry.intent,
        )

        def act() -> AuditSpec:
            record = next_record(self._records[-1] if self._records else None, statement, self._now(), epoch=1)
            self._records.append(record)
            return record

        name = f"{name_of(len(self._records))} {entry.part} {entry.action}"
        record: AuditSpec = self._api.asked("create", "auditrecords.feem.dev", name, act)
        return record

    def open_subjects(self) -> Sequence[Subject]:
        closed = {record.intent for record in self._records if record.part is Part.OUTCOME}
        found: list[Subject] = []
        for record in self._records:
            if record.part is Part.INTENT and record.index not in closed and record.subject not in found:
                found.append(record.subject)
        return found

    def open_intents(self, subject: Subject) -> Sequence[AuditSpec]:
        closed = {record.intent for record in self._records if record.part is Part.OUTCOME}
        return [
            record
            for record in self._records
            if record.part is Part.INTENT and record.index not in closed and record.subject == subject
        ]
