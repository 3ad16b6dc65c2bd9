"""Wheels for images, fetched on the host: the build of an image then needs no network."""

from __future__ import annotations

import hashlib
import platform
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from e2e.cluster.commands import run
from e2e.cluster.context import Say
from e2e.cluster.locks import file_lock

GLIBC_MINORS = (5, 12, 17, 24, 26, 27, 28, 31, 34, 35, 36)  # Debian 12 has glibc 2.36


def wheelhouse(requirements: Sequence[str], cache: Path, say: Say) -> Path:
    """Give a folder with the wheels of `requirements` and all they need, for Python 3.11 on Debian 12.

    Keyed by the requirements' text. Raises ClusterError when pip cannot have one of them as a wheel.
    """
    machine = platform.machine()
    key = hashlib.sha256("\n".join([machine, *sorted(requirements)]).encode()).hexdigest()[:16]
    folder = cache / "wheelhouse" / key
    with file_lock(cache / "locks" / f"wheels-{key}.lock", say, "the wheels"):
        if folder.exists():
            return folder
        say(f"fetching the wheels of {len(requirements)} requirements from PyPI")
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetching-") as partial:
            fetched = Path(partial) / "wheels"
            next_step = "Check that pip reaches its package index and that each requirement has a wheel."
            run([*_download(machine), "-d", fetched, *requirements], next_step=next_step)
            fetched.rename(folder)
    return folder


def _download(machine: str) -> list[str]:
    platforms = [f"manylinux_2_{minor}_{machine}" for minor in GLIBC_MINORS] + [f"manylinux2014_{machine}"]
    target = ["--only-binary=:all:", "--python-version", "3.11", "--implementation", "cp"]
    target += [word for abi in ("cp311", "abi3", "none") for word in ("--abi", abi)]
    target += [word for name in platforms for word in ("--platform", name)]
    return [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", *target]
