"""The ports `Records` and `Publication` over a directory of tiles: what is stored is what is published."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from feem.adapters.audit import growth
from feem.adapters.audit.disk import changing, told
from feem.adapters.audit.tiles import Head, TileFolder, record_of
from feem.api.audit import AuditSpec
from feem.core.audit.entry import entry_bytes
from feem.core.tlog.merkle import HASH_SIZE
from feem.core.tlog.tile import WIDTH
from feem.ports import Forked, Stored, Taken, Unavailable

T = TypeVar("T")
PATIENCE = 10.0
"""Seconds to wait for another process to let go of the directory."""


class DirectoryRecords:
    """A directory on a volume that knows flock(2) and atomic renames; any web server can publish it as it is.

    `.head.json` is the commit point: whatever a crash leaves beyond what it says does not count, and is written over.
    """

    def __init__(self, path: Path | str, *, patience: float = PATIENCE) -> None:
        self._folder = TileFolder(Path(path))
        self._patience = patience

    async def head(self) -> Stored | None:
        """Return the last entry; see `feem.ports.Records`."""
        return await self._ask(self._head)

    async def read(self, index: int) -> AuditSpec | None:
        """Return the entry at an index."""
        return await self._ask(lambda: self._record(index, self._folder.head().size))

    async def put(self, record: AuditSpec, open_from: int) -> None:
        """Add the next entry; raises as the port says, and ValueError for an entry of more than 65,535 bytes."""
        await self._ask(lambda: self._put(record, open_from))

    async def since(self, first: int, until: int | None = None) -> AsyncIterator[AuditSpec]:
        """Return the entries from an index on, 256 at a time in memory."""
        index = first
        async for entry in self.entries(first, until):
            yield self._parsed(entry, index)
            index += 1

    async def entries(self, first: int = 0, until: int | None = None) -> AsyncIterator[bytes]:
        """Return the bytes of the entries from an index on, as they were when this began."""
        size = (await self._ask(self._folder.head)).size
        end = size if until is None else min(size, until)
        for index in range(first // WIDTH, -(-end // WIDTH)):
            bundle = await self._ask(functools.partial(self._folder.bundle, index, size))
            for entry in bundle[max(first - index * WIDTH, 0) : end - index * WIDTH]:
                yield entry

    async def prune(self, before: int) -> int:  # noqa: ARG002 - the port's name for it
        """Remove nothing: the directory is where entries are kept for good."""
        return 0

    async def tip(self) -> tuple[int, str | None]:
        """Return how many entries are there, and the note of the checkpoint; see `feem.ports.Publication`."""
        return await self._ask(lambda: (self._folder.head().size, self._folder.note()))

    def leaf_hashes(self) -> Iterator[bytes]:
        """Return the leaf hashes of all entries, 256 at a time in memory; blocks while it reads."""
        try:
            size = self._folder.head().size
            for index in range(-(-size // WIDTH)):
                row = self._folder.hashes(0, index, size)
                yield from (row[at : at + HASH_SIZE] for at in range(0, len(row), HASH_SIZE))
        except OSError as problem:
            raise told(self._folder.root, problem) from problem

    async def extend(self, start: int, entries: Sequence[bytes]) -> None:
        """Copy entries of another store; all of them count at once. Raises Forked, Unavailable, or ValueError for what is no entry."""
        await self._ask(lambda: self._extend(start, entries))

    async def publish(self, note: str, keys: str) -> None:
        """Replace the checkpoint by a later one. Raises Unavailable, or Forked when its root is not that of the entries here."""

        def act() -> None:
            with changing(self._folder.root, self._patience) as change:
                growth.publish(self._folder, change, note, keys)

        await self._ask(act)

    def _head(self) -> Stored | None:
        head = self._folder.head()
        record = self._record(head.size - 1, head.size) if head.size else None
        if record is not None and record.digest != head.digest:
            raise self._folder.damaged(f"entry {record.index}", f"digests to {record.digest}, not to {head.digest}")
        return None if record is None else Stored(record, head.open_from)

    def _record(self, index: int, size: int) -> AuditSpec | None:
        if not 0 <= index < size:
            return None
        return self._parsed(self._folder.bundle(index // WIDTH, size)[index % WIDTH], index)

    def _put(self, record: AuditSpec, open_from: int) -> None:
        entry = entry_bytes(record)
        root = self._folder.root
        with changing(root, self._patience) as change:
            head = self._folder.head()
            if record.index < head.size:
                raise Taken(f"audit directory {root} has entry {record.index}, and {head.size} in all")
            if record.epoch < head.epoch:
                raise Taken(f"audit directory {root}: epoch {head.epoch} has written, {record.epoch} is over")
            if record.index > head.size or record.previous != head.digest:
                raise Unavailable(
                    f"audit directory {root}: entry {record.index} does not follow the last of {head.size}: "
                    "an older copy was restored; put the newest back, then restart the operator"
                )
            growth.append(
                self._folder, change, head, [entry], Head(head.size + 1, record.epoch, open_from, record.digest)
            )

    def _extend(self, start: int, entries: Sequence[bytes]) -> None:
        root = self._folder.root
        with changing(root, self._patience) as change:
            head = self._folder.head()
            if start > head.size:
                raise Unavailable(f"audit directory {root}: entries from {start} on leave a gap after {head.size}")
            self._compare(start, entries[: head.size - start], head.size)
            more = entries[head.size - start :]
            if more:
                last = record_of(more[-1], start + len(entries) - 1)
                new = Head(start + len(entries), last.epoch, None, last.digest)
                growth.append(self._folder, change, head, more, new)

    def _compare(self, start: int, entries: Sequence[bytes], size: int) -> None:
        """Raise Forked unless these are the entries here."""
        bundle: list[bytes] = []
        for index, entry in enumerate(entries, start):
            if index == start or index % WIDTH == 0:
                bundle = self._folder.bundle(index // WIDTH, size)
            if bundle[index % WIDTH] != entry:
                raise Forked(
                    f"audit directory {self._folder.root}: entry {index} differs from the store's; "
                    "compare both with a held checkpoint by `feem audit verify`"
                )

    def _parsed(self, entry: bytes, index: int) -> AuditSpec:
        try:
            return record_of(entry, index)
        except ValueError as problem:
            raise self._folder.damaged("the log", f"is not whole: {problem}") from problem

    async def _ask(self, act: Callable[[], T]) -> T:
        """Do blocking work in a thread, and say an operating system's error as the port says it."""
        try:
            return await asyncio.to_thread(act)
        except OSError as problem:
            raise told(self._folder.root, problem) from problem
