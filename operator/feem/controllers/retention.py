"""Lets go of entries that are published, signed and old, so that the API server keeps a bounded part of the log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from feem.api.audit import Part, Subject
from feem.ports import Clock, Entry, NumberedLedger, Records

LOG = Subject(kind="AuditLog", name="feem")
AT_ONCE = 500
"""Entries let go of in one go, so that other requests are not held up."""


@dataclass(frozen=True)
class Keep:
    """What stays in the store in any case: this many days (0: for ever) and this many entries."""

    days: float = 0.0
    records: int = 1000


class Retention:
    """Prunes from the oldest on; never what is not published, nor an intent without outcome and what came after it."""

    def __init__(self, records: Records, ledger: NumberedLedger, clock: Clock, keep: Keep) -> None:
        self._records, self._ledger, self._clock, self._keep = records, ledger, clock, keep

    async def prune(self, first: int, published: int) -> int:
        """Prune up to a bound below `published`; returns the index of the first entry that is still kept."""
        head = self._ledger.head
        if not self._keep.days or head is None:
            return first
        limit = min(published, self._ledger.open_from, head.index + 1 - self._keep.records, first + AT_ONCE)
        before = await self._old_before(first, limit)
        if before <= first:
            return first
        gone = await self._records.prune(before)
        if gone:
            text = f"entries {first} to {before - 1} were removed from the store; they are in the published directory"
            await self._ledger.append(Entry("LogPruned", Part.FACT, LOG, "Retention", text))
        return before

    async def _old_before(self, first: int, limit: int) -> int:
        cutoff, before = self._clock.now() - timedelta(days=self._keep.days), first
        if limit <= first:
            return first
        async for record in self._records.since(first, limit):
            if datetime.fromisoformat(record.time) >= cutoff:
                break
            before = record.index + 1
        return before
