"""Growing trees: one that answers for every proof (64 bytes an entry), and one that only knows its root (a few hashes)."""

from __future__ import annotations

from collections.abc import Iterable

from feem.core.tlog import merkle
from feem.core.tlog.merkle import HASH_SIZE, node_hash


class Tree:
    """All complete subtrees, by level."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self._levels: list[bytearray] = [bytearray()]
        for leaf in leaves:
            self.append(leaf)

    @property
    def size(self) -> int:
        """The number of entries."""
        return len(self._levels[0]) // HASH_SIZE

    def append(self, leaf: bytes) -> None:
        """Add the leaf hash of the next entry, and the inner nodes that it completes."""
        if len(leaf) != HASH_SIZE:
            raise ValueError(f"a leaf hash has {HASH_SIZE} bytes, not {len(leaf)}")
        index, level, value = self.size, 0, leaf
        self._levels[0] += value
        while index & 1:
            value = node_hash(self.node(level, index - 1), value)
            index, level = index >> 1, level + 1
            if level == len(self._levels):
                self._levels.append(bytearray())
            self._levels[level] += value

    def node(self, level: int, index: int) -> bytes:
        """Return the hash of a complete subtree. Raises IndexError when it is not complete."""
        kept = self._levels[level] if level < len(self._levels) else b""
        if not 0 <= index < len(kept) // HASH_SIZE:
            raise IndexError(f"the tree of {self.size} has no complete subtree {index} of level {level}")
        return bytes(kept[index * HASH_SIZE : (index + 1) * HASH_SIZE])

    def root(self, size: int | None = None) -> bytes:
        """Return the root over the first `size` entries, over all when None."""
        return merkle.root(self.node, self._within(self.size if size is None else size))

    def inclusion(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """Return the audit path of an entry in the tree of `size`."""
        return merkle.inclusion_proof(self.node, index, self._within(self.size if size is None else size))

    def consistency(self, first: int, second: int | None = None) -> tuple[bytes, ...]:
        """Return the proof that the first `first` entries are the beginning of the first `second`."""
        return merkle.consistency_proof(self.node, first, self._within(self.size if second is None else second))

    def _within(self, size: int) -> int:
        if not 0 <= size <= self.size:
            raise ValueError(f"the tree has {self.size} entries, not {size}")
        return size


class Frontier:
    """The roots of the complete subtrees from left to right: enough to go on and to know the root."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        """Add the leaf hash of the next entry."""
        value, index = leaf, self.size
        while index & 1:
            value = node_hash(self._peaks.pop(), value)
            index >>= 1
        self._peaks.append(value)
        self.size += 1

    def root(self) -> bytes:
        """Return the root over all entries so far."""
        if not self._peaks:
            return merkle.EMPTY_ROOT
        value = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            value = node_hash(peak, value)
        return value
