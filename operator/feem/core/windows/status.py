"""What a ChangeWindow's status says: whether it is open, and its next change in words."""

from __future__ import annotations

from datetime import datetime

from feem.api.base import Condition, ConditionStatus
from feem.api.window import ChangeWindow, WindowSpec, WindowStatus, WindowType
from feem.core.conditions import condition, with_condition
from feem.core.windows.interval import FOREVER, HORIZON
from feem.core.windows.problem import Problem, problem_with
from feem.core.windows.state import closes_at
from feem.core.windows.times import is_over, next_span
from feem.core.windows.words import moment

ACCEPTED, OPEN = "Accepted", "Open"


def status_of(window: ChangeWindow, now: datetime) -> WindowStatus:
    """Say where a window is at a moment. One that cannot be used is on the safe side: a Freeze open, an Allow closed."""
    spec, generation = window.spec, window.metadata.generation
    problem, end = problem_with(spec), closes_at(spec, now)
    following = next_span(spec, now) if end is None else None
    opens = following.start if following is not None else None
    summary = f"cannot be used: {problem[0]}" if problem is not None else _next_change(spec, opens, end, now)
    fine = ("Accepted", "the window can be used")
    usable = ConditionStatus.TRUE if problem is None else ConditionStatus.FALSE
    is_open = ConditionStatus.FALSE if end is None else ConditionStatus.TRUE
    opened = _opened(spec, problem, summary, is_open=end is not None)
    conditions = window.status.conditions if window.status is not None else []
    for found in (
        condition(ACCEPTED, usable, *(problem or fine), now, generation),
        condition(OPEN, is_open, *opened, now, generation),
    ):
        conditions = with_condition(conditions, found)
    closes = end if end != FOREVER else None
    return WindowStatus(
        observed_generation=generation, conditions=conditions, opens_at=opens, closes_at=closes, summary=summary
    )


def opening(old: Condition | None, new: Condition) -> bool | None:
    """Say whether a window opened (True), closed (False), or neither (None). One nobody looked at before was closed."""
    before = old.status if old is not None else ConditionStatus.FALSE
    return new.status is ConditionStatus.TRUE if new.status is not before else None


def _next_change(spec: WindowSpec, opens: datetime | None, closes: datetime | None, now: datetime) -> str:
    if closes is not None:
        return "stays open" if closes == FOREVER else f"closes {moment(closes, now, spec.time_zone)}"
    if opens is not None:
        return f"opens {moment(opens, now, spec.time_zone)}"
    return "is over" if is_over(spec, now) else f"does not open within {HORIZON.days} days"


MEANINGS = {
    (WindowType.FREEZE, True): "nothing goes forward",
    (WindowType.FREEZE, False): "it holds nothing now",
    (WindowType.ALLOW, True): "changes may go forward",
    (WindowType.ALLOW, False): "it allows nothing now",
}


def _opened(spec: WindowSpec, problem: Problem | None, summary: str, *, is_open: bool) -> tuple[str, str]:
    """Give the reason and the sentence of condition `Open`."""
    meaning = MEANINGS[spec.type, is_open]
    if problem is not None:
        return "NotAccepted", f"{meaning} until the window is corrected: {problem[1]}"
    return "Open" if is_open else "Closed", f"{meaning}; the window {summary} ({spec.reason})"
