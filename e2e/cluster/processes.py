"""Processes by identity: a pid alone may have been given to somebody else since it was written down."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

MARK = "FEEM_CLUSTER"  # environment variable that names the state folder a process belongs to


@dataclass(frozen=True)
class Process:
    """One process: pid in the namespace of whoever asks, start time in clock ticks, and the boot it belongs to."""

    pid: int
    started: int
    boot: str


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _stat(pid: int) -> tuple[str, int] | None:
    """State letter and start time of a process (proc(5), fields 3 and 22); None when there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text[text.rindex(")") + 2 :].split()
    return fields[0], int(fields[19])


def identify(pid: int) -> Process | None:
    """Write down who a pid is now; None when no such process runs."""
    found = _stat(pid)
    return Process(pid, found[1], boot_id()) if found and found[0] not in "ZX" else None


def alive(process: Process) -> bool:
    """Tell whether this very process still runs (a zombie does not)."""
    found = _stat(process.pid)
    return found is not None and found[0] not in "ZX" and found[1] == process.started and process.boot == boot_id()


def marked(state: Path) -> list[Process]:
    """Find processes that carry the mark of this state folder, so that a lost record leaves nobody behind."""
    wanted = f"{MARK}={state}".encode()
    found: list[Process] = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            environment = (entry / "environ").read_bytes()
        except (PermissionError, FileNotFoundError, ProcessLookupError):
            continue
        if wanted in environment.split(b"\0"):
            process = identify(int(entry.name))
            if process:
                found.append(process)
    return found


def kill(processes: Iterable[Process], within: float = 10.0) -> list[Process]:
    """Send SIGKILL to each and wait until they are gone; returns those that outlive `within` seconds."""
    left = [process for process in processes if alive(process)]
    for process in left:
        try:
            os.kill(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    deadline = time.monotonic() + within
    while left and time.monotonic() < deadline:
        left = [process for process in left if alive(process)]
        if left:
            time.sleep(0.02)
    return left
