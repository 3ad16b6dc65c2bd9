"""decide(snapshot) -> RunPlan: the whole life of a run, one transition at a time.

Level-triggered, as for releases: the plan depends on what is durable and on what is there now. The order of the questions is the
order of importance: is it over, must the fault go, may it stay, is everything as before.
"""

from __future__ import annotations

from dataclasses import replace

from feem.core.chaos import checking, recovering, running
from feem.core.chaos.plan import RunPlan
from feem.core.chaos.snapshot import RunSnapshot
from feem.core.chaos.status import State, state_of, status_of
from feem.core.finalizer import FINALIZER


def decide(s: RunSnapshot) -> RunPlan:
    """Return the next transition of a run."""
    match state_of(s.run):
        case State.ENDED:
            return _ended(s)
        case State.RECOVERING:
            return recovering.recover(s)
        case State.RUNNING:
            return running.go_on(s)
        case State.PLANNED:
            return running.begin(s)
    plan = checking.check(s)
    return replace(plan, finalizer=True) if plan.status.planned_at is not None else plan


def _ended(s: RunSnapshot) -> RunPlan:
    owed = FINALIZER in s.run.metadata.finalizers
    return RunPlan("Wait", "Ended", "the run is over", status_of(s.run), finalizer=False if owed else None)
