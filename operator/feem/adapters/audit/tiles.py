"""Reading a folder in the layout of c2sp.org/tlog-tiles, of which a head says how much counts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from feem.api.audit import AuditSpec
from feem.core.tlog.checkpoint import Checkpoint, parse_checkpoint
from feem.core.tlog.merkle import HASH_SIZE, node_hash
from feem.core.tlog.note import NoteError, parse_note
from feem.core.tlog.tile import HEIGHT, WIDTH, entries_path, hash_path, unpack_entries
from feem.ports import Unavailable

HEAD = ".head.json"
CHECKPOINT = "checkpoint"
KEYS = "keys.txt"


@dataclass(frozen=True)
class Head:
    """How many entries count; of the last one its epoch, its digest, and the lowest intent that was open once it was written."""

    size: int = 0
    epoch: int = 0
    open_from: int | None = None
    digest: str = ""

    def wire(self) -> bytes:
        """Return the content of the head's file."""
        value = {"size": self.size, "epoch": self.epoch, "openFrom": self.open_from, "digest": self.digest}
        return json.dumps(value).encode() + b"\n"


@dataclass(frozen=True)
class Edge:
    """A partial tile at the right edge of a tree; `level` is None for the bundle of entries."""

    level: int | None
    index: int
    width: int

    @property
    def path(self) -> str:
        """Its name below the folder."""
        return tile_path(self.level, self.index, self.width)

    def is_full(self, size: int) -> bool:
        """Whether its tile is full in a tree of this size."""
        return (self.index + 1) * WIDTH <= size >> (self.level or 0) * HEIGHT


def tile_path(level: int | None, index: int, width: int = WIDTH) -> str:
    """Return the name of a tile of hashes, or of a bundle of entries when `level` is None."""
    return entries_path(index, width) if level is None else hash_path(level, index, width)


def edges(size: int) -> set[Edge]:
    """Return the partial tiles of a tree."""
    found: set[Edge] = set()
    level = 0
    while size >> level * HEIGHT:
        index, width = divmod(size >> level * HEIGHT, WIDTH)
        if width:
            found.add(Edge(level, index, width))
            if level == 0:
                found.add(Edge(None, index, width))
        level += 1
    return found


class TileFolder:
    """The files. Methods block; they raise OSError, and Unavailable where a file is not what was written there."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def head(self) -> Head:
        """Read the head; an empty folder has an empty one."""
        try:
            value = json.loads((self.root / HEAD).read_bytes())
            return Head(value["size"], value["epoch"], value["openFrom"], value["digest"])
        except FileNotFoundError:
            if (self.root / CHECKPOINT).exists():
                raise self.damaged(HEAD, "is missing, though a checkpoint is there") from None
            if not self.root.parent.is_dir():
                raise
            return Head()
        except (ValueError, KeyError, TypeError) as problem:
            raise self.damaged(HEAD, f"cannot be read ({problem})") from problem

    def note(self) -> str | None:
        """Read the published checkpoint; None before the first."""
        try:
            return (self.root / CHECKPOINT).read_bytes().decode()
        except FileNotFoundError:
            return None
        except UnicodeDecodeError as problem:
            raise self.damaged(CHECKPOINT, f"cannot be read ({problem})") from problem

    def published(self) -> int:
        """Return the published checkpoint's size, 0 before the first."""
        note = self.note()
        if note is None:
            return 0
        try:
            return checkpoint_of(note).size
        except NoteError as problem:
            raise self.damaged(CHECKPOINT, f"cannot be read ({problem})") from problem

    def bundle(self, index: int, size: int) -> list[bytes]:
        """Read a bundle's entries as of a size that was committed."""
        width = min(WIDTH, size - index * WIDTH)
        path, data = self._read(None, index, size)
        try:
            entries = unpack_entries(data)
        except ValueError as problem:
            raise self.damaged(path, f"cannot be read ({problem})") from problem
        if len(entries) < width:
            raise self.damaged(path, f"has {len(entries)} entries, not {width}")
        return entries[:width]

    def hashes(self, level: int, index: int, size: int) -> bytes:
        """Read a tile's hashes as of a size that was committed."""
        length = min(WIDTH, (size >> level * HEIGHT) - index * WIDTH) * HASH_SIZE
        path, data = self._read(level, index, size)
        if len(data) < length or len(data) % HASH_SIZE:
            raise self.damaged(path, f"has {len(data)} bytes, not {length}")
        return data[:length]

    def node(self, level: int, index: int, size: int) -> bytes:
        """Return the hash of a complete subtree within a size; see `feem.core.tlog.merkle.Nodes`."""
        below = level % HEIGHT
        place = index << below
        row = self.hashes(level // HEIGHT, place // WIDTH, size)
        return top(row[place % WIDTH * HASH_SIZE :][: HASH_SIZE << below])

    def damaged(self, name: str, how: str) -> Unavailable:
        """Return that a file is not what FEEM wrote."""
        return Unavailable(
            f"audit directory {self.root}: {name} {how}; somebody else changed it: restore the newest copy of the whole folder"
        )

    def _read(self, level: int | None, index: int, size: int) -> tuple[str, bytes]:
        """Read a tile that may be replaced by a wider one at any moment; returns its name and content."""
        while True:
            count = size >> (level or 0) * HEIGHT
            name = tile_path(level, index, min(WIDTH, count - index * WIDTH))
            try:
                return name, (self.root / name).read_bytes()
            except FileNotFoundError:
                now = self.head().size
                if now <= size:
                    raise self.damaged(name, "is missing") from None
                size = now


def checkpoint_of(note: str) -> Checkpoint:
    """Return what a note says; its signatures are looked at elsewhere. Raises NoteError."""
    return parse_checkpoint(parse_note(note).text)


def record_of(entry: bytes, index: int) -> AuditSpec:
    """Return the record that stands at an index. Raises ValueError for anything else."""
    try:
        record = AuditSpec.model_validate_json(entry)
    except ValidationError as problem:
        raise ValueError(
            f"entry {index} is no audit record: {problem.errors(include_url=False)[0]['msg']}"
        ) from problem
    if record.index != index:
        raise ValueError(f"entry {index} says that it is entry {record.index}")
    return record


def top(row: bytes) -> bytes:
    """Return the hash over a row of hashes, a power of two of them."""
    hashes = [row[at : at + HASH_SIZE] for at in range(0, len(row), HASH_SIZE)]
    while len(hashes) > 1:
        hashes = [node_hash(hashes[at], hashes[at + 1]) for at in range(0, len(hashes), 2)]
    return hashes[0]
