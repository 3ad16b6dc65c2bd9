"""Fetches the archive of the loans with pip, once, and reads tables from it; nothing of it is installed or unpacked."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from e2e.cluster.paths import cache_root

PACKAGE = "nannyml==0.13.*"
PATTERN = "nannyml-0.13*.whl"
PATIENCE = 300
"""Seconds that pip gets."""


class ArchiveMissing(RuntimeError):  # noqa: N818 - what happened, not who is at fault
    """The archive could not be had; the message says why and what to do."""


def fetch() -> Path:
    """Return the archive's path below FEEM's cache folder; raises ArchiveMissing."""
    folder = cache_root() / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    found = sorted(folder.glob(PATTERN))
    if found:
        return found[-1]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary", ":all:", "--dest", str(folder), PACKAGE]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired as slow:
        raise ArchiveMissing(
            f"pip download {PACKAGE} took more than {PATIENCE} s: try again with a better line"
        ) from slow
    found = sorted(folder.glob(PATTERN))
    if done.returncode or not found:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise ArchiveMissing(
            f"pip download {PACKAGE} failed: {last}; check the network and pip's index settings, then run this again"
        )
    return found[-1]


def rows(archive: Path, name: str) -> Iterator[Mapping[str, str]]:
    """Yield the rows of one CSV file of the archive; raises ArchiveMissing when it is not there."""
    member = f"nannyml/datasets/data/{name}.csv"
    try:
        with zipfile.ZipFile(archive) as opened, opened.open(member) as raw:
            yield from csv.DictReader(io.TextIOWrapper(raw, encoding="utf-8", newline=""))
    except (KeyError, zipfile.BadZipFile) as wrong:
        raise ArchiveMissing(
            f"{archive.name} holds no readable {member} ({wrong}): delete the file and run this again"
        ) from wrong
