"""What stands in for the controller of runs: each run has its fault in place for a while and ends as a test says."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import datetime
from typing import Any

from feem.api.base import ConditionStatus
from feem.api.experiment import RunResult
from feem.api.release import Release
from feem.api.run import ChaosRun, RunStatus, RunTerms, Track
from feem.core.chaos.status import is_open, next_status
from feem.core.conditions import find
from feem.core.digest import digest_of
from feem.core.rollout.status import state_of
from feem.ports import FINALIZER, Body
from tests.world.api import Api

EXPERIMENTS, RUNS, RELEASES = "chaosexperiments.feem.dev", "chaosruns.feem.dev", "releases.feem.dev"
RUNNER = "runner"
PASSED = "Passed", "HypothesisHeld"


class Runs:
    """Takes every ChaosRun through its life. `endings` are those of the runs to come, result and cause; without one a run passes."""

    def __init__(self, api: Api, now: Callable[[], datetime]) -> None:
        self._api, self._now = api, now
        self.seconds = 3
        """How long a fault stays in place."""
        self.endings: list[tuple[str, str]] = []
        self.begun: list[str] = []
        """The names of all runs that were ever looked at, in this order."""
        self._due: dict[str, tuple[str, str]] = {}

    def tick(self) -> None:
        for body in self._api.list(RUNS):
            run = ChaosRun.read(body)
            if not is_open(run):
                self._let_go(body)
            elif run.status is None:
                self._begin(run)
            else:
                self._go_on(run)

    def _begin(self, run: ChaosRun) -> None:
        self.begun.append(run.metadata.name)
        result, cause = self._due[run.metadata.uid] = self.endings.pop(0) if self.endings else PASSED
        if result == RunResult.SKIPPED:
            self._end(run, result, cause, terms=self._terms(run))
            return
        status = next_status(
            run,
            self._now(),
            progressing=(True, "Running", "the fault is in place"),
            in_place=(True, "InPlace", "the fault is in place"),
            terms=self._terms(run),
            planned_at=self._now(),
            injected_at=self._now(),
        )
        self._write(run, status)

    def _go_on(self, run: ChaosRun) -> None:
        status, due = run.status, self._due[run.metadata.uid]
        assert status is not None
        stop = self._stops(run, status)
        if stop:
            self._end(run, "Aborted", stop)
        elif (
            due[0] == RunResult.FAILED
            or (self._now() - (status.planned_at or self._now())).total_seconds() >= self.seconds
        ):
            self._end(run, *due)

    def _stops(self, run: ChaosRun, status: RunStatus) -> str:
        """Why a fault is taken back before its time: a release of the service waits, or its own is over."""
        for body in self._api.list(RELEASES):
            release = Release.read(body)
            own = release.metadata.name == run.spec.release
            if not own and (status.terms is None or status.terms.service != release.spec.service):
                continue
            if state_of(release) == "WaitingForChaos":
                return "ReleaseWaits"
            ended = find(release.status.conditions, "Succeeded") if release.status is not None else None
            if own and ended is not None and ended.status is not ConditionStatus.UNKNOWN:
                return "ReleaseEnded"
        if run.spec.track is Track.CANARY and not any(
            body["metadata"]["name"] == run.spec.release for body in self._api.list(RELEASES)
        ):
            return "ReleaseEnded"
        return "RunDeleted" if run.metadata.deletion_timestamp is not None else ""

    def _end(self, run: ChaosRun, result: str, cause: str, **fields: Any) -> None:
        status = next_status(
            run,
            self._now(),
            progressing=(False, "Ended", f"{result}: {cause}"),
            in_place=(False, "Undone", "every change was taken back"),
            result=(RunResult(result), f"it ended because of {cause}"),
            cause=cause,
            undone_at=self._now(),
            completed_at=self._now(),
            **fields,
        )
        self._write(run, status)

    def _terms(self, run: ChaosRun) -> RunTerms:
        body = self._api.get(EXPERIMENTS, run.metadata.namespace, run.spec.experiment)
        assert body is not None, f"there is no experiment {run.spec.experiment}"
        return RunTerms.model_validate({**body["spec"], "generation": 1, "digest": digest_of(body["spec"])})

    def _write(self, run: ChaosRun, status: RunStatus) -> None:
        body = copy.deepcopy(self._api.get(RUNS, run.metadata.namespace, run.metadata.name))
        assert body is not None
        self._api.update(RUNS, {**body, "status": status.wire()}, RUNNER, status=True)

    def _let_go(self, body: Body) -> None:
        if FINALIZER in body["metadata"].get("finalizers", ()):
            free = copy.deepcopy(body)
            free["metadata"]["finalizers"].remove(FINALIZER)
            self._api.update(RUNS, free, RUNNER)


def experiment(name: str, namespace: str, service: str) -> Body:
    """An experiment on a service."""
    spec = {
        "service": service,
        "fault": {"podKill": {}},
        "blastRadius": {"pods": 1},
        "hypothesis": {"objectives": ["errors"]},
    }
    return {"metadata": {"namespace": namespace, "name": name}, "spec": spec}


def on_stable(name: str, namespace: str, of: str) -> Body:
    """A run that a person asks for."""
    spec = {"experiment": of, "requestedBy": "somebody"}
    return {"metadata": {"namespace": namespace, "name": name, "finalizers": [FINALIZER]}, "spec": spec}
