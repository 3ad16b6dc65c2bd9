"""A release waits for a fault: nothing goes forward while an experiment may have something broken. Going back never waits."""

from __future__ import annotations

from typing import Any

from feem.api.release import Release
from feem.api.run import ChaosRun
from feem.core.chaos.status import is_open
from feem.core.rollout.plan import Plan
from feem.core.rollout.runs import disturbs, is_own
from feem.core.rollout.snapshot import ReleaseSnapshot
from feem.core.rollout.waiting import wait

SOON = 1.0
"""Seconds until the next look: whoever runs the experiment sees that a release waits, and takes the fault back at once."""


def wait_for_undo(s: ReleaseSnapshot, found: dict[str, Any] | None = None, *, repairs: bool = False) -> Plan | None:
    """Return the plan that waits until nothing is broken, or None; `found` is what the status says of now.

    `repairs`: the weight of the present step is written once more, which the release's own experiment may see.
    """
    if s.directives.paused and not repairs:
        return None
    run = next((one for one in s.runs if _stands_in_the_way(one, s.release, repairs=repairs)), None)
    if run is None:
        return None
    text = (
        f"ChaosRun {run.metadata.name} has a fault in place, or is about to: it is stopped, and the release goes on once all of it "
        "is undone"
    )
    return wait(s, "WaitingForChaos", text, going=True, requeue=SOON, **(found or {}))


def _stands_in_the_way(run: ChaosRun, release: Release, *, repairs: bool) -> bool:
    """The release's own experiment does as soon as it is asked for: its canary would else get a fault and all requests at once."""
    return (is_open(run) and not repairs) if is_own(run, release) else disturbs(run)
