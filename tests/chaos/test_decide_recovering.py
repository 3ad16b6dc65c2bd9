"""Proves how a run ends once its fault was taken back: with which result and cause, and never with anything left."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from feem.api.base import ConditionStatus
from feem.api.release import Outcome
from feem.core.chaos.decide import decide
from feem.core.chaos.snapshot import Judged, Reading, Refusal, RunSnapshot, Workload
from feem.core.chaos.status import State, differs, status_of
from feem.core.conditions import find
from tests.chaos import snapshots as at
from tests.chaos.life import (
    Next,
    check,
    deleted,
    over,
    stopped,
    undone,
    unreadable,
)
from tests.chaos.scenes import deployment, pods, scene

WAITS = Next("Wait", "Recovering", in_place="Undone", state=State.RECOVERING)
LATE = at.WITHIN + 1
HALTED: dict[str, Any] = {"around": at.around(halts=(at.halt(),))}
BROKEN = {"judged": at.BREACH}
SHORT = at.around(workload=Workload("uid-deployment", 3, 2))


def with_residue(s: RunSnapshot) -> RunSnapshot:
    return replace(s, observed=at.during(at.edits_in(s)))


def with_edit(s: RunSnapshot) -> RunSnapshot:
    """Somebody gave the container another image while it could not run."""
    found = copy.deepcopy(dict(s.observed or {}))
    for body in found.values():
        assert body is not None
        body["spec"]["containers"][0]["image"] = "by-hand"
    return replace(s, observed=found)


RECOVERS: dict[str, tuple[RunSnapshot, Next]] = {
    # passed
    **{
        f"as before {name}": (at.recovering(fault), over("Passed", "HypothesisHeld"))
        for name, fault in at.FAULTS.items()
    },
    "objects are gone": (at.recovering(at.FAIL, observed={}), over("Passed", "HypothesisHeld")),
    "somebody's edit stays": (with_edit(at.recovering(at.FAIL)), over("Passed", "HypothesisHeld")),
    "at the last moment": (at.recovering(ago=at.WITHIN), over("Passed", "HypothesisHeld")),
    "all is well, and nobody looked for long": (at.recovering(ago=600), over("Passed", "HypothesisHeld")),
    "a halt meanwhile": (at.recovering(**HALTED), over("Passed", "HypothesisHeld")),
    "stopped meanwhile": (stopped(at.recovering()), over("Passed", "HypothesisHeld")),
    "the Deployment is gone": (at.recovering(around=at.around(workload=None)), over("Passed", "HypothesisHeld")),
    # waits
    "too early": (at.recovering(ago=at.WINDOW - 1), WAITS),
    "objectives do not hold": (at.recovering(judged=at.BREACH), WAITS),
    "too few samples": (at.recovering(judged=at.THIN), WAITS),
    "no metrics": (at.recovering(judged=at.UNKNOWN), WAITS),
    "no verdicts": (at.recovering(judged=Judged()), WAITS),
    "pods are missing": (at.recovering(around=SHORT), WAITS),
    "objects were not read": (at.recovering(observed=None), WAITS),
    "the effect stays": (at.recovering(at.PARTITION, reading=Reading(1.0)), WAITS),
    "the effect is not known": (at.recovering(at.PARTITION, reading=Reading(problem="x")), WAITS),
    "until the last moment": (at.recovering(ago=at.WITHIN, judged=at.BREACH), WAITS),
    # residue
    **{
        f"residue {name}": (with_residue(at.recovering(fault)), undone("ResidueLeft"))
        for name, fault in at.FAULTS.items()
        if name != "kill"
    },
    "residue, late": (with_residue(at.recovering(at.FAIL, ago=LATE)), undone("ResidueLeft")),
    "residue, deleted": (deleted(with_residue(at.recovering(at.FAIL))), undone("ResidueLeft")),
    "residue, of a breach": (with_residue(at.recovering(at.FAIL, because=BROKEN)), undone("ResidueLeft")),
    # failed
    "breached": (at.recovering(because=BROKEN), over("Failed", "ObjectiveBreached")),
    "breached and not recovered": (
        at.recovering(because=BROKEN, ago=LATE, judged=at.BREACH),
        over("Failed", "ObjectiveBreached"),
    ),
    "breached by the last scrapes": (at.recovering(during=at.BREACH), over("Failed", "ObjectiveBreached")),
    "breached though nothing was seen": (
        at.recovering(at.PARTITION, seen=False, during=at.BREACH),
        over("Failed", "ObjectiveBreached"),
    ),
    "not recovered": (at.recovering(ago=LATE, judged=at.BREACH), over("Failed", "NotRecovered")),
    # nothing is proven
    "nothing was seen": (at.recovering(seen=False), over("Error", "FaultHadNoEffect")),
    "nothing was seen in metrics": (at.recovering(at.PARTITION, seen=False), over("Error", "FaultHadNoEffect")),
    "too few samples during": (at.recovering(during=at.THIN), over("Error", "Inconclusive")),
    "no verdicts during": (at.recovering(during=Judged()), over("Error", "Inconclusive")),
    "no metrics after": (at.recovering(ago=LATE, judged=at.UNKNOWN), over("Error", "MetricsStale")),
    "no verdicts after": (at.recovering(ago=LATE, judged=Judged()), over("Error", "MetricsStale")),
    "the effect stayed": (at.recovering(at.PARTITION, ago=LATE, reading=Reading(1.0)), over("Error", "EffectStayed")),
    "the effect is not known any more": (
        at.recovering(at.PARTITION, ago=LATE, reading=Reading(problem="x")),
        over("Error", "MetricsStale"),
    ),
    "refused by the API server": (
        at.followed(
            at.planned(ago=at.WINDOW),
            decide(at.planned(ago=at.WINDOW, refused=Refusal("InjectionRefused", "quota"), now=at.NOW - timedelta(30))),
            judged=at.PASS,
            observed={},
        ),
        over("Error", "InjectionRefused"),
    ),
    # aborted
    "halted": (at.recovering(because=HALTED), over("Aborted", "Halted")),
    "halted and not recovered": (at.recovering(because=HALTED, ago=LATE, judged=at.BREACH), over("Aborted", "Halted")),
    "halted and breached": (at.recovering(because=HALTED, during=at.BREACH), over("Aborted", "Halted")),
    "metrics were lost": (
        at.recovering(because={"announced": ("MetricsLost", "x")}),
        over("Aborted", "MetricsLost"),
    ),
    "taken back by somebody": (at.recovering(because={"vanished": True}, ago=25), WAITS),
    "deleted": (deleted(at.recovering(ago=1)), over("Aborted", "RunDeleted")),
    "deleted though all is well": (deleted(at.recovering()), over("Aborted", "RunDeleted")),
    "its namespace is deleted": (
        deleted(at.recovering(ago=1, around=at.around(terminating=True))),
        over("Aborted", "NamespaceDeleted"),
    ),
    "halted, then deleted": (deleted(at.recovering(because=HALTED, ago=1)), over("Aborted", "Halted")),
    "breached, then deleted": (deleted(at.recovering(because=BROKEN, ago=1)), over("Failed", "ObjectiveBreached")),
    "its changes cannot be read": (unreadable(at.recovering()), over("Error", "TimeIsUp")),
}


@pytest.mark.parametrize(("s", "expected"), RECOVERS.values(), ids=RECOVERS.keys())
def test_after_the_fault(s: RunSnapshot, expected: Next) -> None:
    check(s, expected)


def test_pods_that_do_not_come_back_are_a_failure_though_the_objectives_hold() -> None:
    assert at.told(decide(at.recovering(ago=LATE, around=SHORT))) == ("Failed", "NotRecovered")


@pytest.mark.parametrize("reason", ["TooFewSamples", "NotEnoughEvidence", "CountsDisagree"])
def test_too_little_traffic_after_the_fault_is_no_failure(reason: str) -> None:
    """Missing or partial data is Inconclusive: nobody has seen an objective fail."""
    thin = at.judged(Outcome.INCONCLUSIVE, reason)
    assert at.told(decide(at.recovering(ago=LATE, judged=thin)))[0] == "Error"


def test_what_was_left_is_undone_again_and_the_time_to_recover_begins_anew() -> None:
    s = with_residue(at.recovering(at.FAIL, ago=LATE, judged=at.BREACH))
    plan = decide(s)
    assert (plan.status.undone_at, plan.status.cause, plan.status.completed_at) == (at.NOW, "TimeIsUp", None)
    assert plan.warning
    assert plan.event
    assert "Pod lending/scoring-aaa-3 still carries the mark" in plan.message
    again = at.followed(s, plan, judged=at.BREACH, observed=at.restored(at.edits_in(s)))
    assert decide(again).reason == "Recovering"


@pytest.mark.parametrize("times", [1, 5])
def test_residue_never_ends_a_run(times: int) -> None:
    s = with_residue(at.recovering(at.FAIL))
    for number in range(times):
        plan = decide(s)
        assert plan.reason == "ResidueLeft"
        s = replace(with_residue(at.followed(s, plan)), now=at.NOW + timedelta(seconds=600 * number))


def test_somebodys_edit_is_told_and_kept() -> None:
    status = decide(with_edit(at.recovering(at.FAIL))).status
    assert status.kept == [
        "/spec/containers/0/image of Pod lending/scoring-aaa-3 was changed by somebody else meanwhile, and left so"
    ]
    assert status.residue == []


def test_edits_by_somebody_else_on_many_pods_do_not_make_a_status_that_is_refused() -> None:
    """E.g. a VerticalPodAutoscaler that resizes a hundred pods whose limits the fault had lowered."""
    around = at.around(workload=Workload("uid-deployment", 100, 100))
    s = at.new(
        experiment=at.experiment(at.FAIL, blastRadius={"podPercent": 100}),
        around=around,
        scene=scene(pods=pods(100), deployment=deployment(100)),
    )
    planned = at.followed(s, decide(s))
    running = at.followed(planned, decide(planned), judged=at.PASS)
    undo = decide(replace(running, judged=at.BREACH))
    found = {str(edit.target): {**pods(1)[0], "metadata": {"uid": edit.target.uid}} for edit in at.edits_in(running)}
    edited: dict[str, Any] = copy.deepcopy(found)
    for body in edited.values():
        body["spec"]["containers"][0]["image"] = "by-hand"
    after = replace(at.followed(running, undo, judged=at.PASS, observed=edited), now=at.NOW + timedelta(seconds=40))
    status = decide(after).status
    assert "was changed by somebody else" in status.kept[0]
    assert len(status.kept) <= 64


@pytest.mark.parametrize(
    ("s", "recovered", "words"),
    [
        (at.recovering(), True, "state and objectives as before after 30 s"),
        (at.recovering(at.FAIL, observed={}), True, "as before after 30 s; Pod lending/scoring-aaa-3 is gone"),
        (at.recovering(ago=LATE, judged=at.BREACH), False, "not after 121 s: objective errors: figures"),
        (at.recovering(because=HALTED), True, "as before after 30 s"),
        (at.recovering(because=HALTED, ago=LATE, around=SHORT), False, "not after 121 s: 2 of 3 pods are available"),
    ],
)
def test_whether_it_recovered_is_told_whatever_the_result(s: RunSnapshot, *, recovered: bool, words: str) -> None:
    status = decide(s).status
    found = find(status.conditions, "Recovered")
    assert found is not None
    assert (found.status, found.reason) == (
        (ConditionStatus.TRUE, "AsBefore") if recovered else (ConditionStatus.FALSE, "NotRecovered")
    )
    assert words in found.message
    assert status.recovered_at == (at.NOW if recovered else None)


def test_all_three_verdicts_and_the_effect_are_kept() -> None:
    status = decide(at.recovering(at.PARTITION, reading=Reading(0.0))).status
    assert [[one.name for one in each] for each in (status.before, status.during, status.after)] == [["errors"]] * 3
    effect = status.effect
    assert effect is not None
    assert (effect.before, effect.during, effect.after, effect.gone_at) == ("0", "1", "0", at.NOW)


def test_while_it_waits_only_the_seconds_change_and_nothing_is_written() -> None:
    s = at.recovering(judged=at.BREACH)
    first = at.followed(s, decide(s), judged=at.BREACH, observed=s.observed)
    assert differs(status_of(s.run), status_of(first.run))
    later = replace(first, now=at.NOW + timedelta(seconds=5))
    plan = decide(later)
    assert "85 s left" in plan.message
    assert not differs(status_of(first.run), plan.status)
