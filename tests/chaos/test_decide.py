"""Proves the beginning of a run, state by state: what forbids it, what is settled, when the fault is put in place; and a whole life."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from feem.api.base import ConditionStatus
from feem.api.release import Outcome
from feem.api.run import EffectSeen
from feem.core.chaos.acts import InjectFault
from feem.core.chaos.checking import GRACE, wants_look
from feem.core.chaos.decide import decide
from feem.core.chaos.snapshot import Judged, Reading, Refusal, RunSnapshot
from feem.core.chaos.status import State, status_of
from tests.chaos import snapshots as at
from tests.chaos.life import (
    Next,
    accepted,
    check,
    deleted,
    skipped,
    stopped,
    undone,
    unreadable,
)
from tests.chaos.scenes import budget, scene

# -- before the fault ---------------------------------------------------------------------------------------------------

PLANNED = Next("Wait", "Planned", finalizer=True, state=State.PLANNED, in_place="NotYet")
FROZEN = replace(
    at.new(experiment=None),
    run=at.run(at.planned().run.status.model_copy(update={"planned_at": None, "edits": []})),  # type: ignore[union-attr]
)
CHECKED: dict[str, tuple[RunSnapshot, Next]] = {
    **{f"new {name}": (at.new(fault), PLANNED) for name, fault in at.FAULTS.items()},
    "its terms are frozen and the experiment is gone": (FROZEN, PLANNED),
    "the experiment is accepted": (at.new(experiment=accepted(ConditionStatus.TRUE)), PLANNED),
    "an earlier form of it was not": (at.new(experiment=accepted(ConditionStatus.FALSE, 0)), PLANNED),
    "the experiment is not accepted": (
        at.new(experiment=accepted(ConditionStatus.FALSE)),
        Next("ChaosRunEnded", "ExperimentNotAccepted", ("Error", "ExperimentNotAccepted"), in_place="Never"),
    ),
    "no experiment": (
        at.new(experiment=None),
        Next("ChaosRunEnded", "ExperimentMissing", ("Error", "ExperimentMissing"), in_place="Never"),
    ),
    "stopped": (stopped(at.new()), Next("ChaosRunEnded", "Stopped", ("Aborted", "Stopped"), in_place="Never")),
    "deleted": (deleted(at.new()), Next("ChaosRunEnded", "RunDeleted", ("Aborted", "RunDeleted"), in_place="Never")),
    "its namespace is deleted": (
        deleted(at.new(around=at.around(terminating=True))),
        Next("ChaosRunEnded", "NamespaceDeleted", ("Aborted", "NamespaceDeleted"), in_place="Never"),
    ),
    "deleted and refused": (
        deleted(at.new(around=at.around(halts=(at.halt(),)))),
        Next("ChaosRunEnded", "RunDeleted", ("Aborted", "RunDeleted"), in_place="Never"),
    ),
    "refused": (at.new(around=at.around(halts=(at.halt(),))), skipped("Halted")),
    "no pods": (at.new(scene=None, scene_problem="no ReplicaSet"), skipped("TargetGone")),
    "objectives are breached": (at.new(judged=at.BREACH), skipped("NotSteady")),
    "not enough evidence": (at.new(judged=at.judged(Outcome.INCONCLUSIVE, "NotEnoughEvidence")), skipped("NotSteady")),
    "too few samples": (at.new(judged=at.THIN), skipped("TooFewSamples")),
    "no metrics": (at.new(judged=at.UNKNOWN), skipped("MetricsStale")),
    "no data": (at.new(judged=at.judged(Outcome.INCONCLUSIVE, "NoData")), skipped("MetricsStale")),
    "old data": (at.new(judged=at.judged(Outcome.INCONCLUSIVE, "StaleData")), skipped("MetricsStale")),
    "no verdicts": (at.new(judged=Judged()), skipped("MetricsStale")),
    "no reading": (at.new(at.PARTITION, reading=None), skipped("MetricsStale")),
    "a broken query": (at.new(at.PARTITION, reading=Reading(problem="it gives 2 values")), skipped("MetricsStale")),
    "the effect is there already": (at.new(at.PARTITION, reading=Reading(0.5)), skipped("EffectAlreadyThere")),
    "too few pods": (at.new(scene=scene(pods=())), skipped("TooFewPods")),
    "a disruption budget": (at.new(scene=scene(disruption_budgets=(budget(0),))), skipped("BelowDisruptionBudget")),
}


@pytest.mark.parametrize(("s", "expected"), CHECKED.values(), ids=CHECKED.keys())
def test_before_the_fault(s: RunSnapshot, expected: Next) -> None:
    check(s, expected)


def test_what_is_settled_is_all_that_is_needed_later() -> None:
    s = at.new(at.SQUEEZE)
    status = decide(s).status
    assert (status.deployment, status.deployment_uid, status.replica_set, status.replicas) == (
        *("scoring", "uid-deployment", "scoring-aaa", 3),
    )
    assert (status.planned_at, status.expires_at) == (at.NOW, at.NOW + timedelta(seconds=at.SECONDS) + GRACE)
    assert status.terms is not None
    assert s.experiment is not None
    assert status.terms.fault == s.experiment.spec.fault
    assert [one.name for one in status.terms.measured] == ["errors"]
    assert [one.name for one in status.before] == ["errors"]
    assert status.effect == EffectSeen(query="broken", before="0")
    assert (len(status.edits), status.injected_at, status.undone_at) == (1, None, None)


def test_the_experiment_may_change_after_the_terms_are_frozen() -> None:
    changed = replace(FROZEN, experiment=at.experiment(at.SCALE))
    assert decide(changed).message.startswith("PodKill for 60 s")


@pytest.mark.parametrize(
    ("s", "asks"),
    [
        (at.new(), True),
        (stopped(at.new()), False),
        (deleted(at.new()), False),
        (at.new(around=at.around(halts=(at.halt(),))), False),
        (at.new(around=at.around(allowed=False)), False),
        (at.new(experiment=None), False),
        (at.new(experiment=accepted(ConditionStatus.FALSE)), False),
    ],
)
def test_nothing_is_asked_of_anybody_for_a_run_that_is_refused_anyway(s: RunSnapshot, *, asks: bool) -> None:
    assert wants_look(replace(s, scene=None, judged=Judged())) is asks


def test_a_run_that_is_skipped_keeps_what_was_measured() -> None:
    assert [one.outcome for one in decide(at.new(judged=at.BREACH)).status.before] == [Outcome.FAIL]


# -- the fault is settled, and may be in place --------------------------------------------------------------------------

KINDS = ("PodKill", "PodFailure", "ScaleDown", "NetworkPartition", "CpuPressure", "HttpAbort")
INJECTED = {
    name: Next("InjectFault", kind, in_place="InPlace", state=State.RUNNING)
    for name, kind in zip(at.FAULTS, KINDS, strict=True)
}
WAITING = at.other("scoring-kill-2", planned=False, reason="Replacing")
BEGINS: dict[str, tuple[RunSnapshot, Next]] = {
    **{f"settled {name}": (at.planned(fault), INJECTED[name]) for name, fault in at.FAULTS.items()},
    "interrupted for 15 s": (at.planned(ago=15), INJECTED["kill"]),
    "interrupted for longer": (at.planned(ago=15.5), undone("Interrupted")),
    "refused by the API server": (
        at.planned(at.FAIL, refused=Refusal("InjectionRefused", "quota")),
        undone("InjectionRefused"),
    ),
    "refused, and halted": (
        at.planned(refused=Refusal("InjectionRefused", "quota"), around=at.around(halts=(at.halt(),))),
        undone("InjectionRefused"),
    ),
    "an undo that was interrupted": (at.planned(at.FAIL, announced=("Halted", "x")), undone("Halted")),
    "halted": (at.planned(at.FAIL, around=at.around(halts=(at.halt(),))), undone("Halted")),
    "halted and old": (at.planned(ago=90, around=at.around(halts=(at.halt(),))), undone("Halted")),
    "another run": (at.planned(around=at.around(others=(at.other(),))), undone("AnotherRun")),
    "replaced": (at.planned(around=at.around(others=(WAITING,))), undone("Replaced")),
    "a release waits": (
        at.planned(around=at.around(releases=(at.release("WaitingForChaos", 0),))),
        undone("ReleaseWaits"),
    ),
    "the Deployment is gone": (at.planned(around=at.around(workload=None)), undone("TargetGone")),
    "stopped": (stopped(at.planned(at.FAIL)), undone("Stopped")),
    "deleted": (deleted(at.planned(at.FAIL)), undone("RunDeleted")),
    "its changes cannot be read": (unreadable(at.planned(at.FAIL)), undone("PlanUnreadable")),
}


@pytest.mark.parametrize(("s", "expected"), BEGINS.values(), ids=BEGINS.keys())
def test_when_the_fault_is_settled(s: RunSnapshot, expected: Next) -> None:
    check(s, expected)


@pytest.mark.parametrize("fault", at.FAULTS.values(), ids=at.FAULTS.keys())
def test_the_fault_is_marked_with_its_run_and_until_when_it_may_stay(fault: Any) -> None:
    s = at.planned(fault)
    for effect in decide(s).effects:
        assert isinstance(effect, InjectFault)
        mark = effect.mark
        assert (mark.run, mark.namespace, mark.run_uid) == (at.NAME, at.NAMESPACE, at.UID)
        assert mark.expires_at == status_of(s.run).expires_at


@pytest.mark.parametrize("ago", [1, 10, 15])
def test_the_reaper_never_comes_before_the_operator(ago: float) -> None:
    status = decide(at.planned(ago=ago)).status
    assert status.injected_at is not None
    assert status.expires_at is not None
    assert status.injected_at + timedelta(seconds=at.SECONDS) <= status.expires_at


# -- over ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"around": at.around(halts=(at.halt(),))},
        {"judged": at.BREACH},
        {"announced": ("Halted", "x")},
        {"refused": Refusal("x", "y")},
        {"experiment": None},
        {"vanished": True},
    ],
)
@pytest.mark.parametrize("of", [lambda s: s, stopped, deleted, unreadable])
def test_a_run_that_is_over_stays_as_it_is(changes: dict[str, Any], of: Callable[[RunSnapshot], RunSnapshot]) -> None:
    s = of(at.ended(**changes))
    plan = decide(s)
    assert (plan.action, plan.effects, plan.status, plan.requeue, plan.fact, plan.event) == (
        *("Wait", (), status_of(s.run), None, False, False),
    )


def test_the_finalizer_stands_before_anything_is_done_and_goes_at_last() -> None:
    assert decide(at.new()).finalizer is True
    assert decide(at.ended()).finalizer is False
    without = at.ended(run=at.run(at.ended().run.status))
    assert decide(without).finalizer is None
    for s in (at.planned(), at.running(), at.recovering(), at.new(judged=at.BREACH)):
        assert decide(s).finalizer is None


@pytest.mark.parametrize("name", at.FAULTS)
def test_a_whole_life(name: str) -> None:
    fault, kind = at.FAULTS[name], INJECTED[name].reason
    run, now, seen = at.run(), at.NOW, list[str]()
    for _ in range(40):
        plan = decide(s := at.gathered(run, now, fault))
        seen.append(plan.reason)
        if plan.reason == "Ended":
            break
        run, now = at.followed(s, plan).run, now + timedelta(seconds=plan.requeue or 0)
    assert list(dict.fromkeys(seen)) == [
        "Planned",
        kind,
        "Running",
        "TimeIsUp",
        "Recovering",
        "HypothesisHeld",
        "Ended",
    ]
    assert at.said(status_of(run), "Succeeded") == "Passed"
