"""After the end: what a release owes, and when that is paid."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from feem.api.base import ConditionStatus
from feem.api.release import Release, ReleaseStatus
from feem.core.conditions import condition, find, with_condition
from feem.core.gates.result import Closure
from feem.core.rollout.plan import Plan
from feem.core.rollout.status import status_of

SIGNED_OFF = "SignedOff"


def with_duty(plan: Plan, release: Release, closure: Closure, now: datetime) -> Plan:
    """Return the plan with what is owed on its status."""
    return replace(plan, status=settled(release, closure, now))


def settled(release: Release, closure: Closure, now: datetime) -> ReleaseStatus:
    """Return an ended release's status with what it owes, whether that is paid, and until when its record stays."""
    old = status_of(release)
    stays = closure.retain_until if closure.retain_until is not None and closure.retain_until > now else None
    status = old.model_copy(update={"sign_off": closure.duty, "retain_until": stays})
    if closure.duty is None:
        return status
    paid = ConditionStatus.TRUE if closure.signed else ConditionStatus.FALSE
    answer = condition(SIGNED_OFF, paid, closure.reason, closure.message, now, release.metadata.generation)
    return status.model_copy(update={"conditions": with_condition(old.conditions, answer)})


def is_settled(release: Release) -> bool:
    """Whether nothing is owed any more, and nothing keeps the record from being deleted."""
    status = status_of(release)
    found = find(status.conditions, SIGNED_OFF)
    signed = status.sign_off is None or (found is not None and found.status is ConditionStatus.TRUE)
    return signed and status.retain_until is None


def seconds_until_change(release: Release, now: datetime) -> float | None:
    """Seconds until time alone changes what an ended release says: a duty becomes overdue, a record need not be kept longer."""
    status = status_of(release)
    moments = [status.sign_off.due if status.sign_off is not None else None, status.retain_until]
    ahead = [(moment - now).total_seconds() for moment in moments if moment is not None and moment > now]
    return min(ahead, default=None)
