"""What the runs of an experiment come to: which of them may be forgotten, and whether the service is known to be resilient.

Runs on canaries are a release's: they say nothing of the pods that serve users, and go with the Release.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from feem.api.base import Condition, ConditionStatus
from feem.api.experiment import ExperimentStatus, History, RunResult
from feem.api.run import ChaosRun, Track
from feem.core.chaos.status import SUCCEEDED, is_open, result_of, status_of
from feem.core.conditions import condition, find
from feem.core.finalizer import FINALIZER

RESILIENT = "Resilient"
MOST_DELETED = 20
"""Runs forgotten at once: as many as one entry of the audit log can name."""
_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
_DECIDED = {RunResult.PASSED.value: ConditionStatus.TRUE, RunResult.FAILED.value: ConditionStatus.FALSE}
"""Results that say something of the service."""


def on_stable(runs: Iterable[ChaosRun]) -> tuple[ChaosRun, ...]:
    """Return the runs on the pods that serve users."""
    return tuple(run for run in runs if run.spec.track is Track.STABLE)


def newest(runs: Iterable[ChaosRun]) -> ChaosRun | None:
    """Return the run that was made last."""
    return max(runs, key=lambda run: (run.metadata.creation_timestamp or _LONG_AGO, run.metadata.name), default=None)


def ended(runs: Iterable[ChaosRun]) -> tuple[ChaosRun, ...]:
    """Return the runs that are over, the newest first."""
    return tuple(sorted((run for run in runs if not is_open(run)), key=_end, reverse=True))


def passed_at(runs: Iterable[ChaosRun]) -> datetime | None:
    """Return when a run passed last."""
    return max((_end(run)[0] for run in ended(runs) if result_of(run) == RunResult.PASSED), default=None)


def forgettable(runs: Sequence[ChaosRun], history: History) -> tuple[ChaosRun, ...]:
    """Return the runs to delete, the oldest first: those beyond the history, of which nothing has to be cleaned up any more.

    Neither the newest that passed nor the one that `Resilient` goes by is ever among them.
    """
    over = ended(runs)
    passed = [run for run in over if result_of(run) == RunResult.PASSED]
    others = [run for run in over if result_of(run) != RunResult.PASSED]
    kept = {run.metadata.uid for run in (*passed[: max(history.passed, 1)], *others[: history.others])}
    decisive = _decisive(over)
    if decisive is not None:
        kept.add(decisive.metadata.uid)
    gone = [run for run in reversed(over) if run.metadata.uid not in kept and _is_clean(run)]
    return tuple(gone[:MOST_DELETED])


def resilient(runs: Sequence[ChaosRun], status: ExperimentStatus, now: datetime, generation: int) -> Condition:
    """Return the condition `Resilient`, as the newest run that passed or failed has it.

    Runs that somebody deleted have said what they said: an older one that is left does not take their place.
    """
    old, run = find(status.conditions, RESILIENT), _decisive(ended(runs))
    known = old if old is not None and old.status is not ConditionStatus.UNKNOWN else None
    if run is None:
        if known is not None:
            return _again(known, now, generation)
        text = "no run has passed or failed yet"
        return condition(RESILIENT, ConditionStatus.UNKNOWN, "NoResult", text, now, generation)
    result, (end, name) = result_of(run), _end(run)
    turns = known is not None and known.status is not _DECIDED[result]
    if known is not None and turns and status.last_passed_at is not None and end <= status.last_passed_at:
        return _again(known, now, generation)
    said = find(status_of(run).conditions, SUCCEEDED)
    words = f": {said.message}" if said is not None and said.message else ""
    text = f"ChaosRun {name} {result.lower()} at {end.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC{words}"
    return condition(RESILIENT, _DECIDED[result], result, text[:8192], now, generation)


def _again(known: Condition, now: datetime, generation: int) -> Condition:
    return condition(RESILIENT, known.status, known.reason, known.message, now, generation)


def _decisive(over: Sequence[ChaosRun]) -> ChaosRun | None:
    """Return the newest run that says something of the service."""
    return next((run for run in over if result_of(run) in _DECIDED), None)


def _is_clean(run: ChaosRun) -> bool:
    """Whether nothing is left to be cleaned up before it may go, and nobody deletes it already."""
    return FINALIZER not in run.metadata.finalizers and run.metadata.deletion_timestamp is None


def _end(run: ChaosRun) -> tuple[datetime, str]:
    return status_of(run).completed_at or _LONG_AGO, run.metadata.name
