"""The next status of a ManagedService."""

from __future__ import annotations

from feem.api.base import Condition, ConditionStatus
from feem.api.service import Mode, ServiceStatus
from feem.core.conditions import condition, said, with_condition
from feem.core.guard.intact import REMEDY
from feem.core.guard.since import next_guard
from feem.core.rollout.service_plan import ServicePlan
from feem.core.rollout.snapshot import HoldMechanism, ServiceSnapshot

HOLD_WORDS = {
    HoldMechanism.ADMISSION: "the API server pauses the Deployment in the request that changes its template",
    HoldMechanism.STANDING: (
        "FEEM keeps the Deployment paused at rest, because MutatingAdmissionPolicy hold.feem.dev and its binding are not "
        "installed; nobody stamps who asks for a change"
    ),
}


def next_status(seen: ServiceSnapshot, plan: ServicePlan) -> ServiceStatus:
    """Return the status a plan leads to."""
    service = seen.service
    old = service.status or ServiceStatus()
    generation = service.metadata.generation
    ready, reason, message = plan.ready
    governed = seen.workload is not None and seen.workload.governed_by == service.metadata.name

    def made(kind: str, holds: bool, why: str, text: str) -> Condition:  # noqa: FBT001 - a condition's status
        status = ConditionStatus.TRUE if holds else ConditionStatus.FALSE
        return condition(kind, status, why, text, seen.now, generation)

    conditions = with_condition(old.conditions, made("Ready", ready, reason, message))
    whole = not seen.guard.weakened
    conditions = with_condition(
        conditions, made("Guarded", whole, "InForce" if whole else "PolicyWeakened", _guard_words(seen)[:8000])
    )
    if service.spec.mode is Mode.OBSERVE and not governed:
        conditions = with_condition(conditions, made("Hold", False, "Observing", "nothing is held: mode is Observe"))
    elif governed:
        conditions = with_condition(conditions, made("Hold", True, seen.hold, HOLD_WORDS[seen.hold]))
    else:
        conditions = with_condition(conditions, made("Hold", False, "NotGoverned", "changes are not held yet"))
    return ServiceStatus(
        observed_generation=generation,
        conditions=conditions,
        stable=plan.stable or old.stable,
        release=seen.releases[-1].metadata.name if seen.releases else "",
        pod_selector=dict(seen.pod_selector) if governed else {},
        guard=next_guard(old.guard, seen.guard.weakened, seen.guard_digest, seen.now),
    )


def _guard_words(seen: ServiceSnapshot) -> str:
    if seen.guard.weakened:
        return "; ".join((*seen.guard.weakened, REMEDY))
    return "all of FEEM's admission policies are in force as shipped"


def differs(old: ServiceStatus | None, new: ServiceStatus) -> bool:
    """Whether the new status says something new, in other words too: the same reason may come with another next step."""
    return old is None or _essence(old) != _essence(new)


def _essence(status: ServiceStatus) -> tuple[object, ...]:
    words = [item.message for item in status.conditions]
    guard = status.guard, tuple(sorted(status.pod_selector.items()))
    return said(status.conditions), words, status.stable, status.release, status.observed_generation, guard
