"""Files of one folder that change together: written beside, synced, renamed, and seen only once the last rename is done."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from feem.ports import Unavailable

LOCK = ".lock"
STAGED = ".new"
"""One name for everything that is being written: only the holder of the lock writes, so what a crash leaves is overwritten."""

_NEXT_STEPS = {
    errno.ENOSPC: "add space to its volume or free some: nothing was written",
    errno.EDQUOT: "raise the quota of its volume: nothing was written",
    errno.EFBIG: "raise the limit on file sizes (`ulimit -f`): nothing was written",
    errno.EROFS: "mount its volume writable",
    errno.EACCES: f"give user {os.geteuid()} the right to write there",
    errno.EPERM: f"give user {os.geteuid()} the right to write there",
    errno.ENOENT: "mount its volume, or make the folder",
    errno.EIO: "check its disk",
}


def told(root: Path, problem: OSError) -> Unavailable:
    """Return what went wrong with a file as the port says it: the object, the reason, the next step."""
    name = problem.filename2 or problem.filename
    where = f" at {name}" if name else ""
    step = _NEXT_STEPS.get(problem.errno or 0, "check its volume")
    return Unavailable(f"audit directory {root}: {problem.strerror or problem}{where}; {step}")


class Change:
    """Files written under the lock. Until `commit` nobody looks at them; what is not committed is taken away again."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._fresh: list[Path] = []
        self._folders: set[Path] = set()
        self._committed = False

    def write(self, name: str, data: bytes) -> None:
        """Put a whole file in place. Raises OSError."""
        target = self._root / name
        self._make(target.parent)
        self._stage(data)
        self._fresh.append(target)
        (self._root / STAGED).replace(target)
        self._folders.add(target.parent)

    def commit(self, name: str, data: bytes, mode: int | None = None) -> None:
        """Put the file in place that makes the others count; `mode` is one stricter than the umask's.

        Raises OSError; after the rename nobody can tell what a crash would leave.
        """
        for folder in self._folders:
            _sync(folder)
        self._folders.clear()
        self._stage(data, mode)
        self._committed = True  # before the attempt: when its answer is doubtful, the files must stay
        (self._root / STAGED).replace(self._root / name)
        _sync(self._root)

    def undo(self) -> None:
        """Take away what was written without a commit, as far as the disk lets us."""
        if self._committed:
            return
        for path in (self._root / STAGED, *self._fresh):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def _make(self, folder: Path) -> None:
        if folder.is_dir():
            return
        self._make(folder.parent)
        folder.mkdir(exist_ok=True)
        self._folders.add(folder.parent)

    def _stage(self, data: bytes, mode: int | None = None) -> None:
        with (self._root / STAGED).open("wb") as file:
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())


@contextlib.contextmanager
def changing(root: Path, patience: float) -> Iterator[Change]:
    """Hold the folder's lock, for one change. Raises Unavailable when another process keeps it longer than `patience` seconds, OSError."""
    root.mkdir(exist_ok=True)
    with _locked(root, patience):
        change = Change(root)
        try:
            yield change
        finally:
            change.undo()


@contextlib.contextmanager
def _locked(root: Path, patience: float) -> Iterator[None]:
    """Hold the lock file; the kernel lets go of it when its holder dies."""
    deadline = time.monotonic() + patience
    pause = 0.001
    while True:
        handle = os.open(root / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            if _try(handle) and _is_current(handle, root / LOCK):
                yield
                return
        finally:
            os.close(handle)
        if time.monotonic() >= deadline:
            raise Unavailable(
                f"audit directory {root}: another process has held {LOCK} for {patience:g} s; "
                f"find it with `fuser {root / LOCK}`: it may be stopped, or its volume may hang"
            )
        time.sleep(pause)
        pause = min(pause * 2, 0.02)


def _try(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_current(handle: int, path: Path) -> bool:
    """Whether the locked file still is the one of that name: a lock on a deleted file excludes nobody."""
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    held = os.fstat(handle)
    return (held.st_dev, held.st_ino) == (there.st_dev, there.st_ino)


def remove(path: Path) -> None:
    """Remove a file that is needed no more, and its folder when that is empty then; failing to is no harm."""
    with contextlib.suppress(OSError):
        path.unlink()
        path.parent.rmdir()


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
