"""Experiments, objectives and runs as they stand on the API server, and moments as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from feem.api.experiment import ChaosExperiment, Schedule
from feem.api.objective import ServiceLevelObjective
from feem.api.run import ChaosRun
from feem.ports import FINALIZER, Body

NAMESPACE, NAME, SERVICE, UID = "lending", "scoring-pod-kill", "limit-scoring", "uid-experiment"
BERLIN = "Europe/Berlin"
CREATED = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
"""A Monday, 09:00 in Berlin."""


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def schedule(cron: str = "0 10 * * *", zone: str = BERLIN, *, jitter: int = 0, deadline: int = 300) -> Schedule:
    return Schedule(cron=cron, time_zone=zone, jitter_seconds=jitter, starting_deadline_seconds=deadline)


def spec(when: Schedule | None = None, objectives: tuple[str, ...] = ("errors",), **more: Any) -> Body:
    timed = {"schedule": when.wire()} if when is not None else {}
    return {
        "service": SERVICE,
        "fault": {"podKill": {}},
        "blastRadius": {"pods": 1},
        "hypothesis": {"objectives": list(objectives)},
        **timed,
        **more,
    }


def experiment(
    what: Body, *, generation: int = 1, status: Body | None = None, created: datetime = CREATED
) -> ChaosExperiment:
    meta = {
        "namespace": NAMESPACE,
        "name": NAME,
        "uid": UID,
        "generation": generation,
        "resourceVersion": "1",
        "creationTimestamp": created.isoformat(),
    }
    return ChaosExperiment.read({"metadata": meta, "spec": what, **({"status": status} if status is not None else {})})


RATIO = {"ratio": {"bad": 'requests_total{code="500"}', "total": "requests_total"}}
MIX = {"mix": {"counter": "decisions_total", "label": "decision"}}
GAUGE = {"gauge": {"query": "max(queue_depth)", "max": "10"}}


def objective_body(name: str = "errors", indicator: Body | None = None) -> Body:
    measured = indicator or RATIO
    target = {"objective": "99.9"} if "ratio" in measured else {}
    return {"metadata": {"namespace": NAMESPACE, "name": name}, "spec": {"indicator": measured, **target}}


def verdict(body: Body, *, accepted: bool = True, generation: int | None = None, why: str = "") -> Body:
    """The status of an objective that was checked."""
    condition = {
        "type": "Accepted",
        "status": "True" if accepted else "False",
        "reason": "Accepted" if accepted else "BadQuery",
        "message": why,
        "lastTransitionTime": CREATED.isoformat(),
        "observedGeneration": generation or body["metadata"].get("generation", 1),
    }
    return {"conditions": [condition]}


def objective(name: str = "errors", indicator: Body | None = None, status: Body | None = None) -> ServiceLevelObjective:
    body = objective_body(name, indicator)
    body["metadata"]["generation"] = 1
    return ServiceLevelObjective.read({**body, "status": verdict(body) if status is None else status})


def ended_status(result: str, at: datetime, why: str = "") -> Body:
    """The status of a run that is over."""
    condition = {
        "type": "Succeeded",
        "status": "True" if result == "Passed" else "False",
        "reason": result,
        "message": why,
        "lastTransitionTime": at.isoformat(),
    }
    return {"completedAt": at.isoformat(), "conditions": [condition]}


def run(
    name: str,
    result: str = "",
    at: datetime | None = None,
    *,
    made: datetime = CREATED,
    finalizer: bool = False,
    deleting: bool = False,
    why: str = "",
    **more: Any,
) -> ChaosRun:
    """A run that is open, or ended at a moment with a result."""
    meta: dict[str, Any] = {
        "namespace": NAMESPACE,
        "name": name,
        "uid": f"uid-{name}",
        "creationTimestamp": made.isoformat(),
        "finalizers": [FINALIZER] if finalizer else [],
    }
    if deleting:
        meta["deletionTimestamp"] = made.isoformat()
    status = {"status": ended_status(result, at or made, why)} if result else {}
    return ChaosRun.read({"metadata": meta, "spec": {"experiment": NAME, **more}, **status})


def hours(count: float) -> timedelta:
    return timedelta(hours=count)
