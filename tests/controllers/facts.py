"""A log for the tests of single controllers: it takes facts, and refuses what the real one refuses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from feem.api.audit import AuditSpec, Part, Subject
from feem.core.audit.record import Statement, next_record
from feem.ports import Entry

OPERATOR = "system:serviceaccount:feem-system:feem"


class Facts:
    """The port `NumberedLedger` over a list."""

    def __init__(self) -> None:
        self.records: list[AuditSpec] = []

    async def append(self, entry: Entry) -> AuditSpec:
        assert entry.part is Part.FACT
        said = Statement(
            entry.action,
            entry.part,
            entry.subject,
            entry.actor or OPERATOR,
            entry.reason,
            entry.message,
            evidence=entry.evidence,
        )
        self.records.append(next_record(self.head, said, datetime(2026, 11, 24, tzinfo=UTC), 1))
        return self.records[-1]

    def open_intents(self, subject: Subject) -> Sequence[AuditSpec]:  # noqa: ARG002 - the port's signature
        return ()

    def open_subjects(self) -> Sequence[Subject]:
        return ()

    @property
    def head(self) -> AuditSpec | None:
        return self.records[-1] if self.records else None

    @property
    def open_count(self) -> int:
        return 0

    @property
    def open_from(self) -> int:
        return len(self.records)

    @property
    def told(self) -> list[tuple[str, str]]:
        """Action and reason of each record."""
        return [(record.action, record.reason) for record in self.records]
