"""What the kernel lets this process have, and how often it kept it waiting: limits can be lowered in place while it runs."""

from __future__ import annotations

from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
PLACES = ("memory.max", "memory/memory.limit_in_bytes")
"""Of cgroup v2 and v1, as seen from within a container."""


def memory_limit(root: Path = CGROUPS) -> float:
    """Return the memory limit in bytes; infinity where there is none, or it cannot be read."""
    for place in PLACES:
        try:
            text = (root / place).read_text().strip()
        except OSError:
            continue
        return float(text) if text.isdigit() else float("inf")
    return float("inf")


def throttled_periods(root: Path = CGROUPS) -> float:
    """Return in how many periods the kernel kept this container from a processor because its limit was reached; 0 if unknown."""
    for place in ("cpu.stat", "cpu/cpu.stat"):
        try:
            lines = (root / place).read_text().splitlines()
        except OSError:
            continue
        pairs = dict(line.split() for line in lines if len(line.split()) == 2)
        return float(pairs.get("nr_throttled", 0))
    return 0.0
