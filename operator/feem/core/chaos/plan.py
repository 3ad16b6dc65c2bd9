"""The result of a run's decision: what to do, what to write down, when to look again."""

from __future__ import annotations

from dataclasses import dataclass

from feem.api.run import RunStatus
from feem.core.chaos.acts import InjectFault, UndoFault


@dataclass(frozen=True)
class RunPlan:
    """One transition of a run.

    `action`, `reason` and `message` announce the effects in the audit log; `fact` is written instead where nothing is done to the
    cluster; `status` is written after them. `requeue` is in seconds, None when only an event can change the decision. `finalizer` is
    whether FEEM's finalizer has to stand on the run before anything else is done (True), or to go at last (False).
    """

    action: str
    reason: str
    message: str
    status: RunStatus
    effects: tuple[InjectFault | UndoFault, ...] = ()
    requeue: float | None = None
    fact: bool = False
    finalizer: bool | None = None
    warning: bool = False
    event: bool = False
    """Whether people are told by an Event."""
