"""Compares the tiles of hashes that a log publishes with those that its entries give, while the entries go by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from feem.core.audit.verify import Fault, Finding
from feem.core.tlog.merkle import HASH_SIZE
from feem.core.tlog.tile import HEIGHT, WIDTH, hash_path
from feem.core.tlog.tree import Frontier


@dataclass
class _Row:
    """The tile that is being filled on one level."""

    index: int = 0
    hashes: list[bytes] = field(default_factory=list)


class TileWatch:
    """Holds one tile of each level."""

    def __init__(self, read: Callable[[str], bytes | None]) -> None:
        self._read = read
        self._rows: list[_Row] = []
        self._whole = True
        """Whether all entries so far could be read; else the tiles above them cannot be compared."""
        self._late: list[Finding] = []

    def leaf(self, value: bytes) -> Iterator[Finding]:
        """Take the leaf hash of the next entry; findings come when a tile is full."""
        self._add(0, value)
        yield from self._pop()

    def skip(self, index: int) -> None:
        """Go on after the bundle of this index, which cannot be read to its end."""
        self._whole = False
        self._rows[:1] = [_Row(index + 1)]

    def finish(self) -> Iterator[Finding]:
        """Compare the partial tiles at the right edge."""
        for level, row in enumerate(self._rows):
            if row.hashes:
                self._compare(level, row)
        yield from self._pop()

    def _add(self, level: int, value: bytes) -> None:
        if level == len(self._rows):
            self._rows.append(_Row())
        row = self._rows[level]
        row.hashes.append(value)
        if len(row.hashes) < WIDTH:
            return
        self._compare(level, row)
        above = Frontier()
        for item in row.hashes:
            above.append(item)
        self._rows[level] = _Row(row.index + 1)
        self._add(level + 1, above.root())

    def _compare(self, level: int, row: _Row) -> None:
        """Compare a tile with the published one, its partial file first, then the full one."""
        if level and not self._whole:
            return
        width = len(row.hashes)
        path = hash_path(level, row.index, width)
        data = self._read(path)
        if data is None and width < WIDTH:
            data = self._read(hash_path(level, row.index))
            data = data[: width * HASH_SIZE] if data is not None else None
        start = row.index * WIDTH if level == 0 else None
        if data is None:
            self._late.append(Finding(start, Fault.MISSING, f"there is no tile {path}"))
        elif len(data) != width * HASH_SIZE:
            text = f"the tile {path} has {len(data)} bytes, not {width * HASH_SIZE}"
            self._late.append(Finding(start, Fault.TILE, text))
        else:
            differing = (place for place in range(width) if data[place * HASH_SIZE :][:HASH_SIZE] != row.hashes[place])
            place = next(differing, None)
            if place is not None:
                first = row.index * WIDTH + place << (level * HEIGHT)
                text = f"the tile {path} has another hash for {_covered(first, level)} than the entries give"
                self._late.append(Finding(first if level == 0 else None, Fault.TILE, text))

    def _pop(self) -> Iterator[Finding]:
        found, self._late = self._late, []
        yield from found


def _covered(index: int, level: int) -> str:
    return f"entry {index}" if level == 0 else f"entries {index} to {index + (1 << level * HEIGHT) - 1}"
