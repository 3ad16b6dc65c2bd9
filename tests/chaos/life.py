"""What is expected of one decision about a run, and how a picture is changed."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Any

from feem.api.base import ConditionStatus
from feem.core.chaos.acts import InjectFault, UndoFault
from feem.core.chaos.decide import decide
from feem.core.chaos.edit import Remove
from feem.core.chaos.snapshot import RunSnapshot
from feem.core.chaos.status import State, state_of, status_of
from feem.core.conditions import condition
from tests.chaos import snapshots as at


@dataclass(frozen=True)
class Next:
    """What is expected of a plan; `ends` is result and cause."""

    action: str
    reason: str
    ends: tuple[str, str] = ("", "")
    finalizer: bool | None = None
    state: State | None = None
    in_place: str = ""


def check(s: RunSnapshot, expected: Next) -> None:
    before = copy.deepcopy(status_of(s.run))
    plan = decide(s)
    assert (plan.action, plan.reason, at.told(plan), plan.finalizer) == (
        *(expected.action, expected.reason, expected.ends, expected.finalizer),
    ), plan.message
    after = s.run.model_copy(update={"status": plan.status})
    if expected.state is not None:
        assert state_of(after) is expected.state
    if expected.in_place:
        assert at.said(plan.status, "FaultInPlace") == expected.in_place
    assert status_of(s.run) == before, "the snapshot stays as it is"
    made = [edit for effect in plan.effects if isinstance(effect, InjectFault) for edit in effect.edits]
    back = [target for effect in plan.effects if isinstance(effect, UndoFault) for target in effect.targets]
    assert tuple(made) == (at.edits_in(s) if plan.action == "InjectFault" else ())
    if plan.action == "UndoFault" and plan.reason != "PlanUnreadable":
        assert back == [edit.target for edit in reversed(at.edits_in(s)) if not isinstance(edit, Remove)]
    else:
        assert back == []


def skipped(cause: str) -> Next:
    return Next("ChaosRunEnded", cause, ("Skipped", cause), in_place="Never", state=State.ENDED)


def undone(cause: str) -> Next:
    in_place = "Unreadable" if cause == "PlanUnreadable" else "Undone"
    return Next("UndoFault", cause, in_place=in_place, state=State.RECOVERING)


def over(result: str, cause: str) -> Next:
    return Next("ChaosRunEnded", cause, (result, cause), in_place="Undone", state=State.ENDED)


def accepted(answer: ConditionStatus, generation: int = 1) -> Any:
    found = at.experiment()
    said = condition("Accepted", answer, "BadCron", "cron cannot be read", at.NOW, generation)
    return found.model_validate({**found.model_dump(), "status": {"conditions": [said.model_dump()]}})


def with_around(s: RunSnapshot, **changes: Any) -> RunSnapshot:
    return replace(s, around=replace(s.around, **changes))


def with_status(s: RunSnapshot, **changes: Any) -> RunSnapshot:
    status = status_of(s.run).model_copy(update=changes)
    return replace(s, run=s.run.model_copy(update={"status": status}))


def deleted(s: RunSnapshot) -> RunSnapshot:
    return replace(s, run=at.deleted(s.run))


def stopped(s: RunSnapshot) -> RunSnapshot:
    return replace(s, run=at.stopped(s.run))


def unreadable(s: RunSnapshot) -> RunSnapshot:
    broken = [one.model_copy(update={"detail": "{"}) for one in status_of(s.run).edits]
    return with_status(s, edits=broken)
