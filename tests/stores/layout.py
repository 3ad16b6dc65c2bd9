"""What a directory must hold by c2sp.org/tlog-tiles, worked out from the specification's own sentences, not from FEEM's code."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path


def number(index: int) -> str:
    """Three digits a group, all but the last behind an x."""
    groups: list[str] = []
    while True:
        groups.insert(0, f"{index % 1000:03d}")
        index //= 1000
        if not index:
            break
    return "/".join(["x" + group for group in groups[:-1]] + groups[-1:])


def tree_hash(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, over leaf hashes."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + tree_hash(leaves[:split]) + tree_hash(leaves[split:])).digest()


def leaf(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def files(entries: Sequence[bytes]) -> dict[str, bytes]:
    """Every tile and bundle of a log, by name."""
    found: dict[str, bytes] = {}
    size = len(entries)
    row, level = [leaf(entry) for entry in entries], 0
    for start in range(0, size, 256):
        part = entries[start : start + 256]
        data = b"".join(len(entry).to_bytes(2, "big") + entry for entry in part)
        found[f"tile/entries/{number(start // 256)}{suffix(len(part))}"] = data
    while row:
        for start in range(0, len(row), 256):
            hashes = row[start : start + 256]
            found[f"tile/{level}/{number(start // 256)}{suffix(len(hashes))}"] = b"".join(hashes)
        row = [tree_hash(row[start : start + 256]) for start in range(0, len(row) - 255, 256)]
        level += 1
    return found


def suffix(width: int) -> str:
    return "" if width == 256 else f".p/{width}"


def there(root: Path) -> dict[str, bytes]:
    """Every tile and bundle that is in a directory, by name."""
    return {str(path.relative_to(root)): path.read_bytes() for path in (root / "tile").rglob("*") if path.is_file()}
