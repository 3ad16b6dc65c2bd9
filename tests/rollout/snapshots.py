"""Pictures of a service and its release, to ask decisions about: step 1 of 3 by default, everything well."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from feem.api.base import Condition, ConditionStatus, Metadata
from feem.api.experiment import ChaosExperiment
from feem.api.plan import PlanSpec
from feem.api.release import ObjectiveVerdict, Outcome, Release, ReleaseSpec, ReleaseStatus
from feem.api.run import ChaosRun
from feem.api.service import ManagedService, StableRevision
from feem.core.conditions import condition, find
from feem.core.digest import digest_of
from feem.core.rollout.mark import TrafficMark
from feem.core.rollout.plan import Plan
from feem.core.rollout.snapshot import (
    Canary,
    Directives,
    HoldMechanism,
    ReleaseSnapshot,
    Revision,
    ServiceSnapshot,
    Traffic,
    Workload,
)

NOW = datetime(2026, 3, 2, 9, 30, 0, tzinfo=UTC)
STABLE, CHANGE, NEWER = digest_of("1.0"), digest_of("2.0"), digest_of("3.0")
NAME = "scoring-4"
EXPERIMENT = "bureau-outage"
WEIGHTS = (10, 50, 80)
BAKE = 60
REVISION = StableRevision(template_digest=STABLE, pod_template_hash="aaa", replica_set="scoring-aaa")
SPEC = ReleaseSpec.model_validate(
    {
        "service": "scoring",
        "deployment": "scoring",
        "deploymentGeneration": 4,
        "templateDigest": CHANGE,
        "images": [{"name": "app", "image": "scoring:2.0"}],
        "requestedBy": "pipeline",
        "traffic": {"service": "scoring", "httpRoute": "scoring"},
        "stable": REVISION.wire(),
        "plan": {"steps": [{"weight": weight, "bakeSeconds": BAKE} for weight in WEIGHTS]},
        "objectives": [
            {
                "name": "errors",
                "objective": "99.9",
                "indicator": {"ratio": {"bad": "errors_total", "total": "all_total"}},
            }
        ],
    }
)


def verdict(outcome: Outcome, reason: str = "") -> ObjectiveVerdict:
    words = {Outcome.PASS: "WithinObjective", Outcome.FAIL: "ErrorRatioAboveStable", Outcome.INCONCLUSIVE: "NoData"}
    return ObjectiveVerdict(name="errors", outcome=outcome, reason=reason or words[outcome], message="figures")


def status(step: int = 1, *, ended: str = "", ago: float = BAKE, **fields: Any) -> ReleaseStatus:
    """The status of a release in a step that began `ago` seconds before; `ended` is how it was decided to end."""
    made = condition("Progressing", ConditionStatus.TRUE, "Baking", "", NOW, 1)
    answer = ConditionStatus.UNKNOWN if not ended else ConditionStatus.FALSE
    if ended == "Promoted":
        answer = ConditionStatus.TRUE
    over = condition("Succeeded", answer, ended or "Running", "why", NOW, 1)
    held = condition("Held", ConditionStatus.TRUE, "Held", "", NOW, 1)
    times = (
        {"step_started_at": NOW - timedelta(seconds=ago), "started_at": NOW - timedelta(seconds=ago)} if step else {}
    )
    weight = (0, *WEIGHTS, 100)[step]
    values = {"step": step, "weight": weight, "conditions": [held, made, over], "observed_generation": 1, **times}
    return ReleaseStatus(**{**values, **fields})


def release(state: ReleaseStatus | None = None, name: str = NAME, **changes: Any) -> Release:
    metadata = Metadata(
        name=name,
        namespace="lending",
        uid=f"uid-{name}",
        generation=1,
        deletion_timestamp=changes.pop("deletion_timestamp", None),
    )
    return Release(metadata=metadata, spec=SPEC.model_copy(update=changes), status=state)


WORKLOAD = Workload(
    name="scoring",
    generation=4,
    template_digest=CHANGE,
    replicas=10,
    paused=True,
    settled=False,
    promoting=False,
    governed_by="scoring",
    requested_by="pipeline",
    images=(("app", "scoring:2.0"),),
    recreates=False,
)


def canary(replicas: int = 1, **changes: Any) -> Canary:
    base = Canary(
        release=NAME,
        template_digest=CHANGE,
        replicas=replicas,
        ready=replicas,
        pods=replicas,
        replica_set="scoring-canary-b",
    )
    return replace(base, **changes)


def traffic(step: int, *, ending: str = "", weight: int | None = None, **changes: Any) -> Traffic:
    """The route as FEEM wrote it for a step; step 0 is the owner's own."""
    if step == 0:
        return replace(Traffic(0, None, touched=False), **changes)
    mark = TrafficMark(NAME, step, ending, "ErrorRatioAboveStable" if ending else "")
    split = (0, *WEIGHTS, 100)[step] if weight is None else weight
    return replace(Traffic(0 if ending else split, mark, touched=True), **changes)


def seen(step: int = 1, outcome: Outcome = Outcome.INCONCLUSIVE, **changes: Any) -> ReleaseSnapshot:
    """What is there in the middle of a step, with the step's bake just over."""
    pods = (0, 1, 5, 8, 10)[step]
    base = ReleaseSnapshot(
        now=NOW,
        interval=5,
        namespace="lending",
        release=release(status(step) if step else None),
        service_deleting=False,
        workload=WORKLOAD,
        canary=canary(pods) if step else None,
        canary_service=step > 0,
        traffic=traffic(step),
        pinned="aaa" if step else "",
        directives=Directives(),
        verdicts=(verdict(outcome),) if step else (),
        outcome=outcome,
        hold=HoldMechanism.ADMISSION,
    )
    return replace(base, **changes)


def ended(how: str = "RolledBack", **changes: Any) -> ReleaseSnapshot:
    """A release whose end is decided, in step 1, with everything it made still there."""
    return seen(1, **{"release": release(status(1, ended=how)), **changes})


def plan(**changes: Any) -> dict[str, Any]:
    """What a release's plan says beside its steps, as a change of the release's spec."""
    return {"plan": PlanSpec.model_validate({**SPEC.plan.wire(), **changes})}


def chaos(*steps: int, experiment: str = EXPERIMENT) -> dict[str, Any]:
    """The same, with an experiment in these steps."""
    asked = {"chaos": {"experiment": experiment}}
    made = [
        {"weight": weight, "bakeSeconds": BAKE, **(asked if number in steps else {})}
        for number, weight in enumerate(WEIGHTS, start=1)
    ]
    return plan(steps=made)


def experiment(name: str = EXPERIMENT, service: str = "scoring", **metadata: Any) -> ChaosExperiment:
    spec = {
        "service": service,
        "fault": {"podKill": {}},
        "blastRadius": {"pods": 1},
        "hypothesis": {"objectives": ["errors"]},
    }
    return ChaosExperiment.read({"metadata": {"name": name, "namespace": "lending", **metadata}, "spec": spec})


def run(
    name: str = f"{NAME}-s1",
    result: str = "",
    cause: str = "HypothesisHeld",
    *,
    planned: float | None = 30,
    ended: float = 10,
    made: float | None = None,
    service: str = "scoring",
    status: dict[str, Any] | None = None,
    **spec: Any,
) -> ChaosRun:
    """A run on the canary; its fault was planned, and it ended, so many seconds ago. Without a result it is under way."""
    now = condition("Progressing", ConditionStatus.TRUE, "Ended" if result else "Running", "", NOW, 1)
    found = [now, _result(result)] if result else [now]
    terms = {**experiment(service=service).spec.wire(), "generation": 1, "digest": STABLE}
    written: dict[str, Any] = {
        "terms": terms,
        "cause": cause if result else "",
        "conditions": [item.wire() for item in found],
    }
    if planned is not None:
        written["plannedAt"] = (NOW - timedelta(seconds=planned)).isoformat()
    if result:
        written["completedAt"] = written["undoneAt"] = (NOW - timedelta(seconds=ended)).isoformat()
    metadata = {"name": name, "namespace": "lending", "uid": f"uid-{name}"}
    if made is not None:
        metadata["creationTimestamp"] = (NOW - timedelta(seconds=made)).isoformat()
    asked = {"experiment": EXPERIMENT, "track": "Canary", "release": NAME, **spec}
    return ChaosRun.read({"metadata": metadata, "spec": asked, "status": {**written, **(status or {})}})


def stable_run(name: str = "bureau-outage-x", result: str = "", **changes: Any) -> ChaosRun:
    """A run on the pods that serve users."""
    return run(name, result, **{"track": "Stable", "release": "", **changes})


def _result(result: str) -> Condition:
    answer = ConditionStatus.TRUE if result == "Passed" else ConditionStatus.FALSE
    return condition("Succeeded", answer, result, "errors 3 % of 1 %, 12 s after the fault", NOW, 1)


def thin(
    step: int = 1, *, action: str = "Hold", since: float = 600, hold: int = 600, **changes: Any
) -> ReleaseSnapshot:
    """A step that has baked, about which too little is known since so many seconds."""
    state = status(step, ago=2 * since + BAKE, thin_since=NOW - timedelta(seconds=since))
    policy = plan(inconclusive={"action": action, "maxHoldSeconds": hold})
    verdicts = (verdict(Outcome.INCONCLUSIVE, "TooFewSamples"),)
    return seen(step, **{"release": release(state, **policy), "verdicts": verdicts, **changes})


def watched(outcome: Outcome = Outcome.INCONCLUSIVE, *, ago: float = 60, **changes: Any) -> ReleaseSnapshot:
    """A promoted release that is cleaned up and has been watched so many seconds of 600."""
    state = status(
        4,
        ended="Promoted",
        weight=0,
        promoted_at=NOW - timedelta(seconds=ago),
        restored_at=NOW - timedelta(seconds=ago),
    )
    made = [
        item if item.type != "Progressing" else item.model_copy(update={"reason": changes.pop("state", "Watching")})
        for item in state.conditions
    ]
    base = seen(
        4,
        outcome,
        release=release(state.model_copy(update={"conditions": made}), **plan(watchSeconds=600)),
        workload=replace(WORKLOAD, paused=False, settled=True),
        canary=None,
        canary_service=False,
        traffic=traffic(0),
        pinned="",
        watched="scoring-bbb",
        verdicts=(verdict(outcome, "BurnsTooFast"),) if outcome is Outcome.FAIL else (),
    )
    return replace(base, **changes)


def word(plan: Plan, kind: str = "Progressing") -> str:
    """The reason of a condition after a plan."""
    found = find(plan.status.conditions, kind)
    return found.reason if found else ""


def service(state: dict[str, Any] | None = None, **metadata: Any) -> ManagedService:
    body = {
        "metadata": {"name": "scoring", "namespace": "lending", "uid": "uid-service", "generation": 1, **metadata},
        "spec": {
            "workload": {"name": "scoring"},
            "traffic": SPEC.traffic.wire(),
            "plan": SPEC.plan.wire(),
            "objectives": [{"name": "errors"}],
        },
    }
    stable = {"stable": REVISION.wire()} if state is None else state
    return ManagedService.read({**body, "status": stable})


REVISIONS = (Revision("scoring-aaa", STABLE, "aaa", 3, 10),)


def at_rest(**changes: Any) -> ServiceSnapshot:
    """A governed service that holds a change nobody has requested a release for."""
    base = ServiceSnapshot(
        now=NOW,
        service=service(),
        workload=WORKLOAD,
        revisions=REVISIONS,
        releases=(),
        retry=False,
        hold=HoldMechanism.ADMISSION,
        problem=None,
        release_spec={"traffic": {}, "plan": {}, "objectives": []},
    )
    return replace(base, **changes)
