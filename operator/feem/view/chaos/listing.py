"""What is planned, what is under way and how it went: the rows of `feem chaos list`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from feem.api.base import ConditionStatus
from feem.api.experiment import ChaosExperiment, ExperimentState, ExperimentStatus
from feem.api.halt import ChaosHalt
from feem.api.run import ChaosRun
from feem.core.chaos.status import IN_PLACE, PROGRESSING, is_open, result_of, status_of
from feem.core.conditions import find
from feem.core.windows.words import moment
from feem.view.release import duration

NEWEST = 5
"""Ended runs that are shown."""
EXPERIMENTS = ("NAME", "SERVICE", "FAULT", "SCHEDULE", "NEXT", "LAST RESULT", "PASSED", "STATE")
RUNS = ("NAME", "EXPERIMENT", "STATE", "FAULT", "RESULT", "CAUSE", "ASKED BY", "AGE")


def halts_of(halts: Iterable[ChaosHalt], namespace: str, now: datetime) -> list[str]:
    """Say which halts are in force in a namespace (empty: anywhere), and how to end them."""
    found = [one for one in halts if not namespace or not one.spec.namespaces or namespace in one.spec.namespaces]
    return [_halt(one, now) for one in sorted(found, key=lambda one: one.metadata.name)]


def experiment_row(experiment: ChaosExperiment, now: datetime) -> list[str]:
    """Return the cells of an experiment, the time of its next run in its own zone."""
    spec, status = experiment.spec, experiment.status or ExperimentStatus()
    schedule, upcoming = spec.schedule, status.next_run_at
    coming = f"{moment(upcoming, now, schedule.time_zone)}" if schedule and upcoming else ""
    passed = f"{_age(status.last_passed_at, now)} ago" if status.last_passed_at else "never"
    cron = f"{schedule.cron} {schedule.time_zone}" if schedule else "by hand"
    return [
        experiment.metadata.name,
        spec.service,
        spec.fault.kind,
        cron,
        coming,
        status.last_result,
        passed,
        _state(experiment),
    ]


def run_row(run: ChaosRun, now: datetime) -> list[str]:
    """Return the cells of a run."""
    status = status_of(run)
    state, fault = find(status.conditions, PROGRESSING), find(status.conditions, IN_PLACE)
    by = run.spec.requested_by or ("the schedule" if run.spec.scheduled_for else run.spec.release)
    return [
        run.metadata.name,
        run.spec.experiment,
        state.reason if state else "New",
        fault.reason if fault else "",
        result_of(run),
        status.cause,
        by,
        _age(run.metadata.creation_timestamp, now),
    ]


def shown_runs(runs: Iterable[ChaosRun]) -> list[ChaosRun]:
    """Return all open runs, the oldest first, then the newest that have ended."""
    found = sorted(runs, key=_created)
    ended = [run for run in found if not is_open(run)]
    return [*(run for run in found if is_open(run)), *reversed(ended[-NEWEST:])]


def place_of(namespaces: Sequence[str]) -> str:
    """Say where a halt counts."""
    return f"in {', '.join(namespaces)}" if namespaces else "in the whole cluster"


def _halt(halt: ChaosHalt, now: datetime) -> str:
    spec, name = halt.spec, halt.metadata.name
    by = f" by {spec.by}" if spec.by else ""
    since = _age(halt.metadata.creation_timestamp, now)
    return f"HALTED {place_of(spec.namespaces)}{by} {since} ago ({name}): {spec.reason}. To go on: feem chaos resume {name}"


def _state(experiment: ChaosExperiment) -> str:
    accepted = find((experiment.status or ExperimentStatus()).conditions, "Accepted")
    if accepted is None:
        return "not checked yet"
    if accepted.status is ConditionStatus.FALSE:
        return f"{accepted.reason}: {accepted.message}"
    return "Suspended" if experiment.spec.state is ExperimentState.SUSPENDED else "Active"


def _created(run: ChaosRun) -> tuple[datetime, str]:
    return run.metadata.creation_timestamp or datetime.min.replace(tzinfo=UTC), run.metadata.name


def _age(at: datetime | None, now: datetime) -> str:
    return duration((now - at).total_seconds()) if at is not None else ""
