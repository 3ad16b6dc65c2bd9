"""Mode Observe: nothing is held; each change gets a Release that says what would have held it."""

from __future__ import annotations

from feem.api.gate import Stage
from feem.api.release import Release
from feem.api.service import Mode, StableRevision
from feem.core.gates.words import summary
from feem.core.rollout import status as words
from feem.core.rollout.giving_back import give_back
from feem.core.rollout.plan import Plan
from feem.core.rollout.request import request
from feem.core.rollout.revisions import revision_with, stable_from
from feem.core.rollout.service_plan import ServicePlan
from feem.core.rollout.snapshot import ReleaseSnapshot, ServiceSnapshot, Workload
from feem.core.rollout.status import holds, is_complete, next_status

WOULD_HOLD, WOULD_PASS = "WouldHold", "WouldPass"
OBSERVING = (True, "Observing", "nothing is held; each change gets a Release that says what would have held it")


def observed(s: ReleaseSnapshot) -> Plan:
    """Write down what the gates say of a change that goes live by itself, and end its release."""
    holding = s.compliance.holding(Stage.PROMOTION)
    reason = WOULD_HOLD if holding else WOULD_PASS
    text = (
        f"it goes live by itself; it would have been held: {summary(holding)}"
        if holding
        else ("it goes live by itself; no gate would have held it")
    )
    status = next_status(
        s.release,
        s.now,
        progressing=(False, words.OBSERVED, text),
        succeeded=(True, words.OBSERVED, text),
        held=(False, words.OBSERVED, f"Deployment {s.release.spec.deployment} is not held: mode is Observe"),
        completed_at=s.now,
    )
    return Plan("Observe", reason, text, status, warning=bool(holding), event=reason)


def observe(
    s: ServiceSnapshot, workload: Workload, stable: StableRevision | None, running: Release | None
) -> ServicePlan:
    """Follow a Deployment without touching it; one that was governed is given back first."""
    name = workload.name
    if running is not None:
        return ServicePlan(stable=stable, ready=OBSERVING)
    if workload.governed_by == s.service.metadata.name:
        effects, text = give_back(s, workload, stable)
        return ServicePlan("GiveBack", "ModeObserve", text, effects, stable, ready=OBSERVING)
    current = revision_with(s.revisions, workload.template_digest)
    settled = workload.settled and not workload.paused and current is not None
    if stable is None:
        if not settled or current is None:
            text = f"Deployment {name} has to finish its own rolling update first: kubectl rollout status deployment {name}"
            return ServicePlan(stable=None, ready=(False, "DeploymentNotSettled", text))
        return ServicePlan(stable=stable_from(current), ready=OBSERVING)
    closed = tuple((item, "Observed") for item in s.releases if is_complete(item) and holds(item))
    if workload.template_digest == stable.template_digest:
        return ServicePlan(stable=stable, ready=OBSERVING, closed=closed)
    if workload.paused:
        text = (
            f"Deployment {name} is paused with a change that no release brought: kubectl rollout resume deployment {name} "
            "lets it go live, or apply the earlier version"
        )
        return ServicePlan(stable=stable, ready=(False, "PausedChange", text), closed=closed)
    if not _is_written_down(s, workload):
        effect, text = request(s, workload, stable, None)
        return ServicePlan("ObserveRelease", "TemplateChanged", text, (effect,), stable, ready=OBSERVING, closed=closed)
    return ServicePlan(
        stable=stable_from(current) if settled and current is not None else stable, ready=OBSERVING, closed=closed
    )


def _is_written_down(s: ServiceSnapshot, workload: Workload) -> bool:
    last = s.releases[-1].spec if s.releases else None
    return last is not None and last.mode is Mode.OBSERVE and last.template_digest == workload.template_digest
