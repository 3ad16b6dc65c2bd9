"""Chains of audit entries for tests of stores, and whether what a store gives back is one."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from feem.api.audit import AuditSpec, Part, Subject
from feem.core.audit.record import Statement, next_record, record_digest
from feem.ports import Records

SUBJECT = Subject(kind="Release", namespace="lending", name="limit-scoring-4", uid="u")
_START = datetime(2026, 3, 1, tzinfo=UTC)


def follow(head: AuditSpec | None, message: str = "seen", *, epoch: int = 0, actor: str = "feem") -> AuditSpec:
    """Return an entry that follows another."""
    said = Statement("Seen", Part.FACT, SUBJECT, actor, "Test", message)
    at = _START + timedelta(seconds=0 if head is None else head.index + 1)
    return next_record(head, said, at, epoch)


def chain(count: int, head: AuditSpec | None = None, *, epoch: int = 0) -> Iterator[AuditSpec]:
    """Return entries that follow each other, and `head`."""
    for _ in range(count):
        head = follow(head, epoch=epoch)
        yield head


@functools.cache
def long_chain() -> Sequence[AuditSpec]:
    """Return a log of 20,000 entries, made once."""
    return tuple(chain(20_000))


async def put(records: Records, entries: Sequence[AuditSpec]) -> None:
    for entry in entries:
        await records.put(entry, entry.index)


async def all_since(records: Records, first: int = 0, until: int | None = None) -> list[AuditSpec]:
    return [entry async for entry in records.since(first, until)]


def check_chain(entries: Sequence[AuditSpec], before: AuditSpec | None = None) -> None:
    """Fail unless each entry is whole, in its place, and follows the one before."""
    index, previous, epoch = (0, "", 0) if before is None else (before.index + 1, before.digest, before.epoch)
    for entry in entries:
        assert entry.index == index
        assert entry.previous == previous, f"entry {index} does not follow"
        assert entry.digest == record_digest(entry.wire()), f"entry {index} was changed"
        assert entry.epoch >= epoch
        index, previous, epoch = index + 1, entry.digest, entry.epoch
