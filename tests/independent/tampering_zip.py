"""Tampering with a bundle: what a ZIP can hide."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path

from tests.independent.samplefiles import read_zip, write_zip
from tests.independent.tampering_kinds import Context, tampering


def _append(path: Path, name: str, data: bytes, method: int = zipfile.ZIP_STORED) -> None:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "a", method) as archive:
        warnings.simplefilter("ignore")
        archive.writestr(name, data)


@tampering("ZIP with a second checkpoint", "bundle")
def second_checkpoint(path: Path, context: Context) -> int | None:
    _append(path, "checkpoint", context.held.read_bytes())
    return None


@tampering("ZIP with a file that logs do not have", "bundle")
def foreign_file(path: Path, context: Context) -> int | None:
    _append(path, "tile/entries/README", b"ignore the rest")
    return None


@tampering("ZIP with a directory", "bundle")
def directory_inside(path: Path, context: Context) -> int | None:
    _append(path, "tile/", b"")
    return None


@tampering("ZIP with a path that leads out of it", "bundle")
def path_outside(path: Path, context: Context) -> int | None:
    _append(path, "tile/../../checkpoint", b"")
    return None


@tampering("ZIP with a name in other spelling", "bundle")
def other_spelling(path: Path, context: Context) -> int | None:
    files = read_zip(path)
    write_zip(path, {f"./{name}": data for name, data in files.items()})
    return None


@tampering("ZIP without its checkpoint", "bundle")
def no_checkpoint(path: Path, context: Context) -> int | None:
    files = read_zip(path)
    del files["checkpoint"]
    write_zip(path, files)
    return None


@tampering("ZIP compressed in a way that not everybody reads", "bundle")
def other_method(path: Path, context: Context) -> int | None:
    files = read_zip(path)
    note = files.pop("checkpoint")
    write_zip(path, files)
    _append(path, "checkpoint", note, zipfile.ZIP_BZIP2)
    return None


@tampering("ZIP cut short", "bundle")
def cut_short(path: Path, context: Context) -> int | None:
    path.write_bytes(path.read_bytes()[:-30])
    return None
