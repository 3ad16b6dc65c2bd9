"""The next status of a run, built from the last one; and what its state is."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from feem.api.base import ConditionStatus
from feem.api.experiment import RunResult
from feem.api.run import ChaosRun, RunStatus
from feem.core.conditions import condition, find, said, with_condition

PROGRESSING, IN_PLACE, RECOVERED, SUCCEEDED = "Progressing", "FaultInPlace", "Recovered", "Succeeded"
MESSAGE_LENGTH = 8000


class State(StrEnum):
    """How far a run is, by what is durable of it."""

    NEW = "New"
    CHECKING = "Checking"
    PLANNED = "Planned"
    RUNNING = "Running"
    RECOVERING = "Recovering"
    ENDED = "Ended"


def status_of(run: ChaosRun) -> RunStatus:
    """Return the run's status, an empty one for a new run."""
    return run.status or RunStatus()


def state_of(run: ChaosRun) -> State:
    """Return how far a run is."""
    status = status_of(run)
    if status.completed_at is not None:
        return State.ENDED
    if status.undone_at is not None:
        return State.RECOVERING
    if status.injected_at is not None:
        return State.RUNNING
    if status.planned_at is not None:
        return State.PLANNED
    return State.CHECKING if status.terms is not None else State.NEW


def is_open(run: ChaosRun) -> bool:
    """Whether the run is not over."""
    return status_of(run).completed_at is None


def may_be_in_place(run: ChaosRun) -> bool:
    """Whether some of the fault may be there."""
    status = status_of(run)
    return status.planned_at is not None and status.undone_at is None and status.completed_at is None


def result_of(run: ChaosRun) -> str:
    """Return how the run ended, empty while it is open."""
    found = find(status_of(run).conditions, SUCCEEDED)
    return found.reason if found is not None and found.status is not ConditionStatus.UNKNOWN else ""


def next_status(
    run: ChaosRun,
    now: datetime,
    *,
    progressing: tuple[bool, str, str],
    in_place: tuple[bool, str, str] | None = None,
    recovered: tuple[bool, str, str] | None = None,
    result: tuple[RunResult, str] | None = None,
    **fields: Any,
) -> RunStatus:
    """Return the status with these conditions and fields changed."""
    old, generation = status_of(run), run.metadata.generation
    conditions = list(old.conditions)
    if find(conditions, SUCCEEDED) is None:
        text = "the run is under way"
        conditions.append(condition(SUCCEEDED, ConditionStatus.UNKNOWN, "Running", text, now, generation))
    if find(conditions, IN_PLACE) is None and in_place is None:
        in_place = (False, "NotYet", "nothing was injected")
    for kind, change in ((PROGRESSING, progressing), (IN_PLACE, in_place), (RECOVERED, recovered)):
        if change is not None:
            status = ConditionStatus.TRUE if change[0] else ConditionStatus.FALSE
            new = condition(kind, status, change[1], change[2][:MESSAGE_LENGTH], now, generation)
            conditions = with_condition(conditions, new)
    if result is not None:
        status = ConditionStatus.TRUE if result[0] is RunResult.PASSED else ConditionStatus.FALSE
        new = condition(SUCCEEDED, status, result[0].value, result[1][:MESSAGE_LENGTH], now, generation)
        conditions = with_condition(conditions, new)
    return old.model_copy(update={**fields, "conditions": conditions, "observed_generation": generation})


def differs(old: RunStatus, new: RunStatus) -> bool:
    """Whether the new status says something new; figures of objectives alone do not, the next transition brings them along."""
    return _essence(old) != _essence(new)


def _essence(status: RunStatus) -> tuple[object, ...]:
    times = (
        status.planned_at,
        status.injected_at,
        status.undone_at,
        status.recovered_at,
        status.completed_at,
        status.breached_at,
        status.unmeasured_since,
    )
    effect = status.effect
    seen = (effect.seen_at, effect.gone_at) if effect is not None else None
    texts = tuple(item.message for item in status.conditions if item.type in (PROGRESSING, SUCCEEDED))
    return (said(status.conditions), texts, times, seen, status.cause, status.terms, status.residue, status.kept)
