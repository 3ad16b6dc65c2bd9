"""The files of a published log: written while entries go by, and read again for proofs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from feem.core.tlog.merkle import HASH_SIZE, leaf_hash, node_hash
from feem.core.tlog.tile import HEIGHT, WIDTH, entries_path, hash_path, pack_entries, tile_bytes, tiles_for
from feem.core.tlog.tree import Tree


class Layout:
    """Takes entries one by one; holds their hashes and the entries of one bundle."""

    def __init__(self) -> None:
        self.tree = Tree()
        self._bundle: list[bytes] = []

    def add(self, entry: bytes) -> Iterator[tuple[str, bytes]]:
        """Take the next entry; yields (name, content) of the bundle that it completes."""
        self.tree.append(leaf_hash(entry))
        self._bundle.append(entry)
        if len(self._bundle) == WIDTH:
            yield self._packed()

    def finish(self) -> Iterator[tuple[str, bytes]]:
        """Yield the partial bundle at the end, then all tiles of hashes."""
        if self._bundle:
            yield self._packed()
        for tile in tiles_for(self.tree.size):
            yield tile.path, tile_bytes(self.tree, tile)

    def _packed(self) -> tuple[str, bytes]:
        index, entries = (self.tree.size - 1) // WIDTH, self._bundle
        self._bundle = []
        return entries_path(index, len(entries)), pack_entries(entries)


class TileNodes:
    """The nodes of a published tree of a given size, from its tiles of hashes; a call of it is `feem.core.tlog.merkle.Nodes`."""

    def __init__(self, read: Callable[[str], bytes | None], size: int) -> None:
        self._read, self._size = read, size

    def __call__(self, level: int, index: int) -> bytes:
        """Return the hash of a complete subtree. Raises ValueError when its tile is missing or too short."""
        row, height = divmod(level, HEIGHT)
        first = index << height
        data = self._tile(row, first // WIDTH)
        start = first % WIDTH
        hashes = [data[place * HASH_SIZE :][:HASH_SIZE] for place in range(start, start + (1 << height))]
        if len(hashes[-1]) != HASH_SIZE:
            raise ValueError(f"the tile {hash_path(row, first // WIDTH)} is too short")
        while len(hashes) > 1:
            hashes = [node_hash(hashes[at], hashes[at + 1]) for at in range(0, len(hashes), 2)]
        return hashes[0]

    def _tile(self, row: int, index: int) -> bytes:
        width = min((self._size >> (row * HEIGHT)) - index * WIDTH, WIDTH)
        for path in dict.fromkeys((hash_path(row, index, width), hash_path(row, index))):
            data = self._read(path)
            if data is not None:
                return data
        raise ValueError(f"there is no tile {hash_path(row, index, width)}")
