"""Small volumes in memory, to be filled to the last byte."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def small(folder: Path, size: str, owner: str = "root") -> Iterator[None]:
    """Mount a volume of this size (`256k`, `4m`) on an empty folder; needs root."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},uid={owner}", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def enlarge(folder: Path, size: str) -> None:
    """Add space to it."""
    subprocess.run(["mount", "-o", f"remount,size={size}", folder], check=True)
