"""Changes go forward in their change windows only, and in no freeze."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from feem.api.gate import Need, WindowGate
from feem.api.window import ChangeWindow, WindowType
from feem.core.gates.answer import Answer, holds, passes
from feem.core.gates.case import Case
from feem.core.gates.words import listed
from feem.core.windows.problem import problem_with
from feem.core.windows.state import state_of
from feem.core.windows.times import span_at
from feem.core.windows.words import moment


def ask(gate: WindowGate, case: Case) -> Answer:
    """Hold outside the service's Allow windows; freezes are another gate's business."""
    state = state_of(case.windows, case.now, need_allow=True)
    allows = [window for window in case.windows if window.spec.type is WindowType.ALLOW]
    if state.allow:
        return passes("InWindow", "a change window is open", state.changes_at)
    if not state.has_allow:
        if gate.allowed is Need.OPTIONAL:
            return passes("NoWindowNeeded", "no change window is made for the service, and none is needed")
        message = (
            f"no change window is made for ManagedService {case.release.spec.service}: create a ChangeWindow of type Allow whose "
            "scope has it, or have the profile make windows Optional"
        )
        return holds("NoWindow", message, "no change window", state.changes_at)
    unusable = _unusable(allows)
    names = listed(window.metadata.name for window in allows)
    if state.opens_at is None:
        message = (
            f"no change window opens in the time ahead ({names}){unusable}: correct or create one (kubectl get cwin)"
        )
        return holds("OutsideWindow", message, "no window opens", state.changes_at)
    when = moment(state.opens_at, case.now, _zone(allows, state.opens_at))
    message = f"outside the change windows ({names}); changes may go forward from {when} on{unusable}"
    return holds("OutsideWindow", message, f"window opens {when}", state.changes_at)


def ask_freezes(case: Case) -> Answer:
    """Hold while any freeze is open whose scope has the service, with a profile or without."""
    state = state_of(case.windows, case.now, need_allow=False)
    if not state.freezes:
        return passes("NoFreeze", "no change freeze is open", state.changes_at)
    names = listed(window.metadata.name for window in state.freezes)
    reasons = "; ".join(f"{window.metadata.name}: {window.spec.reason}" for window in state.freezes)
    unusable = _unusable(state.freezes)
    if state.opens_at is None:
        until, short = "for as long as can be seen", f"freeze {names}"
    else:
        when = moment(state.opens_at, case.now, _zone(state.freezes, None))
        until, short = f"until {when}", f"freeze {names} until {when}"
    message = f"changes are frozen {until} ({reasons}){unusable}; rolling back is never held"
    return holds("ChangeFreeze", message, short, state.changes_at)


def _unusable(windows: Sequence[ChangeWindow]) -> str:
    found = ((window.metadata.name, problem_with(window.spec)) for window in windows)
    return "".join(f"; ChangeWindow {name} cannot be used: {problem[1]}" for name, problem in found if problem)


def _zone(windows: Sequence[ChangeWindow], at: datetime | None) -> str:
    """In whose time zone a moment is told: that of the window that is open then, else of the first that can be used."""
    usable = [window.spec for window in windows if problem_with(window.spec) is None]
    if at is not None:
        usable.sort(key=lambda spec: span_at(spec, at) is None)
    return usable[0].time_zone if usable else "UTC"
