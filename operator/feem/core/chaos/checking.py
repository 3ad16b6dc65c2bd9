"""Before the fault: whether the run may begin, and what exactly it would do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from feem.api.base import ConditionStatus
from feem.api.experiment import ConcurrencyPolicy, RunResult
from feem.api.release import ObjectiveVerdict, Outcome
from feem.api.run import EffectSeen, RunTerms, Track
from feem.core.chaos.ending import end
from feem.core.chaos.plan import RunPlan
from feem.core.chaos.planning import plan_fault
from feem.core.chaos.record import records_of
from feem.core.chaos.refusals import deleted_or_stopped, refusals
from feem.core.chaos.rivals import REPLACING
from feem.core.chaos.scene import Scene, Unfit
from feem.core.chaos.seen import bound_of, passes_bound, shown
from feem.core.chaos.snapshot import Refusal, RunSnapshot
from feem.core.chaos.status import next_status, status_of
from feem.core.chaos.terms import terms_of
from feem.core.conditions import find

GRACE = timedelta(seconds=20)
"""How long after its planned end a fault may stay before the reaper takes it back: the operator comes first."""
YOUNG = timedelta(seconds=20)
"""How long a run waits for its experiment to be accepted: who applies both at once, with objectives, is a moment too early."""
NOT_ACCEPTED = "ExperimentNotAccepted"
UNMEASURED = frozenset({"MetricsUnavailable", "NoData", "StaleData"})
"""Reasons of verdicts that say that nothing is known."""


def terms_now(s: RunSnapshot) -> RunTerms | None:
    """Return the frozen terms, else those of the experiment as it is; None when there is none."""
    frozen = status_of(s.run).terms
    if frozen is not None or s.experiment is None:
        return frozen
    return terms_of(s.experiment, s.around.objectives, s.run.spec.track)


def wants_look(s: RunSnapshot) -> bool:
    """Whether nothing that is known for nothing forbids the run, so that the API and the metrics server are worth asking."""
    terms = terms_now(s)
    if terms is None or _unusable(s) is not None or deleted_or_stopped(s, terms) is not None:
        return False
    return next(refusals(s, terms), None) is None


def check(s: RunSnapshot) -> RunPlan:
    """Refuse the run, with all reasons at once, or settle what it does."""
    terms = terms_now(s)
    unusable = _unusable(s)
    if unusable is not None and unusable.reason == NOT_ACCEPTED and _is_young(s):
        status = next_status(s.run, s.now, progressing=(True, "Checking", unusable.message))
        return RunPlan("Wait", "Checking", unusable.message, status, requeue=s.interval)
    if terms is None or unusable is not None:
        found = unusable or Refusal("ExperimentMissing", "its experiment is not there")
        return end(s, RunResult.ERROR, found.reason, found.message)
    people = deleted_or_stopped(s, terms)
    if people is not None:
        return end(s, RunResult.ABORTED, people.reason, people.message, terms=terms)
    found_all = tuple(refusals(s, terms))
    if found_all and _replaces(s, found_all):
        return _wait(s, terms, found_all[0])
    if found_all:
        return _skip(s, terms, found_all[0].reason, "; ".join(item.message for item in found_all))
    if s.scene is None:
        problem = s.scene_problem or "the pods of the service could not be listed"
        return _skip(s, terms, "TargetGone", problem)
    refusal = _unsteady(s, terms) or _effect_there(s, terms)
    if refusal is not None:
        return _skip(s, terms, refusal.reason, refusal.message)
    return _planned(s, terms, s.scene)


def _unusable(s: RunSnapshot) -> Refusal | None:
    if status_of(s.run).terms is not None:
        return None
    name = s.run.spec.experiment
    if s.experiment is None:
        text = f"ChaosExperiment {name} is not there: create it in namespace {s.run.metadata.namespace}"
        return Refusal("ExperimentMissing", text)
    status = s.experiment.status
    accepted = find(status.conditions, "Accepted") if status is not None else None
    current = accepted is not None and accepted.observed_generation == s.experiment.metadata.generation
    if accepted is not None and current and accepted.status is ConditionStatus.FALSE:
        return Refusal(NOT_ACCEPTED, f"ChaosExperiment {name} cannot be used: {accepted.message}")
    return None


def _is_young(s: RunSnapshot) -> bool:
    created = s.run.metadata.creation_timestamp
    return created is not None and s.now - created < YOUNG


def _replaces(s: RunSnapshot, found: tuple[Refusal, ...]) -> bool:
    """Whether the only thing in the way is another run that makes room for this one."""
    policy = s.experiment.spec.concurrency_policy if s.experiment is not None else None
    return policy is ConcurrencyPolicy.REPLACE and {item.reason for item in found} == {"AnotherRun"}


def _wait(s: RunSnapshot, terms: RunTerms, refusal: Refusal) -> RunPlan:
    text = f"waits until the other run has made room: {refusal.message}"
    status = next_status(s.run, s.now, progressing=(True, REPLACING, text), terms=terms)
    return RunPlan("Wait", REPLACING, text, status, requeue=s.interval)


def _skip(s: RunSnapshot, terms: RunTerms, reason: str, message: str) -> RunPlan:
    before = {"before": list(s.judged.verdicts)} if s.judged.verdicts else {}
    return end(s, RunResult.SKIPPED, reason, message, terms=terms, **before)


def _unsteady(s: RunSnapshot, terms: RunTerms) -> Refusal | None:
    """The service must do well before, and it must be known that it does."""
    if s.judged.outcome is Outcome.PASS:
        return None
    worst = worst_of(s.judged.verdicts)
    if worst is None:
        return Refusal("MetricsStale", "the objectives could not be measured")
    text = f"objective {worst.name} in the {terms.hypothesis.steady_seconds} s before: {worst.message}"
    if worst.reason in UNMEASURED:
        return Refusal("MetricsStale", f"{text}; experiments need fresh metrics")
    if worst.reason == "TooFewSamples":
        return Refusal(
            "TooFewSamples", f"{text}; lower hypothesis.minimumSamples, or run it when there is more traffic"
        )
    return Refusal("NotSteady", f"{text}; an experiment begins only while the service does well")


def worst_of(verdicts: tuple[ObjectiveVerdict, ...]) -> ObjectiveVerdict | None:
    """Return the verdict that speaks loudest against the hypothesis, None when all pass or there are none."""
    failed = next((one for one in verdicts if one.outcome is Outcome.FAIL), None)
    return failed or next((one for one in verdicts if one.outcome is not Outcome.PASS), None)


def _effect_there(s: RunSnapshot, terms: RunTerms) -> Refusal | None:
    """The effect's query must be answered, and must not say beforehand that the fault works."""
    if terms.effect is None:
        return None
    reading = s.reading
    if reading is None or reading.value is None:
        said = reading.problem if reading is not None else "it was not asked"
        return Refusal("MetricsStale", f"effect.query gives no value: {said}")
    if passes_bound(terms.effect, reading):
        text = f"effect.query gives {shown(reading)} already, which is {bound_of(terms.effect)}: nothing could be told from it"
        return Refusal("EffectAlreadyThere", text)
    return None


def _planned(s: RunSnapshot, terms: RunTerms, scene: Scene) -> RunPlan:
    meta, canary = s.run.metadata, s.run.spec.track is Track.CANARY
    edits = plan_fault(terms.fault, terms.blast_radius, scene, meta.uid, canary=canary)
    if isinstance(edits, Unfit):
        return _skip(s, terms, edits.reason, edits.message)
    radius = terms.blast_radius
    names = ", ".join(dict.fromkeys(str(edit.target) for edit in edits))
    text = f"{terms.fault.kind} for {radius.duration_seconds} s: {names}"
    effect = (
        EffectSeen(query=terms.effect.query, before=shown(s.reading)) if terms.effect and s.reading else EffectSeen()
    )
    fields: dict[str, Any] = {
        "terms": terms,
        "deployment": scene.deployment["metadata"]["name"],
        "deployment_uid": scene.deployment["metadata"]["uid"],
        "replica_set": s.replica_set,
        "compared_with": s.compared_with,
        "replicas": scene.replicas,
        "edits": records_of(edits),
        "planned_at": s.now,
        "expires_at": s.now + timedelta(seconds=radius.duration_seconds) + GRACE,
        "before": list(s.judged.verdicts),
        "effect": effect,
    }
    status = next_status(
        s.run,
        s.now,
        progressing=(True, "Planned", text),
        in_place=(False, "NotYet", "the changes are settled, none is made yet"),
        **fields,
    )
    return RunPlan("Wait", "Planned", text, status, requeue=0)
