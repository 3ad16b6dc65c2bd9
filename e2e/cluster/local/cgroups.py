"""The cgroup all pods of one cluster live under, in every hierarchy of the machine (cgroup v1, v2 or both)."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from e2e.cluster.context import ClusterError


def hierarchies() -> list[Path]:
    """List the mount points of all cgroup hierarchies (proc(5), mountinfo)."""
    found: list[Path] = []
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        before, _, after = line.partition(" - ")
        if after.split(" ", 1)[0] in ("cgroup", "cgroup2"):
            found.append(Path(before.split(" ")[4]))
    return found


def make(name: str) -> None:
    """Create the group in each hierarchy, before the kubelet looks for it; cpusets start with all of the root's."""
    for root in hierarchies():
        try:
            (root / name).mkdir(exist_ok=True)
            for setting in ("cpuset.cpus", "cpuset.mems"):
                if (root / setting).exists():
                    (root / name / setting).write_text((root / setting).read_text(encoding="ascii"), encoding="ascii")
        except OSError as error:
            raise ClusterError(
                f"cgroup {root / name} cannot be made: {error}. Profile full of backend local needs cgroups it may "
                "write to; use backend kind or --profile api."
            ) from error


def remove(name: str, within: float = 10.0) -> None:
    """End what still runs in the group and remove it everywhere; quiet when there is none."""
    left = [root / name for root in hierarchies() if (root / name).is_dir()]
    deadline = time.monotonic() + within
    while left and time.monotonic() < deadline:
        for top in left:
            _empty(top)
        left = [top for top in left if top.is_dir()]
        if left:
            time.sleep(0.05)
    if left:
        raise ClusterError(f"cgroup {left[0]} cannot be removed: look into its cgroup.procs and run `down` again.")


def _empty(top: Path) -> None:
    """Kill the members and remove the folders, deepest first; a busy one is left for the next round."""
    for folder, _, _ in os.walk(top, topdown=False):
        try:
            for line in (Path(folder) / "cgroup.procs").read_text(encoding="ascii").split():
                os.kill(int(line), signal.SIGKILL)
        except (OSError, ProcessLookupError):
            pass
        try:
            Path(folder).rmdir()
        except OSError:
            continue
