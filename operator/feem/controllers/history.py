"""The log's entries as a tree: built anew by each leader from what is published and stored, then kept up with the ledger."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence

import structlog

from feem.api.audit import AuditSpec
from feem.core.audit.entry import entry_bytes
from feem.core.audit.record import record_digest
from feem.core.tlog.merkle import leaf_hash
from feem.core.tlog.tree import Tree
from feem.ports import Forked, Publication, Records

log = structlog.get_logger("feem.audit")

BATCH = 2_048
"""Entries that are read and published together."""
EACH = 20_000
"""Entries between two lines of progress."""


class History:
    """What is signed is what this holds: every entry was checked against its own digest and the one before."""

    def __init__(self, records: Records, publication: Publication | None) -> None:
        self._records, self._publication = records, publication
        self._last: AuditSpec | None = None
        self.tree = Tree()

    async def load(self, size: int) -> None:
        """Build the tree from what is published, up to the `size` entries that the store has.

        Raises Forked when the last entry that both have differs, or when more is published than stored; Unavailable.
        """
        self.tree, self._last = Tree(), None
        if self._publication is None:
            return
        published, _ = await self._publication.tip()
        hashes = self._publication.leaf_hashes()
        self.tree = await asyncio.to_thread(lambda: Tree(itertools.islice(hashes, size)))
        if self.tree.size:
            last = await self._records.read(self.tree.size - 1)
            if last is not None and leaf_hash(entry_bytes(last)) != self.tree.node(0, self.tree.size - 1):
                raise Forked(
                    f"entry {last.index} is another one in the published directory than in the store: the store was restored "
                    "from a backup and written to; begin another log with a new origin"
                )
            self._last = last
        log.info("audit log loaded", published=published, stored=size)

    async def take(self, size: int) -> int:
        """Take in the entries up to `size` and hand them to the directory; returns how many. Raises Forked or Unavailable."""
        before, batch = self.tree.size, list[AuditSpec]()
        if before >= size:
            return 0
        async for record in self._records.since(before, size):
            self._check(record, before + len(batch) if not batch else batch[-1].index + 1)
            batch.append(record)
            if len(batch) == BATCH:
                await self._add(batch)
                batch = []
        if batch:
            await self._add(batch)
        return self.tree.size - before

    async def _add(self, batch: Sequence[AuditSpec]) -> None:
        entries = [entry_bytes(record) for record in batch]
        if self._publication is not None:
            await self._publication.extend(self.tree.size, entries)
        for data in entries:
            self.tree.append(leaf_hash(data))
        if self.tree.size // EACH != (self.tree.size - len(batch)) // EACH:
            log.info("audit log read", entries=self.tree.size)

    def _check(self, record: AuditSpec, expected: int) -> None:
        last, self._last = self._last, record
        if record.index != expected:
            raise Forked(f"entry {expected} is missing from the store: run `feem audit verify`")
        if record_digest(record.wire()) != record.digest:
            raise Forked(f"entry {record.index} was changed in the store: run `feem audit verify`")
        if last is not None and record.previous != last.digest:
            raise Forked(f"entry {record.index} does not follow entry {last.index}: run `feem audit verify`")
