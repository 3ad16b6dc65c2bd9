"""The command line's hand on a running supervisor: start, stop and wait for components."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from e2e.cluster.context import ClusterError
from e2e.cluster.processes import alive

from .plan import Component, read_plan, read_running, write_plan
from .record import supervisor_of
from .supervisor import RELOAD

_HEARTBEAT = 15.0  # seconds between two lines while waiting


def tell(state: Path, components: list[Component]) -> None:
    """Hand the supervisor a new plan."""
    supervisor = supervisor_of(state)
    if supervisor is None or not alive(supervisor):
        raise ClusterError(f"the supervisor of cluster {state.name} does not run: run `up --name {state.name}` again.")
    write_plan(state, components)
    os.kill(supervisor.pid, RELOAD)


def add(state: Path, components: list[Component]) -> None:
    """Start further components beside those of the plan."""
    names = {component.name for component in components}
    tell(state, [*(entry for entry in read_plan(state) if entry.name not in names), *components])


def want(state: Path, name: str, *, wanted: bool) -> None:
    """Start or stop one component and wait until the supervisor has done so; others are left alone."""
    plan = read_plan(state)
    if name not in {component.name for component in plan}:
        known = ", ".join(component.name for component in plan)
        raise ClusterError(f"cluster {state.name} has no component {name!r}: it has {known}.")
    tell(state, [replace(entry, wanted=wanted) if entry.name == name else entry for entry in plan])
    wait_until(
        lambda: (name in read_running(state)) == wanted,
        within=20.0,
        failed=lambda: f"{name} of cluster {state.name} did not {'start' if wanted else 'stop'}: see {state}/logs.",
    )


def wait_until(
    done: Callable[[], bool],
    *,
    within: float,
    failed: Callable[[], str],
    pause: float = 0.05,
    waiting: Callable[[float], None] | None = None,
) -> None:
    """Ask again and again until the answer is yes; ClusterError with `failed()` after `within` seconds.

    `waiting` is told the seconds gone by, once in a while.
    """
    start = shown = time.monotonic()
    while not done():
        now = time.monotonic()
        if now - start >= within:
            raise ClusterError(failed())
        if waiting and now - shown >= _HEARTBEAT:
            shown = now
            waiting(now - start)
        time.sleep(pause)


def log_tail(state: Path, name: str, lines: int = 8) -> str:
    """Return the last lines of a component's log, for error messages."""
    try:
        text = (state / "logs" / f"{name}.log").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return "(it wrote no log)"
    return "\n".join(line[:400] for line in text.strip().splitlines()[-lines:])
