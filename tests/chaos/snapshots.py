"""Pictures of a run, to ask decisions about: everything well by default, in whichever state a test needs it.

Later states are reached by the decisions themselves, so that nothing stands on a status that FEEM would not have written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from feem.api.base import ConditionStatus
from feem.api.experiment import ChaosExperiment
from feem.api.halt import ChaosHalt
from feem.api.objective import ServiceLevelObjective
from feem.api.release import ObjectiveVerdict, Outcome, Release, ReleaseStatus
from feem.api.run import ChaosRun, RunStatus
from feem.api.service import ManagedService
from feem.core.chaos.acts import InjectFault
from feem.core.chaos.decide import decide
from feem.core.chaos.edit import ANNOTATION, LABEL, Body, Change, Edit, Make, Mark, Remove, Tag
from feem.core.chaos.plan import RunPlan
from feem.core.chaos.running import parts
from feem.core.chaos.scene import Scene
from feem.core.chaos.snapshot import Judged, Reading, RunSnapshot, Surroundings, Workload
from feem.core.chaos.status import State, state_of, status_of
from feem.core.chaos.undo import injection
from feem.core.conditions import condition, find
from feem.core.finalizer import FINALIZER
from tests.chaos import scenes
from tests.chaos.patching import patched
from tests.gates.cases import window
from tests.rollout import snapshots as rollout

NOW = rollout.NOW
NAMESPACE, SERVICE, EXPERIMENT, NAME, UID = "lending", "scoring", "scoring-kill", "scoring-kill-1", scenes.RUN
SECONDS = 60
"""How long a fault stays."""
WINDOW, WITHIN = 30, 120
"""How long objectives have to hold after it, and within which time."""

KILL: Body = {"podKill": {}}
FAIL: Body = {"podFailure": {"container": "app"}}
SCALE: Body = {"scaleDown": {"replicas": 2}}
PARTITION: Body = {"networkPartition": {}}
SQUEEZE: Body = {"cpuPressure": {"container": "app", "limit": "50m"}}
ABORT: Body = {"httpAbort": {}}
CUT: Body = {"dependencyCut": {"service": "bureau"}}
FAULTS = {"kill": KILL, "fail": FAIL, "scale": SCALE, "partition": PARTITION, "squeeze": SQUEEZE, "abort": ABORT}
PROBED = ("networkPartition", "dependencyCut", "httpAbort", "httpLatency", "cpuPressure", "memoryPressure")
"""Faults that a query has to show."""
PROBE = {"query": "broken", "above": "0"}


def experiment(fault: Body | None = None, **spec: Any) -> ChaosExperiment:
    asked = KILL if fault is None else fault
    (kind,) = asked
    requests = kind in ("httpAbort", "httpLatency")
    body: dict[str, Any] = {
        "service": SERVICE,
        "fault": asked,
        "blastRadius": {"requestPercent" if requests else "pods": 20 if requests else 1, "durationSeconds": SECONDS},
        "hypothesis": {
            "objectives": ["errors"],
            "recoverWithinSeconds": WITHIN,
            "recoveryWindowSeconds": WINDOW,
            "steadySeconds": 60,
        },
        **({"effect": PROBE} if kind in PROBED else {}),
    }
    metadata = {"namespace": NAMESPACE, "name": EXPERIMENT, "uid": "uid-experiment", "generation": 1}
    return ChaosExperiment.read({"metadata": metadata, "spec": {**body, **spec}})


def run(
    status: RunStatus | None = None,
    *,
    name: str = NAME,
    uid: str = UID,
    meta: Mapping[str, Any] | None = None,
    **spec: Any,
) -> ChaosRun:
    metadata = {"namespace": NAMESPACE, "name": name, "uid": uid, "generation": 1, "resourceVersion": "1"}
    metadata |= {"creationTimestamp": (NOW - timedelta(seconds=120)).isoformat(), **(meta or {})}
    made = ChaosRun.model_validate({"metadata": metadata, "spec": {"experiment": EXPERIMENT, **spec}})
    return made.model_copy(update={"status": status})


def deleted(of: ChaosRun) -> ChaosRun:
    return of.model_copy(update={"metadata": of.metadata.model_copy(update={"deletion_timestamp": NOW})})


def stopped(of: ChaosRun) -> ChaosRun:
    stop = run(stop={"by": "mei", "reason": "customers call"}).spec.stop
    return of.model_copy(update={"spec": of.spec.model_copy(update={"stop": stop})})


def service(*, ready: bool | None = True, stable: bool = True, name: str = SERVICE, entry: str = "") -> ManagedService:
    """A governed service; `entry` is the Service through which it is reached."""
    state: dict[str, Any] = {"stable": rollout.REVISION.wire()} if stable else {}
    if ready is not None:
        answer = ConditionStatus.TRUE if ready else ConditionStatus.FALSE
        state["conditions"] = [
            condition("Ready", answer, "Governed" if ready else "RouteMissing", "why", NOW, 1).wire()
        ]
    made = rollout.service(state, name=name)
    if not entry:
        return made
    traffic = made.spec.traffic.model_copy(update={"service": entry})
    return made.model_copy(update={"spec": made.spec.model_copy(update={"traffic": traffic})})


def objective(left: str = "83.1%", indicator: Body | None = None) -> ServiceLevelObjective:
    measured = indicator or {"ratio": {"bad": "errors_total", "total": "all_total"}}
    body = {
        "metadata": {"namespace": NAMESPACE, "name": "errors"},
        "spec": {"indicator": measured, **({"objective": "99.9"} if set(measured) <= {"ratio", "latency"} else {})},
        "status": {"budget": {"left": left}},
    }
    return ServiceLevelObjective.read(body)


def halt(*namespaces: str, by: str = "mei") -> ChaosHalt:
    spec = {"reason": "customers call", "by": by, "namespaces": list(namespaces)}
    return ChaosHalt.read({"metadata": {"name": "all-stop"}, "spec": spec})


FREEZE = window("year-end", "Freeze", {"range": {"start": "2026-01-01T00:00", "end": "2027-01-01T00:00"}})
OPEN = window("now", "Allow", {"range": {"start": "2026-01-01T00:00", "end": "2027-01-01T00:00"}})
CLOSED = window("tonight", "Allow", {"recurrence": {"cron": "0 22 * * *", "durationSeconds": 7200}})


def release(
    state: str = "Baking", step: int = 1, *, name: str = rollout.NAME, ended: str = "", **fields: Any
) -> Release:
    """A release of the service in a state."""
    status: ReleaseStatus = rollout.status(step, ended=ended, **fields)
    conditions = [
        one if one.type != "Progressing" else one.model_copy(update={"reason": state}) for one in status.conditions
    ]
    return rollout.release(status.model_copy(update={"conditions": conditions}), name=name)


def other(
    name: str = "scoring-abort-1", *, planned: bool = True, undone: bool = False, reason: str = "Running", **more: Any
) -> ChaosRun:
    """Another open run of the namespace."""
    terms = {**experiment(**more).spec.wire(), "generation": 1, "digest": rollout.STABLE}
    said = condition("Progressing", ConditionStatus.TRUE, reason, "", NOW, 1)
    status = RunStatus.model_validate({"terms": terms, "conditions": [said.wire()]})
    times = {"planned_at": NOW if planned else None, "undone_at": NOW if undone else None}
    return run(status.model_copy(update=times), name=name, uid=f"uid-{name}")


def judged(outcome: Outcome = Outcome.PASS, reason: str = "", name: str = "errors") -> Judged:
    words = {Outcome.PASS: "WithinObjective", Outcome.FAIL: "OutsideObjective", Outcome.INCONCLUSIVE: "TooFewSamples"}
    verdict = ObjectiveVerdict(name=name, outcome=outcome, reason=reason or words[outcome], message="figures")
    return Judged(outcome, (verdict,), rollout.STABLE)


PASS, BREACH, THIN = judged(), judged(Outcome.FAIL), judged(Outcome.INCONCLUSIVE)
UNKNOWN = judged(Outcome.INCONCLUSIVE, "MetricsUnavailable")


def around(**changes: Any) -> Surroundings:
    known: dict[str, Any] = {
        "allowed": True,
        "service": service(),
        "workload": Workload("uid-deployment", 3, 3),
        "objectives": {"errors": objective()},
        "services": (service(),),
    }
    return Surroundings(**{**known, **changes})


def scene(**changes: Any) -> Scene:
    known = {
        "route": scenes.route(),
        "traffic_policies": (),
        "dependency": scenes.dependency(),
        "dependency_pods": scenes.bureau_pods(),
    }
    return scenes.scene(**{**known, **changes})


def new(fault: Body | None = None, *, ago: float = 0, **changes: Any) -> RunSnapshot:
    """A run that is looked at for the first time, with nothing in its way."""
    tried = experiment(fault)
    base = RunSnapshot(
        now=NOW - timedelta(seconds=ago),
        interval=5,
        run=run(),
        around=around(),
        experiment=tried,
        scene=scene(),
        judged=PASS,
        reading=Reading(0.0) if tried.spec.effect is not None else None,
        replica_set="scoring-aaa",
    )
    return replace(base, **changes)


def followed(s: RunSnapshot, plan: RunPlan, ago: float = 0, **changes: Any) -> RunSnapshot:
    """The picture after a plan was carried out and written, so many seconds before now."""
    meta = s.run.metadata
    if plan.finalizer is not None:
        meta = meta.model_copy(update={"finalizers": [FINALIZER] if plan.finalizer else []})
    after = s.run.model_copy(update={"status": plan.status, "metadata": meta})
    fresh = RunSnapshot(
        now=NOW - timedelta(seconds=ago), interval=s.interval, run=after, around=s.around, experiment=s.experiment
    )
    return replace(fresh, **changes)


def planned(fault: Body | None = None, *, ago: float = 1, **changes: Any) -> RunSnapshot:
    """A run whose changes were settled so many seconds ago."""
    s = new(fault, ago=ago)
    plan = decide(s)
    assert plan.reason == "Planned", plan
    return followed(s, plan, **changes)


def running(fault: Body | None = None, *, ago: float = 20, **changes: Any) -> RunSnapshot:
    """A run whose fault is in place for so many seconds."""
    s = replace(planned(fault, ago=ago + 1), now=NOW - timedelta(seconds=ago))
    plan = decide(s)
    assert plan.action == "InjectFault", plan
    after = followed(s, plan, judged=PASS, observed=during(edits_in(s)))
    return replace(after, **changes)


def recovering(
    fault: Body | None = None,
    *,
    ago: float = WINDOW,
    seen: bool = True,
    because: Mapping[str, Any] | None = None,
    **changes: Any,
) -> RunSnapshot:
    """A run whose fault was taken back so many seconds ago: its time was up, or `because` of what was there then."""
    s = running(fault, ago=ago + SECONDS)
    probed = status_of(s.run).terms
    if seen:
        reading = Reading(1.0) if probed is not None and probed.effect is not None else None
        s = replace(
            s, now=NOW - timedelta(seconds=ago + 1), reading=reading, observed=lost(edits_in(s)), around=fewer(s)
        )
        s = followed(s, decide(s), judged=PASS)
    then = {"judged": PASS, "around": around(), **(because or {})}
    plan = decide(replace(s, now=NOW - timedelta(seconds=ago), **then))
    assert plan.action == "UndoFault", plan
    reading = Reading(0.0) if probed is not None and probed.effect is not None else None
    after = followed(
        s, plan, observed=restored(edits_in(s)), judged=PASS, during=PASS, reading=reading, around=around()
    )
    return replace(after, **changes)


def ended(**changes: Any) -> RunSnapshot:
    """A run that is over and owes its finalizer."""
    s = recovering()
    return replace(followed(s, decide(s)), **changes)


def gathered(found: ChaosRun, now: datetime, fault: Body | None = None, **changes: Any) -> RunSnapshot:
    """What a look at a run shows while nothing goes wrong: the fault does what it shall, and is gone after the undo."""
    base, state = new(fault), state_of(found)
    s = replace(base, run=found, now=now)
    if state in (State.NEW, State.CHECKING):
        return replace(s, **changes)
    edits, there = edits_in(s), state is State.RUNNING
    reading = Reading(float(there)) if base.reading is not None else None
    looks = {"observed": lost(edits) if there else restored(edits), "around": fewer(s) if there else around()}
    return replace(s, scene=None, during=PASS, reading=reading, **{**looks, **changes})


def fewer(s: RunSnapshot) -> Surroundings:
    return replace(s.around, workload=Workload("uid-deployment", 3, 2))


# -- objects ------------------------------------------------------------------------------------------------------------


def edits_in(s: RunSnapshot) -> tuple[Edit, ...]:
    edits = parts(s)[1]
    assert edits is not None
    return edits


def _original(edit: Edit) -> Body | None:
    objects = [*scenes.pods(3), scenes.deployment()]
    return next((body for body in objects if body["metadata"]["uid"] == edit.target.uid), None)


def _mark(edit: Edit) -> Mark:
    return InjectFault((edit,), Mark(NAME, NAMESPACE, UID, NOW + timedelta(seconds=SECONDS))).marked(edit)


def restored(edits: tuple[Edit, ...]) -> dict[str, Body | None]:
    """The objects as they were before the fault; pods that were removed are gone."""
    return {str(edit.target): None if isinstance(edit, Make | Remove) else _original(edit) for edit in edits}


def during(edits: tuple[Edit, ...]) -> dict[str, Body | None]:
    """The objects as they are right after the injection: nothing is seen of the fault yet."""
    return {str(edit.target): _carrying(edit) for edit in edits}


def _carrying(edit: Edit) -> Body | None:
    if isinstance(edit, Make):
        metadata = {"labels": {LABEL: UID}, "annotations": {ANNOTATION: _mark(edit).text()}, "uid": "uid-made"}
        return {**edit.body, "metadata": {**edit.body["metadata"], **metadata}}
    body = _original(edit)
    if not isinstance(edit, Change | Tag) or body is None:
        return body
    marking, values = injection(body, edit, _mark(edit))
    found: Body = patched(body, (*marking, *values))
    return found


def lost(edits: tuple[Edit, ...]) -> dict[str, Body | None]:
    """The same once the fault shows: pods are gone, or not Ready."""
    found = during(edits)
    for edit in edits:
        body = found[str(edit.target)]
        if isinstance(edit, Remove):
            found[str(edit.target)] = None
        elif body is not None and "status" in body:
            found[str(edit.target)] = {**body, "status": scenes.pod(ready=False)["status"]}
    return found


# -- what a plan says ---------------------------------------------------------------------------------------------------


def said(status: RunStatus, kind: str = "Progressing") -> str:
    found = find(status.conditions, kind)
    return found.reason if found is not None else ""


def told(plan: RunPlan) -> tuple[str, str]:
    """How a run ended, and why; empty while it goes on."""
    return (said(plan.status, "Succeeded"), plan.status.cause) if plan.status.completed_at is not None else ("", "")
