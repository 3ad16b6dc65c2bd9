"""decide_experiment(snapshot) -> ExperimentPlan: which run is due, what an experiment's status says, which runs are forgotten."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from feem.api.base import Condition, ConditionStatus
from feem.api.experiment import ChaosExperiment, ExperimentState, ExperimentStatus, Schedule
from feem.api.run import ChaosRun, RunSpec
from feem.core.chaos import history
from feem.core.chaos import schedule as times
from feem.core.chaos.acceptance import Objectives, accepted
from feem.core.chaos.effects import CreateRun, DeleteRun, RunEffect
from feem.core.chaos.status import result_of
from feem.core.conditions import condition, find, with_condition
from feem.core.windows.local import zone_named

SCHEDULED, SUSPENDED = "Scheduled", "Suspended"


@dataclass(frozen=True)
class ExperimentSnapshot:
    """Everything `decide_experiment` looks at; `runs` are all of the experiment's."""

    now: datetime
    experiment: ChaosExperiment
    runs: tuple[ChaosRun, ...]
    objectives: Objectives
    service_exists: bool

    @property
    def status(self) -> ExperimentStatus:
        """What was written last; an empty one before anything was."""
        return self.experiment.status or ExperimentStatus()


@dataclass(frozen=True)
class ExperimentPlan:
    """One step: record what was `missed`, do the `effects`, then write the status, then tell of the run that was `made`.

    `requeue` is in seconds; None when only an event can change the decision.
    """

    status: ExperimentStatus
    action: str = ""
    reason: str = ""
    message: str = ""
    effects: tuple[RunEffect, ...] = ()
    missed: times.Missed | None = None
    made: str = ""
    requeue: float | None = None


@dataclass(frozen=True)
class _Timing:
    """Where the schedule is: what is due, up to when it is dealt with, and when it begins a run next (None: it does not)."""

    condition: Condition
    due: times.Due
    dealt_with: datetime | None
    next_begin: datetime | None = None


def decide_experiment(s: ExperimentSnapshot) -> ExperimentPlan:
    """Return what an experiment needs now; one that is being deleted needs nothing."""
    spec, meta, old = s.experiment.spec, s.experiment.metadata, s.status
    if meta.deletion_timestamp is not None:
        return ExperimentPlan(old)
    usable = accepted(s.experiment, s.objectives, service_exists=s.service_exists, now=s.now)
    timing, runs = _timing(s, usable), history.on_stable(s.runs)
    requeue = None if timing.next_begin is None else max((timing.next_begin - s.now).total_seconds(), 0.0)
    status = _status(s, (usable, timing.condition), timing, runs)
    occurrence, schedule = timing.due.occurrence, spec.schedule
    if occurrence is not None and schedule is not None:
        effect = _run_for(s, occurrence)
        text = f"`{schedule.cron}`: the time {_words(occurrence, schedule)} has come"
        status = status.model_copy(update={"last_run": effect.name})
        return ExperimentPlan(status, "RequestRun", SCHEDULED, text, (effect,), timing.due.missed, effect.name, requeue)
    gone = tuple(DeleteRun(meta.namespace, *_identity(run)) for run in history.forgettable(runs, spec.history))
    text = f"the newest {spec.history.passed} that passed and {spec.history.others} others are kept" if gone else ""
    action, reason = ("PruneRuns", "History") if gone else ("", "")
    return ExperimentPlan(status, action, reason, text, gone, timing.due.missed, _made_before(s, status), requeue)


def true_of_experiment(s: ExperimentSnapshot, announced: Iterable[str]) -> frozenset[str]:
    """Return the texts of effects that hold: runs that are there were created, and those announced to go that are not, deleted."""
    namespace = s.experiment.metadata.namespace
    there = [DeleteRun(namespace, *_identity(run)) for run in s.runs if run.metadata.deletion_timestamp is None]
    made = {str(CreateRun(namespace, run.metadata.name, "", "", {})) for run in s.runs}
    prefix = str(DeleteRun(namespace, "", ""))
    return frozenset(made | {text for text in announced if text.startswith(prefix)} - {str(effect) for effect in there})


def _timing(s: ExperimentSnapshot, usable: Condition) -> _Timing:
    spec, old = s.experiment.spec, s.status
    schedule, known = spec.schedule, old.last_scheduled_at
    if schedule is None:
        return _unscheduled(s, "NoSchedule", "it is tried by hand and by releases only: it has no schedule", known)
    if times.problems_with(schedule):
        return _unscheduled(s, "NotAccepted", f"not before it is corrected: {usable.message}", known)
    if spec.state is ExperimentState.SUSPENDED:
        return _unscheduled(s, SUSPENDED, "the schedule makes no runs: set spec.state to Active to go on", known)
    due = _due(s, schedule)
    if usable.status is not ConditionStatus.TRUE:
        new = due.dealt_with if _counts_anew(s, schedule) else None
        return _unscheduled(s, "NotAccepted", f"not before it is accepted: {usable.message}", _later(known, new))
    dealt_with = _later(known, _made(s), due.dealt_with)
    following = times.next_after(schedule, dealt_with or _created(s))
    begin = times.begins_at(schedule, s.experiment.metadata.uid, following) if following is not None else None
    if following is None or begin is None:
        return _unscheduled(s, "NoSchedule", "its schedule does not come within 50 years", dealt_with)
    text = f"next {_words(following, schedule)}; the run begins {_utc(begin)}"
    if dealt_with is not None and dealt_with > s.now:
        text += f"; the clock was set back: times up to {_utc(dealt_with)} were dealt with, and are not repeated"
    found = _scheduled(s, ConditionStatus.TRUE, SCHEDULED, text)
    return _Timing(found, due, dealt_with, begin)


def _due(s: ExperimentSnapshot, schedule: Schedule) -> times.Due:
    """Return what is due; nothing is of the time before a schedule was seen first, was changed, or was suspended."""
    uid, since = s.experiment.metadata.uid, _later(s.status.last_scheduled_at, _made(s)) or _created(s)
    was = find(s.status.conditions, SCHEDULED)
    if was is not None and was.reason == SUSPENDED:
        return times.Due(dealt_with=times.latest(schedule, since, s.now))
    found = times.due(schedule, uid, since, s.now)
    return times.Due(dealt_with=found.dealt_with) if _counts_anew(s, schedule) else found


def _counts_anew(s: ExperimentSnapshot, schedule: Schedule) -> bool:
    """Whether the schedule is another one than the status was written for, which promised another next run."""
    old, meta = s.status, s.experiment.metadata
    if old.observed_generation in (0, meta.generation):
        return False
    promised = times.next_after(schedule, old.last_scheduled_at or _created(s))
    begin = times.begins_at(schedule, meta.uid, promised) if promised is not None else None
    return begin != old.next_run_at


def _created(s: ExperimentSnapshot) -> datetime:
    return s.experiment.metadata.creation_timestamp or s.now


def _made(s: ExperimentSnapshot) -> datetime | None:
    """Return the newest time that has its run: after a crash the status may not say so yet. Nobody else can name a run like that."""
    own = s.experiment.metadata.name
    found = ((run.metadata.name, run.spec.scheduled_for) for run in s.runs)
    return max((at for name, at in found if at and name == times.run_name(own, at)), default=None)


def _made_before(s: ExperimentSnapshot, status: ExperimentStatus) -> str:
    """Name the run that is there already, though the status that is to be written is the first to tell of it."""
    new = status.last_scheduled_at
    if new is None or new == s.status.last_scheduled_at or new != _made(s):
        return ""
    return times.run_name(s.experiment.metadata.name, new)


def _unscheduled(s: ExperimentSnapshot, reason: str, message: str, dealt_with: datetime | None) -> _Timing:
    return _Timing(_scheduled(s, ConditionStatus.FALSE, reason, message[:8192]), times.Due(), dealt_with)


def _scheduled(s: ExperimentSnapshot, status: ConditionStatus, reason: str, message: str) -> Condition:
    return condition(SCHEDULED, status, reason, message, s.now, s.experiment.metadata.generation)


def _status(
    s: ExperimentSnapshot, found: tuple[Condition, ...], timing: _Timing, runs: tuple[ChaosRun, ...]
) -> ExperimentStatus:
    old, generation, conditions = s.status, s.experiment.metadata.generation, s.status.conditions
    proven = history.resilient(runs, old, s.now, generation)
    for new in (*found, proven):
        conditions = with_condition(conditions, new)
    newest, over = history.newest(runs), history.ended(runs)
    return ExperimentStatus(
        observed_generation=generation,
        conditions=conditions,
        next_run_at=timing.next_begin,
        last_scheduled_at=timing.dealt_with,
        last_run=newest.metadata.name if newest is not None else old.last_run,
        last_result=result_of(over[0])[:16] if over else old.last_result,
        last_passed_at=_later(old.last_passed_at, history.passed_at(runs)),
    )


def _run_for(s: ExperimentSnapshot, occurrence: datetime) -> CreateRun:
    meta = s.experiment.metadata
    spec: dict[str, Any] = RunSpec(experiment=meta.name, scheduled_for=occurrence).wire()
    return CreateRun(meta.namespace, times.run_name(meta.name, occurrence), meta.name, meta.uid, spec)


def _identity(run: ChaosRun) -> tuple[str, str]:
    return run.metadata.name, run.metadata.uid


def _later(*moments: datetime | None) -> datetime | None:
    return max((moment for moment in moments if moment is not None), default=None)


def _words(moment: datetime, schedule: Schedule) -> str:
    """Say a moment as people there read it, and in UTC."""
    there = moment.astimezone(zone_named(schedule.time_zone) or UTC)
    return f"{there:%Y-%m-%d %H:%M} {schedule.time_zone} ({moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC)"


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
