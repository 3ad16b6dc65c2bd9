"""Following a run: one line for each thing that becomes known, until it is over."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from feem.api.run import ChaosRun
from feem.cli.problem import NotFound, Problem, Unreachable
from feem.core.chaos.status import is_open
from feem.view.chaos.story import story

INTERVAL = 1.0
"""Seconds between two looks."""


def follow(
    look: Callable[[], ChaosRun],
    say: Callable[[str], None],
    *,
    deadline: float | None = None,
    until: Callable[[ChaosRun], bool] = lambda run: not is_open(run),
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> ChaosRun:
    """Say what becomes known until the run is so far, or the deadline has passed; a server that is away is waited for."""
    said, silent, run = set[str](), False, look()
    while True:
        for line in story(run):
            if line.key not in said:
                said.add(line.key)
                say(f"{_clock(line.at)} {line.text}")
        if until(run) or (deadline is not None and clock() >= deadline):
            return run
        sleep(INTERVAL)
        try:
            run, silent = look(), False
        except Unreachable as away:
            if not silent:
                say(f"{_clock(None)} {away.what}: {away.reason}; trying again")
            silent = True
        except NotFound as gone:
            raise Problem(gone.what, "it was deleted meanwhile", "feem chaos list") from gone


def _clock(at: datetime | None) -> str:
    return f"{(at or datetime.now(UTC)).astimezone(UTC):%H:%M:%S}"
