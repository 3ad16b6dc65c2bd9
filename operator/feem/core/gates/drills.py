"""Experiments as gates count them: runs that FEEM itself saw passed, by the pods that serve users."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from feem.api.experiment import RunResult
from feem.api.run import ChaosRun, Track
from feem.core.chaos.status import result_of, status_of
from feem.core.gates.case import Case
from feem.core.gates.moments import utc


def passed_runs(bodies: Iterable[dict[str, Any]], service: str) -> tuple[ChaosRun, ...]:
    """Read those of a namespace's ChaosRuns that a service has passed; a run's status may be large, so no other is read."""
    return tuple(ChaosRun.read(body) for body in bodies if _may_count(body, service))


def newest_passed(experiment: str, case: Case) -> tuple[ChaosRun, datetime] | None:
    """Return the run by which the release's service passed an experiment last, and when (UTC); None when it never did.

    A run on a canary does not count: it says nothing of the pods that serve users.
    """
    found = [(run, status_of(run).completed_at) for run in case.facts.runs if _counts(run, experiment, case)]
    ended = [(run, utc(at)) for run, at in found if at is not None]
    return max(ended, key=lambda one: (one[1], one[0].metadata.name), default=None)


def _counts(run: ChaosRun, experiment: str, case: Case) -> bool:
    terms, release = status_of(run).terms, case.release
    return (
        run.metadata.namespace == release.metadata.namespace
        and run.spec.experiment == experiment
        and run.spec.track is Track.STABLE
        and terms is not None
        and terms.service == release.spec.service
        and result_of(run) == RunResult.PASSED
    )


def _may_count(body: dict[str, Any], service: str) -> bool:
    status = body.get("status") or {}
    passed = any(item.get("reason") == RunResult.PASSED for item in status.get("conditions") or ())
    return passed and bool(status.get("completedAt")) and (status.get("terms") or {}).get("service") == service
