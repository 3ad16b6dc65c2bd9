"""A step's experiment on the canary: what it still asks for before the release leaves the step.

Only a run that ended Passed lets a step go. One that failed takes the release back. All others tell nothing about the canary: they
are tried again where their cause passes by itself, a few times, and then people decide.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from feem.api.experiment import RunResult
from feem.api.run import ChaosRun, RunSpec, Track
from feem.core.chaos.effects import RELEASE, CreateRun
from feem.core.chaos.status import PROGRESSING, SUCCEEDED, result_of, status_of
from feem.core.conditions import find
from feem.core.gates.words import cut
from feem.core.rollout.faults import wait_for_undo
from feem.core.rollout.gating import held_back
from feem.core.rollout.plan import Plan
from feem.core.rollout.runs import name_for, tries, under_way
from feem.core.rollout.scaling import bring_up, pods_of, scale
from feem.core.rollout.snapshot import ReleaseSnapshot
from feem.core.rollout.status import next_status
from feem.core.rollout.steps import name_of, replicas_of
from feem.core.rollout.waiting import wait

MOST_TRIES = 3
"""Runs of one step that tell nothing, after which people have to decide."""
AGAIN_AFTER = timedelta(seconds=60)
"""From the end of such a run until the next one."""
PASSING = frozenset(
    {
        "AnotherRun",
        "BelowDisruptionBudget",
        "ChangeFreeze",
        "EffectAlreadyThere",
        "Halted",
        "Interrupted",
        "MetricsLost",
        "MetricsStale",
        "NotSteady",
        "OutsideWindow",
        "ReleaseWaits",
        "Replaced",
        "ServiceNotReady",
        "TargetGone",
        "TargetReplaced",
        "TooFewSamples",
    }
)
"""Causes of runs that were Skipped or Aborted which pass by themselves."""
LONGEST_MESSAGE = 1024


def failed(s: ReleaseSnapshot) -> tuple[str, str] | None:
    """Return reason and message when the canary did not survive an experiment of one of the plan's steps."""
    for step in range(1, len(s.release.spec.plan.steps) + 1):
        for run in tries(s, step):
            if result_of(run) == RunResult.FAILED:
                what = f"experiment {run.spec.experiment} failed on the canary in {name_of(s, step)}"
                return "ChaosFailed", f"{what} (ChaosRun {run.metadata.name}): {_message(run)}"
    return None


def proven(s: ReleaseSnapshot, step: int, since: datetime) -> bool:
    """Whether the step asks for no experiment, or its experiment was passed since the step began, `since`."""
    return s.release.spec.plan.steps[step - 1].chaos is None or any(_passed(run, since) for run in tries(s, step))


def watch(s: ReleaseSnapshot, step: int, found: dict[str, Any]) -> Plan | None:
    """Return the plan that waits for a run on the canary, or None when none is under way; canary and pin stay as they are."""
    run = under_way(s)
    if run is None:
        return None
    said = find(status_of(run).conditions, PROGRESSING)
    text = (
        f"{name_of(s, step)} is kept: experiment {run.spec.experiment} is tried on the canary by ChaosRun {run.metadata.name} "
        f"({said.reason if said is not None else 'New'})"
    )
    kept = scale(s, pods_of(s, step), found)
    return kept or wait(s, "Experimenting", text, going=True, requeue=s.interval, **found)


def before_leaving(s: ReleaseSnapshot, step: int, found: dict[str, Any]) -> Plan | None:
    """Return what the step's experiment still asks for, None when it was passed, or there is none."""
    since = found["step_started_at"]
    if proven(s, step, since):
        return None
    untold = [run for run in tries(s, step) if result_of(run) != RunResult.PASSED]
    last = untold[-1] if untold else None
    held = _held(s, step, last, len(untold), found) if last is not None else None
    return held or _missing(s, step, found) or _begin(s, step, found)


def _passed(run: ChaosRun, since: datetime) -> bool:
    """Whether a run was passed that began in the present step: before a step began anew, users may have met something else."""
    planned = status_of(run).planned_at
    return result_of(run) == RunResult.PASSED and planned is not None and planned >= since


def _held(s: ReleaseSnapshot, step: int, run: ChaosRun, number: int, found: dict[str, Any]) -> Plan | None:
    """Return the plan that waits after the last of `number` runs that told nothing, None when the next one is due."""
    status = status_of(run)
    ended, result = status.completed_at or s.now, result_of(run)
    again = result in (RunResult.SKIPPED, RunResult.ABORTED) and status.cause in PASSING and number < MOST_TRIES
    left = (ended + AGAIN_AFTER - s.now).total_seconds()
    if again and left <= 0:
        return None
    tried = f"{number} attempts" if number > 1 else "one attempt"
    following = (
        f"it is tried again at {(ended + AGAIN_AFTER).strftime('%H:%M:%S')} UTC, as attempt {number + 1} of {MOST_TRIES}"
        if again
        else f"after {tried}, decide Promote to go on without it, or Abort to go back"
    )
    text = (
        f"{name_of(s, step)} holds: experiment {run.spec.experiment} told nothing about the canary (ChaosRun {run.metadata.name} "
        f"ended {result or 'without a result'}, {status.cause or 'no cause'}: {_message(run)}); {following}"
    )
    return wait(s, "ExperimentInconclusive", text, requeue=min(s.interval, left) if again else s.interval, **found)


def _missing(s: ReleaseSnapshot, step: int, found: dict[str, Any]) -> Plan | None:
    """Return the plan that waits for an experiment that is not there, or is another service's."""
    name, service = _asked(s, step), s.release.spec.service
    there = next((one for one in s.experiments if one.metadata.name == name), None)
    if there is not None and there.spec.service == service and there.metadata.deletion_timestamp is None:
        return None
    what = "is not there" if there is None or there.spec.service == service else f"is for service {there.spec.service}"
    text = (
        f"{name_of(s, step)} holds: ChaosExperiment {name} {what}, and the plan asks for it: create it in namespace {s.namespace} with "
        f"spec.service {service}; or decide Promote to go on without it, or Abort to go back"
    )
    return wait(s, "ExperimentMissing", text, requeue=s.interval, **found)


def _begin(s: ReleaseSnapshot, step: int, found: dict[str, Any]) -> Plan:
    """Have the experiment tried, once the gates of the present step are open and the canary is whole."""
    experiment, meta = _asked(s, step), s.release.metadata
    kept = held_back(s, step, found) or wait_for_undo(s, found)
    kept = kept or bring_up(s, replicas_of(s, step), f"experiment {experiment}", found)
    if kept is not None:
        return kept
    name, where = name_for(s, step), name_of(s, step)
    spec = RunSpec(experiment=experiment, track=Track.CANARY, release=meta.name, reason=f"{where} asks for it")
    effect = CreateRun(s.namespace, name, experiment, meta.uid, spec.wire(), RELEASE)
    text = f"{where} is kept: experiment {experiment} is tried on the canary by ChaosRun {name} (New)"
    status = next_status(s.release, s.now, progressing=(True, "Experimenting", text), **found)
    return Plan("Experiment", f"Step{step}", text, status, (effect,), requeue=0)


def _asked(s: ReleaseSnapshot, step: int) -> str:
    chaos = s.release.spec.plan.steps[step - 1].chaos
    return chaos.experiment if chaos is not None else ""


def _message(run: ChaosRun) -> str:
    said = find(status_of(run).conditions, SUCCEEDED)
    return cut(said.message, LONGEST_MESSAGE) if said is not None and said.message else "it gave no message"
