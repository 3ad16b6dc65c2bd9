"""Files of a witness: replaced as a whole and synced, in a folder that one process holds."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

LOCK = ".lock"
_STAGED = ".new"
"""One name for what is being written: only the holder of the lock writes, so what a crash leaves is taken away."""


class InUse(Exception):  # noqa: N818 - it is an outcome of an attempt, not an error of the program
    """Another process holds the folder."""


def hold(folder: Path) -> int:
    """Return a descriptor that holds the folder until it is closed; the kernel closes it when the process dies. Raises InUse, OSError."""
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise InUse from None
    except OSError:
        os.close(handle)
        raise
    return handle


def replace_file(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Put a whole file in place; it is on the disk on return. Raises OSError: then either the old or the new one is there."""
    staged = path.parent / _STAGED
    staged.unlink(missing_ok=True)
    with os.fdopen(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    staged.replace(path)
    handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
