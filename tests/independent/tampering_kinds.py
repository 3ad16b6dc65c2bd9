"""What a kind of tampering is, and what attackers do in most of them: read a published log, change it, write it again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.independent.sampledocuments import Published
from tests.independent.samplelog import Record, Signer, publish, seal
from tests.independent.verifier_notes import parse_checkpoint, parse_note
from tests.independent.verifier_tiles import WIDTH, Folder, entries_of, path_of, widths


@dataclass(frozen=True)
class Context:
    """What an attacker has beside the copy that is tampered with: the originals, and copies of what goes with it."""

    published: Published
    held: Path
    entry: Path

    @property
    def signer(self) -> Signer:
        """The log's own keys, which only an attacker within the bank has."""
        if self.published.signer is None:
            raise LookupError("this tampering needs the log's signing keys")
        return self.published.signer


Change = Callable[[Path, Context], int | None]
"""Tampers with the copy at the path; returns the first bad index, None when the fault is not at one entry."""


@dataclass(frozen=True)
class Tampering:
    """One way to tamper with a `directory`, `bundle`, `pack`, `report` or `proof`, or (`held`) with what somebody kept a checkpoint of."""

    name: str
    kind: str
    needs_keys: bool
    change: Change


TAMPERINGS: list[Tampering] = []


def tampering(name: str, kind: str, *, keys: bool = False) -> Callable[[Change], Change]:
    """Enter a function into the list; `keys` says that it takes the log's signing keys."""

    def entered(change: Change) -> Change:
        TAMPERINGS.append(Tampering(name, kind, keys, change))
        return change

    return entered


def size_of(directory: Path) -> int:
    return parse_checkpoint(parse_note((directory / "checkpoint").read_bytes())[0]).size


def entries(directory: Path) -> list[bytes]:
    """Read all entries of a log that nobody has tampered with yet."""
    files = Folder(directory)
    tiles = widths(size_of(directory), 0)
    return [entry for index, width in tiles for _, entry in entries_of(files, index, width)]


def records(directory: Path) -> list[Record]:
    return [json.loads(entry) for entry in entries(directory)]


def tile(directory: Path, level: int | None, place: int) -> tuple[Path, int]:
    """Find the tile with the hash at `place` of a level (or with that entry), and the place within it."""
    within = size_of(directory) // WIDTH ** (level or 0)
    index, at = divmod(place, WIDTH)
    return directory / path_of(level, index, min(WIDTH, within - index * WIDTH)), at


def flip(path: Path, at: int) -> None:
    """Turn one bit over."""
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(bytes(data))


def middle(directory: Path) -> int:
    """Choose an entry in the middle, so that a count from either end goes wrong."""
    return size_of(directory) * 5 // 8


def replace(directory: Path, context: Context, place: int, entry: bytes) -> int:
    """Put another entry into its place and publish the log again with the log's keys."""
    found = entries(directory)
    found[place] = entry
    publish(directory, found, context.signer)
    return place


def reseal(directory: Path, context: Context, place: int, **changes: object) -> int:
    """Change members of a record (None: take out), with a fresh digest, and publish the log again with the log's keys."""
    return replace(directory, context, place, seal(altered(records(directory)[place], changes)))


def altered(record: Record, changes: Mapping[str, object]) -> Record:
    """Change members of a record; None takes one out, for no record has a null."""
    return {name: value for name, value in {**record, **changes}.items() if value is not None}


def last(found: list[Record], part: str, before: int | None = None) -> int:
    """Find the last record of a part."""
    return max(place for place, record in enumerate(found[:before]) if record["part"] == part)
