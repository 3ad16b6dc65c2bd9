"""The next status of a release, built from the last one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from feem.api.base import ConditionStatus
from feem.api.release import ObjectiveVerdict, Outcome, Release, ReleaseStatus
from feem.core.conditions import condition, find, said, with_condition

FIGURES_AGAIN = timedelta(seconds=30)
"""How old the figures of a step's verdicts may become on the status."""

TOLD_ANEW = frozenset({"Experimenting", "ExperimentInconclusive", "ExperimentMissing", "WaitingForChaos"})
"""States whose message says more than the state, and changes with what it tells of: it is worth a write of its own."""

HELD = "Held"
PROGRESSING = "Progressing"
SUCCEEDED = "Succeeded"
ALLOWED = "Allowed"

PROMOTED = "Promoted"
ROLLED_BACK = "RolledBack"
ABORTED = "Aborted"
SUPERSEDED = "Superseded"
CANCELLED = "Cancelled"
BYPASSED = "Bypassed"
OBSERVED = "Observed"

_ENDINGS = {
    "ServiceDeleted": CANCELLED,
    "ReleaseDeleted": CANCELLED,
    "DeploymentDeleted": CANCELLED,
    "Reverted": CANCELLED,
    "NewerChange": SUPERSEDED,
    "AbortDecision": ABORTED,
}


def ending_for(reason: str) -> str:
    """Return how a release ends that goes back for this reason; whatever speaks against the canary rolls it back."""
    return _ENDINGS.get(reason, ROLLED_BACK)


def status_of(release: Release) -> ReleaseStatus:
    """Return the release's status, an empty one for a new release."""
    return release.status or ReleaseStatus()


def ending_of(release: Release) -> tuple[str, str] | None:
    """Return reason and message of the decided end, or None while it is open."""
    found = find(status_of(release).conditions, SUCCEEDED)
    return (found.reason, found.message) if found and found.status is not ConditionStatus.UNKNOWN else None


def ending_word(release: Release) -> str:
    """Return how a release ended, empty while it is open."""
    end = ending_of(release)
    return end[0] if end is not None else ""


def is_complete(release: Release) -> bool:
    """Whether the release has ended and everything it made is cleaned up."""
    return status_of(release).completed_at is not None


def was_undone(release: Release) -> bool:
    """Whether the release was promoted and taken back afterwards."""
    return status_of(release).promoted_at is not None and ending_word(release) == ROLLED_BACK


def state_of(release: Release) -> str:
    """Return what the release does now, as one word; empty before its first status."""
    found = find(status_of(release).conditions, PROGRESSING)
    return found.reason if found else ""


def holds(release: Release) -> bool:
    """Whether the Deployment still carries this release's change."""
    found = find(status_of(release).conditions, HELD)
    return found is None or found.status is ConditionStatus.TRUE


def next_status(
    release: Release,
    now: datetime,
    *,
    progressing: tuple[bool, str, str] | None = None,
    succeeded: tuple[bool, str, str] | None = None,
    held: tuple[bool, str, str] | None = None,
    allowed: tuple[bool, str, str] | None = None,
    base: ReleaseStatus | None = None,
    **fields: Any,
) -> ReleaseStatus:
    """Return the status with these conditions (status, reason, message) and fields changed; `base` is what it has come to so far."""
    old = base or status_of(release)
    generation = release.metadata.generation
    conditions = list(old.conditions)
    if not conditions:
        held = held or (True, "Held", f"Deployment {release.spec.deployment} is paused with this change")
    for kind, change in ((HELD, held), (PROGRESSING, progressing), (SUCCEEDED, succeeded), (ALLOWED, allowed)):
        if change is not None:
            status = ConditionStatus.TRUE if change[0] else ConditionStatus.FALSE
            conditions = with_condition(
                conditions, condition(kind, status, change[1], change[2][:8000], now, generation)
            )
        elif kind == SUCCEEDED and find(conditions, SUCCEEDED) is None:
            running = condition(kind, ConditionStatus.UNKNOWN, "Running", "the release is under way", now, generation)
            conditions = with_condition(conditions, running)
    step, weight = fields.get("step", old.step), fields.get("weight", old.weight)
    fields["progress"] = progress(step, len(release.spec.plan.steps), weight)
    if fields.get("verdicts"):
        fields.setdefault("judged_at", now)
    return old.model_copy(update={**fields, "conditions": conditions, "observed_generation": generation})


def progress(step: int, steps: int, weight: int) -> str:
    """Step and weight for people: `2/3 at 50%`, `promotion at 100%`."""
    if step == 0:
        return f"0/{steps}"
    if step <= steps:
        return f"{step}/{steps} at {weight}%"
    return f"promotion at {weight}%" if weight else "promotion"


def differs(old: ReleaseStatus, new: ReleaseStatus) -> bool:
    """Whether the new status says something new: figures alone are worth a write only every half minute."""
    return _essence(old) != _essence(new) or _is_old(old, new)


def _is_old(old: ReleaseStatus, new: ReleaseStatus) -> bool:
    """Whether the figures that people see are old, of the step that still goes on, or there are none yet."""
    written = max((moment for moment in (old.judged_at, old.step_started_at) if moment is not None), default=None)
    if written is None or new.judged_at is None or new.verdicts == old.verdicts or new.step != old.step:
        return False
    return not old.verdicts or new.judged_at - written >= FIGURES_AGAIN


def _is_news(verdict: ObjectiveVerdict) -> bool:
    """Every step begins with too few data and then passes: that alone is not worth a write, the next transition brings it along."""
    young = verdict.reason in ("NoData", "TooFewSamples", "NotEnoughEvidence")
    return verdict.outcome is not Outcome.PASS and not young


def _essence(status: ReleaseStatus) -> tuple[object, ...]:
    verdicts = tuple((item.name, item.outcome, item.reason) for item in status.verdicts if _is_news(item))
    times = (
        status.step_started_at,
        status.passed_at,
        status.thin_since,
        status.started_at,
        status.promoted_at,
        status.restored_at,
        status.completed_at,
    )
    gates = tuple((item.name, item.outcome, item.reason, item.message) for item in status.gates)
    after = (status.sign_off, status.retain_until)
    figures = (status.step, status.weight, verdicts, times, status.observed_generation)
    state = find(status.conditions, PROGRESSING)
    told = state.message if state is not None and state.reason in TOLD_ANEW else ""
    return (said(status.conditions), told, *figures, gates, status.binding, after)
