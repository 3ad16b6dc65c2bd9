"""Conditions as KEP-1623 has them: a transition time that moves only when the status does."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from feem.api.base import Condition, ConditionStatus


def find(conditions: Iterable[Condition], kind: str) -> Condition | None:
    """Return the condition of this type, or None."""
    return next((condition for condition in conditions if condition.type == kind), None)


def is_true(conditions: Iterable[Condition], kind: str) -> bool:
    """Whether the condition of this type is there and True."""
    found = find(conditions, kind)
    return found is not None and found.status is ConditionStatus.TRUE


def with_condition(conditions: Iterable[Condition], new: Condition) -> list[Condition]:
    """Return the conditions with `new` in place of the one of its type, keeping the transition time where the status stays."""
    kept, placed = [], False
    for old in conditions:
        if old.type != new.type:
            kept.append(old)
            continue
        same = old.status is new.status
        kept.append(new.model_copy(update={"last_transition_time": old.last_transition_time}) if same else new)
        placed = True
    return kept if placed else [*kept, new]


def condition(
    kind: str, status: ConditionStatus, reason: str, message: str, now: datetime, generation: int
) -> Condition:
    """Make one condition."""
    return Condition(
        type=kind,
        status=status,
        reason=reason,
        message=message,
        last_transition_time=now,
        observed_generation=generation,
    )


def said(conditions: Iterable[Condition]) -> tuple[tuple[str, str, str, int], ...]:
    """What the conditions say apart from wording and time: two equal results need no write."""
    return tuple((item.type, item.status, item.reason, item.observed_generation) for item in conditions)
