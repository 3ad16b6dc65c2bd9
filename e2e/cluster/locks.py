"""Locks between processes, freed by the kernel when their holder dies."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .context import Say


@contextmanager
def file_lock(path: Path, say: Say, what: str) -> Iterator[None]:
    """Let one process at a time work on `what`; says so once when it has to wait for another."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another run works on {what}: waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
