"""Writing a folder of tiles: what entries add, what a checkpoint needs, and what nobody needs any more."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from feem.adapters.audit.disk import Change, remove
from feem.adapters.audit.tiles import (
    CHECKPOINT,
    HEAD,
    KEYS,
    Edge,
    Head,
    TileFolder,
    checkpoint_of,
    edges,
    tile_path,
    top,
)
from feem.core.tlog import merkle
from feem.core.tlog.checkpoint import Checkpoint
from feem.core.tlog.merkle import HASH_SIZE, leaf_hash
from feem.core.tlog.note import NoteError
from feem.core.tlog.tile import WIDTH, pack_entries, tiles_for
from feem.ports import Forked, Unavailable


def append(folder: TileFolder, change: Change, old: Head, entries: Sequence[bytes], new: Head) -> None:
    """Write what the entries add to a log of `old`, and let it count. The change holds the lock.

    Raises OSError, ValueError for an entry that is too long, Unavailable where appending would cover up an older accident.
    """
    published = folder.published()
    if published > old.size:
        raise Unavailable(
            f"audit directory {folder.root}: its checkpoint speaks of {published} entries, {HEAD} of {old.size}: "
            "an older file was put back; restore the newest copy of the whole folder"
        )
    hashes = b"".join(map(leaf_hash, entries))
    _write_entries(folder, change, old.size, entries)
    _write_hashes(folder, change, old.size, hashes)
    change.commit(HEAD, new.wire())
    _tidy(folder, old.size, new.size, published)


def publish(folder: TileFolder, change: Change, note: str, keys: str) -> None:
    """Replace the checkpoint by a later one, and the list of keys. The change holds the lock.

    The log may have grown since it was signed: partial tiles of its size that are gone are written again. Raises OSError,
    Unavailable, or Forked when its root is not that of the entries here.
    """
    size, before = folder.head().size, folder.published()
    checkpoint = _checked(folder, note, size, before)
    for edge in edges(checkpoint.size):
        data = _edge_bytes(folder, edge, size)
        if not _is(folder.root / edge.path, data):
            change.write(edge.path, data)
    if not _is(folder.root / KEYS, keys.encode()):
        change.commit(KEYS, keys.encode())  # first, for whoever reads the new checkpoint needs its keys
    change.commit(CHECKPOINT, note.encode())
    needed = edges(checkpoint.size) | edges(size)
    for edge in edges(before) - needed:
        if edge.is_full(size):
            remove(folder.root / edge.path)


def _checked(folder: TileFolder, note: str, size: int, before: int) -> Checkpoint:
    try:
        checkpoint = checkpoint_of(note)
    except NoteError as problem:
        raise Unavailable(f"audit directory {folder.root}: this is no checkpoint: {problem}") from problem
    if not before <= checkpoint.size <= size:
        raise Unavailable(
            f"audit directory {folder.root}: a checkpoint of {checkpoint.size} entries cannot replace that of {before} "
            f"where {size} are; another operator publishes here, or an older copy was restored"
        )
    root = merkle.root(lambda level, index: folder.node(level, index, size), checkpoint.size)
    if root != checkpoint.root:
        raise Forked(
            f"audit directory {folder.root}: the checkpoint's root over {checkpoint.size} entries is "
            f"{checkpoint.root.hex()}, that of the entries here is {root.hex()}"
        )
    return checkpoint


def _write_entries(folder: TileFolder, change: Change, size: int, entries: Sequence[bytes]) -> None:
    index, kept = divmod(size, WIDTH)
    row = _checked_row(folder, index, size) if kept else []
    row += entries
    for at in range(0, len(row), WIDTH):
        part = row[at : at + WIDTH]
        change.write(tile_path(None, index + at // WIDTH, len(part)), pack_entries(part))


def _checked_row(folder: TileFolder, index: int, size: int) -> list[bytes]:
    """Return the last bundle's entries, which are written again: they must be what the tree says."""
    entries = folder.bundle(index, size)
    if b"".join(map(leaf_hash, entries)) != folder.hashes(0, index, size):
        name = tile_path(None, index, size % WIDTH)
        raise folder.damaged(name, f"has other entries than {tile_path(0, index, size % WIDTH)} has hashes")
    return entries


def _write_hashes(folder: TileFolder, change: Change, size: int, row: bytes) -> None:
    """Add a row of leaf hashes, and on each level above the hashes of the tiles that it fills."""
    level, start = 0, size
    while row:
        index, kept = divmod(start, WIDTH)
        row = (folder.hashes(level, index, size) if kept else b"") + row
        filled: list[bytes] = []
        for at in range(0, len(row), WIDTH * HASH_SIZE):
            part = row[at : at + WIDTH * HASH_SIZE]
            width = len(part) // HASH_SIZE
            change.write(tile_path(level, index + at // (WIDTH * HASH_SIZE), width), part)
            if width == WIDTH:
                filled.append(top(part))
        level, start, row = level + 1, start // WIDTH, b"".join(filled)


def _edge_bytes(folder: TileFolder, edge: Edge, size: int) -> bytes:
    if edge.level is None:
        return pack_entries(folder.bundle(edge.index, size)[: edge.width])
    return folder.hashes(edge.level, edge.index, size)[: edge.width * HASH_SIZE]


def _is(path: Path, data: bytes) -> bool:
    try:
        return path.read_bytes() == data
    except FileNotFoundError:
        return False


def _tidy(folder: TileFolder, old: int, new: int, published: int) -> None:
    """Remove partial tiles that no published checkpoint needs.

    What an older checkpoint needed stays until its tile is full, as c2sp.org/tlog-tiles wants it; then all go but those of
    the checkpoint that is published now.
    """
    needed = edges(new) | edges(published)
    for edge in edges(old) - needed:
        remove(folder.root / edge.path)
    kept = {edge.path for edge in needed}
    for tile in tiles_for(new, old):
        if tile.width == WIDTH:
            _sweep(folder, tile_path(tile.level, tile.index), kept)
            if tile.level == 0:
                _sweep(folder, tile_path(None, tile.index), kept)


def _sweep(folder: TileFolder, full: str, kept: set[str]) -> None:
    """Remove the partial tiles beside a full one."""
    beside = folder.root / f"{full}.p"
    if beside.is_dir():
        for path in beside.iterdir():
            if str(path.relative_to(folder.root)) not in kept:
                remove(path)
