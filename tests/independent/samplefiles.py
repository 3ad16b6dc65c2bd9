"""Files of what is published, by name: in a directory, in a ZIP, in the list of a pack or report."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.independent.verifier_json import canonical


def listed(files: Mapping[str, bytes], **about: Any) -> dict[str, bytes]:
    """Add the list of files to a pack or report."""
    digests = {name: sha256(data).hexdigest() for name, data in files.items() if name != "pack.json"}
    return {**files, "pack.json": canonical({**about, "files": digests})}


def write_zip(path: Path, files: Mapping[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)


def read_zip(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def files_of(directory: Path) -> dict[str, bytes]:
    """Read a directory by the names that its files have in a bundle."""
    found = sorted(path for path in directory.rglob("*") if path.is_file())
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in found}
