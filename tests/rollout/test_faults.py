"""A release waits for a fault on the service's pods: it does not begin, nor go forward; going back never waits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from feem.api.release import Outcome
from feem.api.run import ChaosRun
from feem.core.rollout.decide import decide
from feem.core.rollout.snapshot import Directives, ReleaseSnapshot
from tests.rollout import snapshots as at
from tests.rollout.snapshots import NAME, NOW, WORKLOAD, canary, run, seen, stable_run, traffic

IN_PLACE = {"type": "FaultInPlace", "status": "True", "reason": "InPlace", "lastTransitionTime": NOW.isoformat()}
UNDONE = {"undoneAt": NOW.isoformat()}

RUNS: dict[str, tuple[ChaosRun, bool]] = {
    "planned": (stable_run(), True),
    "in place, says its condition": (stable_run(planned=None, status={"conditions": [IN_PLACE]}), True),
    "not planned yet": (stable_run(planned=None, status={"conditions": []}), False),
    "new": (stable_run(planned=None, status={"terms": None, "conditions": []}), False),
    "undone, recovering": (stable_run(status=UNDONE), False),
    "ended": (stable_run(result="Passed"), False),
    "ended, and its condition is old": (stable_run(result="Error", status={"conditions": [IN_PLACE]}), False),
    "on the canary of an earlier release": (run("scoring-3-s1", release="scoring-3"), True),
}
FORWARD: dict[str, ReleaseSnapshot] = {
    "begin": seen(0),
    "begin with a canary": seen(0, canary=canary(), canary_service=True, pinned="aaa"),
    "begin with a promotion": seen(0, directives=Directives(promote=True)),
    "next step": seen(1, Outcome.PASS, canary=canary(5)),
    "pods of the next step": seen(1, Outcome.PASS),
    "skip to the promotion": seen(1, directives=Directives(promote=True), canary=canary(10)),
    "promotion": seen(3, Outcome.PASS, canary=canary(10)),
    "promotion, stopped after the weight": seen(4),
    "promotion, before the weight": seen(4, traffic=traffic(4, weight=80)),
    "the weight of the present step": seen(2, traffic=traffic(2, weight=0)),
}


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("move", FORWARD)
def test_nothing_goes_forward_while_a_fault_may_be_in_place(name: str, move: str) -> None:
    (going, waits), before = RUNS[name], FORWARD[move]
    assert decide(before).effects
    plan = decide(replace(before, runs=(going,)))
    assert (at.word(plan) == "WaitingForChaos") is waits
    assert bool(plan.effects) is not waits
    if waits:
        assert f"ChaosRun {going.metadata.name} has a fault in place" in plan.message
        assert plan.requeue == 1


@pytest.mark.parametrize("own", [run(), run(planned=None, status={"conditions": []})])
def test_the_own_experiment_may_see_the_weight_of_its_step_restored_and_nothing_more(own: ChaosRun) -> None:
    for name, s in FORWARD.items():
        plan = decide(replace(s, runs=(own,)))
        if name == "the weight of the present step":
            assert plan.action in ("ApplyCanary", "ShiftTraffic")
        else:
            assert plan.effects == ()
            assert at.word(plan) in ("WaitingForChaos", "Experimenting")


BACK: dict[str, dict[str, Any]] = {
    "worse": {"outcome": Outcome.FAIL, "verdicts": (at.verdict(Outcome.FAIL),)},
    "abort": {"directives": Directives(abort=True)},
    "service deleted": {"service_deleting": True},
    "newer change": {"workload": replace(WORKLOAD, template_digest=at.NEWER)},
    "canary lost": {"canary": None},
    "announced": {"announced": ("ErrorRatioAboveStable", "text")},
    "decided": {"release": at.release(at.status(1, ended="RolledBack"))},
    "marked": {"traffic": traffic(1, ending="RolledBack")},
}


@pytest.mark.parametrize("why", BACK)
@pytest.mark.parametrize("going", [stable_run(), run()], ids=["on stable", "its own"])
def test_going_back_never_waits(why: str, going: ChaosRun) -> None:
    s = replace(seen(1), **BACK[why])
    assert decide(replace(s, runs=(going,))) == decide(s)
    assert decide(s).action in ("RollBack", "RestoreTraffic")


@pytest.mark.parametrize("step", [0, 1, 4])
def test_a_paused_release_says_that_it_is_paused(step: int) -> None:
    s = seen(step, Outcome.PASS, directives=Directives(paused=True), runs=(stable_run(),))
    assert at.word(decide(s)) == "Paused"


def test_a_rolling_update_is_not_held_up() -> None:
    s = seen(4, workload=replace(WORKLOAD, paused=False, promoting=True), pinned="", runs=(stable_run(),))
    assert at.word(decide(s)) == "RollingUpdate"


def test_a_run_that_a_release_waits_for_is_said_by_its_name() -> None:
    first, then = (decide(seen(0, runs=(stable_run(name),))) for name in ("one", "two"))
    assert first.message != then.message
    assert NAME not in first.message
