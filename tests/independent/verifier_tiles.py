"""A published log as files (C2SP tlog-tiles): where they are, what they must hold, and the walk over all of them."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from tests.independent.verifier_faults import RejectedError
from tests.independent.verifier_merkle import Peaks, leaf_hash, root_of
from tests.independent.verifier_notes import Checkpoint
from tests.independent.verifier_records import LARGEST_ENTRY, Walk

WIDTH = 256
HASH = 32
LARGEST_BUNDLE = WIDTH * (LARGEST_ENTRY + 2)
LARGEST_FILE = 64 * 2**20
NAME = re.compile(
    r"checkpoint|keys\.txt|tile/(entries|[0-9]|[1-5][0-9]|6[0-3])/(x\d{3}/)*\d{3}(\.p/([1-9]\d{0,2}))?", re.ASCII
)
PLAIN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class Files(Protocol):
    """Where the files of a log are."""

    def read(self, name: str, most: int = LARGEST_FILE) -> bytes | None:
        """Give a file's bytes, None when it is not there; a file of more than `most` bytes is refused."""


class Folder:
    """The files of a published directory; those that nobody asks for do not matter."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, name: str, most: int = LARGEST_FILE) -> bytes | None:
        path = self.path / name
        if not path.is_file():
            return None
        if path.stat().st_size > most:
            raise RejectedError(f"{name} is larger than {most} bytes")
        return path.read_bytes()


class Archive:
    """The files in one ZIP that every reader unpacks alike: no duplicate names, no directories, plain names and methods."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, NotImplementedError, ValueError) as problem:
            raise RejectedError(f"not a ZIP: {problem}") from problem
        members = self._zip.infolist()
        self.names = tuple(member.orig_filename for member in members)
        if len(set(self.names)) != len(self.names):
            raise RejectedError("ZIP has two files of the same name")
        if self._zip.comment or (members and min(member.header_offset for member in members) != 0):
            raise RejectedError("ZIP has bytes before its first file, or a comment")
        for member in members:
            self._plain(member)

    @staticmethod
    def _plain(member: zipfile.ZipInfo) -> None:
        name = member.orig_filename
        steps = name.split("/")
        if "\\" in name or "\x00" in name or not all(steps) or "." in steps or ".." in steps:
            raise RejectedError(f"ZIP has a directory or a path that leads elsewhere: {name[:80]!r}")
        if member.compress_type not in PLAIN or member.flag_bits & 1:
            raise RejectedError(f"ZIP has {name[:80]!r} encrypted, or neither stored nor deflated")

    def read(self, name: str, most: int = LARGEST_FILE) -> bytes | None:
        if name not in self.names:
            return None
        member = self._zip.getinfo(name)
        if member.file_size > most:
            raise RejectedError(f"{name} is larger than {most} bytes")
        try:
            return self._zip.read(member)
        except (zipfile.BadZipFile, zlib.error, EOFError) as problem:
            raise RejectedError(f"ZIP is damaged at {name}: {problem}") from problem


def bundle(path: Path) -> Archive:
    """Open a whole log in one ZIP: the names of a published directory and no others."""
    archive = Archive(path)
    for name in archive.names:
        if not NAME.fullmatch(name):
            raise RejectedError(f"bundle has a file that a published log does not have: {name[:80]!r}")
    return archive


def path_of(level: int | None, index: int, width: int = WIDTH) -> str:
    """Name a tile's file; level None for the entries."""
    steps = [f"{index % 1000:03d}"]
    while index := index // 1000:
        steps.insert(0, f"x{index % 1000:03d}")
    partial = "" if width == WIDTH else f".p/{width}"
    return f"tile/{'entries' if level is None else level}/{'/'.join(steps)}{partial}"


def widths(size: int, level: int) -> Iterator[tuple[int, int]]:
    """Go over the tiles of a level: index and width, the partial one last."""
    full, rest = divmod(size // WIDTH**level, WIDTH)
    for index in range(full):
        yield index, WIDTH
    if rest:
        yield full, rest


def hashes_of(files: Files, level: int, index: int, width: int) -> tuple[bytes, ...]:
    """Read a tile of hashes."""
    name = path_of(level, index, width)
    data = files.read(name, LARGEST_BUNDLE)
    if data is None:
        raise RejectedError(f"{name} is missing")
    if len(data) != width * HASH:
        raise RejectedError(f"{name} has {len(data)} bytes, not {width} hashes of {HASH}")
    return tuple(data[at : at + HASH] for at in range(0, len(data), HASH))


def entries_of(files: Files, index: int, width: int) -> Iterator[tuple[int, bytes]]:
    """Read a bundle of entries: place and bytes. Raises RejectedError with the first place when it ends too early or too late."""
    name, first, at = path_of(None, index, width), index * WIDTH, 0
    data = files.read(name, LARGEST_BUNDLE)
    if data is None:
        raise RejectedError(f"{name} is missing", first)
    for place in range(first, first + width):
        begin = at + 2
        at = begin + int.from_bytes(data[at:begin], "big")
        if begin > len(data) or at > len(data):
            raise RejectedError(f"{name} ends within entry {place}, or before it", first)
        yield place, data[begin:at]
    if at != len(data):
        raise RejectedError(f"{name} has {len(data) - at} bytes after its {width} entries", first)


def walk(files: Files, checkpoint: Checkpoint, sizes: Sequence[int] = ()) -> dict[int, bytes]:
    """Check every entry, tile and record up to the checkpoint. Returns the roots at `sizes` (each at most the checkpoint's)."""
    peaks, records = Peaks(), Walk()
    roots = {0: peaks.root()}
    above: list[bytes] = []
    for index, width in widths(checkpoint.size, 0):
        try:
            leaves = _leaves(files, index, width, records)
        except RejectedError as problem:
            raise problem.at(index * WIDTH) from problem
        for leaf in leaves:
            peaks.append(leaf)
            if peaks.size in sizes:
                roots[peaks.size] = peaks.root()
        if width == WIDTH:
            above.append(root_of(leaves))
    if peaks.root() != checkpoint.root:
        raise RejectedError("root over the entries is not the checkpoint's")
    _higher(files, checkpoint.size, above)
    return roots


def _leaves(files: Files, index: int, width: int, records: Walk) -> tuple[bytes, ...]:
    hashes = hashes_of(files, 0, index, width)
    for (place, entry), leaf in zip(entries_of(files, index, width), hashes, strict=True):
        if leaf_hash(entry) != leaf:
            raise RejectedError("entry does not hash to the leaf in the tile", place)
        records.step(place, entry)
    return hashes


def _higher(files: Files, size: int, below: list[bytes]) -> None:
    """Check the tiles above level 0 against the hashes computed from the full tiles below."""
    level = 1
    while below:
        above: list[bytes] = []
        for index, width in widths(size, level):
            wanted = tuple(below[index * WIDTH : index * WIDTH + width])
            if hashes_of(files, level, index, width) != wanted:
                raise RejectedError(
                    f"{path_of(level, index, width)} has a hash that is not the one over the tile below"
                )
            if width == WIDTH:
                above.append(root_of(wanted))
        below, level = above, level + 1
