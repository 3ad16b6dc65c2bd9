"""Tiles of c2sp.org/tlog-tiles: up to 256 hashes or entries in a file, and the names of the files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from feem.core.tlog.tree import Tree

HEIGHT = 8
WIDTH = 1 << HEIGHT
MAX_ENTRY = 65_535
"""Bytes of one entry: its length is written in 16 bits."""


@dataclass(frozen=True)
class Tile:
    """A row of up to 256 hashes: those of subtrees of `256**level` entries, from `index * 256` on."""

    level: int
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Its name below the log's prefix."""
        return hash_path(self.level, self.index, self.width)


def hash_path(level: int, index: int, width: int = WIDTH) -> str:
    """Return the name of a tile of hashes; a partial one says how wide it is."""
    return f"tile/{level}/{_number(index)}{_partial(width)}"


def entries_path(index: int, width: int = WIDTH) -> str:
    """Return the name of a bundle of entries."""
    return f"tile/entries/{_number(index)}{_partial(width)}"


def tiles_for(size: int, since: int = 0) -> Iterator[Tile]:
    """Return the tiles of hashes that a tree of `size` has and one of `since` had not, partial ones at the right edge included."""
    level = 0
    while size >> (level * HEIGHT):
        count, before = size >> (level * HEIGHT), since >> (level * HEIGHT)
        for index in range(before // WIDTH, count // WIDTH):
            yield Tile(level, index)
        if count % WIDTH and (count != before or since == 0):
            yield Tile(level, count // WIDTH, count % WIDTH)
        level += 1


def bundles_for(size: int, since: int = 0) -> Iterator[tuple[int, int]]:
    """Return (index, width) of the bundles of entries that a log of `size` has and one of `since` had not."""
    for tile in tiles_for(size, since):
        if tile.level == 0:
            yield tile.index, tile.width


def tile_bytes(tree: Tree, tile: Tile) -> bytes:
    """Return a tile's content."""
    start = tile.index * WIDTH
    return b"".join(tree.node(tile.level * HEIGHT, index) for index in range(start, start + tile.width))


def pack_entries(entries: Sequence[bytes]) -> bytes:
    """Return a bundle's content. Raises ValueError for an entry that is too long."""
    for entry in entries:
        if len(entry) > MAX_ENTRY:
            raise ValueError(f"an entry has at most {MAX_ENTRY} bytes, not {len(entry)}")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def unpack_entries(data: bytes) -> list[bytes]:
    """Return the entries of a bundle. Raises ValueError when the lengths do not add up."""
    entries: list[bytes] = []
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 2], "big")
        entry = data[at + 2 : at + 2 + length]
        if at + 2 > len(data) or len(entry) != length:
            raise ValueError(f"the bundle ends within entry {len(entries)}")
        entries.append(entry)
        at += 2 + length
    return entries


def _number(index: int) -> str:
    """Return the index in groups of three digits, all but the last after an `x`."""
    if index < 0:
        raise ValueError(f"a tile has no index {index}")
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    return "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])


def _partial(width: int) -> str:
    if not 1 <= width <= WIDTH:
        raise ValueError(f"a tile has 1 to {WIDTH} places, not {width}")
    return "" if width == WIDTH else f".p/{width}"
