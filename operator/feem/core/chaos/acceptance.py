"""Whether an experiment can be used: what the API server could not check, said all at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime

from feem.api.base import Condition, ConditionStatus
from feem.api.experiment import ChaosExperiment, ExperimentSpec
from feem.api.objective import ServiceLevelObjective
from feem.core.chaos import schedule as times
from feem.core.conditions import condition, find

ACCEPTED = "Accepted"
Objectives = Mapping[str, ServiceLevelObjective | None]
"""Those that an experiment names; None for what is missing."""


def accepted(experiment: ChaosExperiment, objectives: Objectives, *, service_exists: bool, now: datetime) -> Condition:
    """Return the condition `Accepted`. A service that is missing refuses nothing: it may come later, and runs say so until then."""
    spec, meta = experiment.spec, experiment.metadata
    problems = tuple(problems_with(spec, objectives))
    if problems:
        text = "; ".join(message for _, message in problems)
        return condition(ACCEPTED, ConditionStatus.FALSE, problems[0][0], text[:8192], now, meta.generation)
    said = [] if service_exists else [f"ManagedService {spec.service} does not exist: runs are skipped until it does"]
    unfit = ", ".join(name for name, found in objectives.items() if found is not None and _unfit(found))
    if unfit:
        said.append(f"it can be tried on canaries only: on stable nothing can be counted for {unfit}")
    reason = "Accepted" if service_exists else "ServiceMissing"
    text = "; ".join(said) or "the experiment can be used"
    return condition(ACCEPTED, ConditionStatus.TRUE, reason, text[:8192], now, meta.generation)


def problems_with(spec: ExperimentSpec, objectives: Objectives) -> Iterator[times.Problem]:
    """Yield each problem with its next step.

    A schedule's runs are of track Stable, where ratios and latencies alone can be counted; without one, canaries are left.
    """
    if spec.schedule is not None:
        yield from times.problems_with(spec.schedule)
    named = Counter(spec.hypothesis.objectives)
    for name, count in named.items():
        if count > 1:
            yield "DuplicateObjective", f"objective {name} is named {count} times: name it once"
        problem = _problem_with(name, objectives.get(name), counted=spec.schedule is not None)
        if problem is not None:
            yield problem


def _problem_with(name: str, objective: ServiceLevelObjective | None, *, counted: bool) -> times.Problem | None:
    if objective is None:
        text = f"ServiceLevelObjective {name} does not exist in this namespace: create it, or correct spec.hypothesis.objectives"
        return "ObjectiveMissing", text
    found = find(objective.status.conditions, ACCEPTED) if objective.status else None
    if found is None or found.observed_generation != objective.metadata.generation:
        return "ObjectiveNotAccepted", f"ServiceLevelObjective {name} has not been checked yet"
    if found.status is not ConditionStatus.TRUE:
        return "ObjectiveNotAccepted", f"ServiceLevelObjective {name} cannot be used: {found.message}"
    if counted and _unfit(objective):
        kind = "mix" if objective.spec.indicator.mix is not None else "gauge"
        text = f"ServiceLevelObjective {name} is a {kind}, which cannot be counted on stable"
        text += ": name a ratio or a latency, or take spec.schedule out"
        return "ObjectiveUnfit", text
    return None


def _unfit(objective: ServiceLevelObjective) -> bool:
    """Whether an objective says nothing about a service by itself, but only about a canary beside it."""
    indicator = objective.spec.indicator
    return indicator.ratio is None and indicator.latency is None
