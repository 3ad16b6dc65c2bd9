"""Where a published log, or a pack, is read from: a folder, or one ZIP file."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from feem.cli.problem import Problem

LARGEST = 512 * 1024 * 1024
"""Bytes of one file within: what unpacks to more is no log."""


class Source(Protocol):
    """Files by name."""

    @property
    def names(self) -> list[str]:
        """All names; one that stands there twice, twice."""
        ...

    def read(self, name: str) -> bytes | None:
        """Return a file's content, None when it is not there."""
        ...


@dataclass(frozen=True)
class Folder:
    """A folder of files."""

    path: Path

    @property
    def names(self) -> list[str]:
        """The names of all files, relative to the folder."""
        return [path.relative_to(self.path).as_posix() for path in sorted(self.path.rglob("*")) if path.is_file()]

    def read(self, name: str) -> bytes | None:
        """Return a file's content."""
        try:
            return (self.path / PurePosixPath(name)).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as refused:
            raise Problem(f"file {self.path / name}", str(refused.strerror), "see that it can be read") from refused


@dataclass(frozen=True)
class Archive:
    """A ZIP file."""

    path: Path
    zip: zipfile.ZipFile

    @property
    def names(self) -> list[str]:
        """The names of all members."""
        return [info.filename for info in self.zip.infolist()]

    def read(self, name: str) -> bytes | None:
        """Return a member's content."""
        try:
            info = self.zip.getinfo(name)
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise Problem(
                    f"{self.path}: {name}", "it is packed in a way that bundles do not use", "ask for another copy"
                )
            if info.file_size > LARGEST:
                raise Problem(f"{self.path}: {name}", f"it unpacks to {info.file_size:,} bytes", "ask for another copy")
            return self.zip.read(info)
        except KeyError:
            return None
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as broken:
            raise Problem(
                f"{self.path}: {name}", f"it cannot be unpacked ({broken})", "ask for another copy"
            ) from broken


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """Open a folder or a ZIP file. Raises Problem when it is neither."""
    if path.is_dir():
        yield Folder(path)
        return
    try:
        archive = zipfile.ZipFile(path)
    except OSError as missing:
        raise Problem(f"file {path}", str(missing.strerror), "feem audit export --file LOG.zip writes one") from missing
    except zipfile.BadZipFile as broken:
        raise Problem(
            f"file {path}", "it is neither a folder nor a ZIP file", "feem audit export --file LOG.zip writes one"
        ) from broken
    with archive:
        yield Archive(path, archive)
