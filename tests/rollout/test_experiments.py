"""A step's experiment on the canary: what each result does, when it is tried, and what it waits for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from feem.api.gate import Stage
from feem.api.release import GateOutcome, Outcome
from feem.api.run import ChaosRun, RunSpec, Track
from feem.core.chaos.effects import CreateRun
from feem.core.gates.result import Compliance, GateResult
from feem.core.rollout.decide import decide
from feem.core.rollout.effects import ApplyCanary, PinService, SetWeight
from feem.core.rollout.experiments import AGAIN_AFTER, MOST_TRIES, PASSING
from feem.core.rollout.plan import Plan
from feem.core.rollout.recovery import true_of_release
from feem.core.rollout.runs import concerning
from feem.core.rollout.snapshot import Directives, ReleaseSnapshot
from feem.core.rollout.status import differs
from feem.view.chaos.causes import CAUSES
from tests.rollout import snapshots as at
from tests.rollout.snapshots import EXPERIMENT, NAME, NOW, canary, run

ANOTHER = "other-outage"


def asked(
    *runs: ChaosRun, step: int = 1, outcome: Outcome = Outcome.PASS, ago: float = 600, **changes: Any
) -> ReleaseSnapshot:
    """A step with an experiment that has baked and passed, and the runs so far; every Ready pod of the next step is there."""
    pods = (1, 5, 8, 10)[step - 1]
    spec = changes.pop("spec", at.chaos(1, 2, 3))
    state = at.status(step, ago=ago, **changes.pop("state", {}))
    base = at.seen(
        step, outcome, release=at.release(state, **spec), canary=canary(pods), experiments=(at.experiment(),)
    )
    return replace(base, runs=runs, **changes)


def made(plan: Plan) -> list[str]:
    return [effect.name for effect in plan.effects if isinstance(effect, CreateRun)]


def go_on(s: ReleaseSnapshot, pods: int = 5) -> Plan:
    """The plan, with the pods of the next step."""
    return decide(replace(s, canary=canary(pods)))


def test_a_step_that_has_baked_and_passed_has_its_experiment_tried_on_its_canary() -> None:
    plan = decide(asked())
    assert (plan.action, at.word(plan), plan.requeue) == ("Experiment", "Experimenting", 0)
    (effect,) = plan.effects
    assert isinstance(effect, CreateRun)
    assert (effect.name, effect.experiment, effect.owner_kind, effect.owner, effect.experiment_uid) == (
        f"{NAME}-s1",
        EXPERIMENT,
        "Release",
        NAME,
        f"uid-{NAME}",
    )
    spec = RunSpec.model_validate(effect.spec)
    assert (spec.track, spec.release, spec.requested_by) == (Track.CANARY, NAME, "")
    assert plan.status.passed_at == NOW


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"outcome": Outcome.INCONCLUSIVE}, "Inconclusive"),
        ({"ago": 10}, "Baking"),
        ({"directives": Directives(paused=True)}, "Paused"),
        ({"problem": "the Service is gone"}, "Waiting"),
        ({"experiments": ()}, "ExperimentMissing"),
        ({"experiments": (at.experiment(service="other"),)}, "ExperimentMissing"),
        ({"experiments": (at.experiment(deletionTimestamp="2026-03-02T09:00:00Z"),)}, "ExperimentMissing"),
        ({"canary": canary(1, ready=0)}, "RollingBack"),
        (
            {
                "canary": canary(3, ready=1),
                "spec": {
                    **at.plan(
                        steps=[{"weight": 10, "bakeSeconds": 60, "replicas": 3, "chaos": {"experiment": EXPERIMENT}}]
                    )
                },
            },
            "StartingCanary",
        ),
        ({"runs": (at.stable_run(),)}, "WaitingForChaos"),
    ],
)
def test_nothing_is_tried_before_everything_is_well(changes: dict[str, Any], state: str) -> None:
    plan = decide(
        replace(asked(**{key: value for key, value in changes.items() if key != "runs"}), runs=changes.get("runs", ()))
    )
    assert at.word(plan) == state
    assert made(plan) == []


def test_a_missing_experiment_is_named_with_what_to_create() -> None:
    text = decide(asked(experiments=())).message
    assert f"ChaosExperiment {EXPERIMENT} is not there" in text
    assert "create it in namespace lending with spec.service scoring" in text
    assert "is for service other" in decide(asked(experiments=(at.experiment(service="other"),))).message


@pytest.mark.parametrize("stage", list(Stage)[:4])
def test_the_gates_of_the_present_step_are_asked_before_the_experiment_and_the_next_ones_after_it(stage: Stage) -> None:
    gate = GateResult("freeze", stage, GateOutcome.HOLDING, "ChangeFreeze", "frozen", "frozen")
    closed = Compliance((gate,), "")
    before, after = decide(asked(compliance=closed)), go_on(asked(run(result="Passed"), compliance=closed))
    now = stage in (Stage.REQUEST, Stage.START)
    assert (at.word(before) == "Waiting", made(before)) == (now, [] if now else [f"{NAME}-s1"])
    assert (at.word(after) == "Waiting") is (stage is not Stage.PROMOTION)


@pytest.mark.parametrize(
    ("result", "cause", "state"),
    [
        ("Passed", "HypothesisHeld", "Baking"),
        ("Failed", "ObjectiveBreached", "RollingBack"),
        ("Failed", "NotRecovered", "RollingBack"),
        ("Aborted", "Stopped", "ExperimentInconclusive"),
        ("Aborted", "Halted", "ExperimentInconclusive"),
        ("Skipped", "MetricsStale", "ExperimentInconclusive"),
        ("Skipped", "NamespaceNotAllowed", "ExperimentInconclusive"),
        ("Error", "FaultHadNoEffect", "ExperimentInconclusive"),
        ("Error", "MetricsStale", "ExperimentInconclusive"),
    ],
)
def test_what_becomes_of_each_result(result: str, cause: str, state: str) -> None:
    plan = go_on(asked(run(result=result, cause=cause)))
    assert at.word(plan) == state
    assert [effect.weight for effect in plan.effects if isinstance(effect, SetWeight)] == {
        "Baking": [50],
        "RollingBack": [0],
        "ExperimentInconclusive": [],
    }[state]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"directives": Directives(paused=True)},
        {"directives": Directives(promote=True)},
        {"outcome": Outcome.INCONCLUSIVE},
        {"problem": "gone"},
    ],
)
def test_a_canary_that_did_not_survive_goes_back_whatever_else_there_is(changes: dict[str, Any]) -> None:
    plan = decide(asked(run(result="Failed", cause="ObjectiveBreached"), **changes))
    assert (plan.action, plan.reason, at.word(plan, "Succeeded")) == ("RollBack", "ChaosFailed", "RolledBack")
    assert f"experiment {EXPERIMENT} failed on the canary in step 1/3 at 10% (ChaosRun {NAME}-s1)" in plan.message
    assert "errors 3 % of 1 %, 12 s after the fault" in plan.message


def test_a_run_that_is_known_to_have_failed_takes_the_release_back_before_it_is_over() -> None:
    going = run(result="Failed", cause="ObjectiveBreached", status={"completedAt": None})
    assert decide(asked(going)).reason == "ChaosFailed"


def test_the_promotion_waits_for_the_last_steps_experiment_too() -> None:
    last = asked(step=3)
    assert made(decide(last)) == [f"{NAME}-s3"]
    assert at.word(decide(replace(last, runs=(run(f"{NAME}-s3", "Passed"),)))) == "StartingCanary"
    plan = decide(replace(last, runs=(run(f"{NAME}-s3", "Passed"),), canary=canary(10)))
    assert (plan.action, plan.reason) == ("Promote", "AllStepsPassed")


def test_thin_evidence_that_the_plan_lets_go_is_no_way_around_the_experiment() -> None:
    policy = {"action": "Promote", "maxHoldSeconds": 0}
    spec = at.plan(inconclusive=policy, steps=at.chaos(1)["plan"].wire()["steps"])
    state = {"thin_since": NOW - timedelta(seconds=60)}
    s = asked(
        outcome=Outcome.INCONCLUSIVE,
        spec=spec,
        state=state,
        verdicts=(at.verdict(Outcome.INCONCLUSIVE, "TooFewSamples"),),
    )
    assert made(decide(s)) == [f"{NAME}-s1"]
    assert go_on(replace(s, runs=(run(result="Passed"),))).reason == "PromotedWithoutProof"


@pytest.mark.parametrize("outcome", [Outcome.PASS, Outcome.INCONCLUSIVE])
@pytest.mark.parametrize("state", ["", "Checking", "Running", "Recovering"])
def test_while_it_is_tried_the_canary_stays_as_it_is(outcome: Outcome, state: str) -> None:
    written = {
        "conditions": [
            {"type": "Progressing", "status": "True", "reason": state, "lastTransitionTime": NOW.isoformat()}
        ]
    }
    going = run(status=written if state else {"conditions": []})
    plan = decide(asked(going, outcome=outcome))
    assert (plan.action, at.word(plan), plan.effects, plan.requeue) == ("Wait", "Experimenting", (), 5)
    assert f"{NAME}-s1 ({state or 'New'})" in plan.message


def test_a_canary_with_other_pods_than_the_step_asks_for_is_not_scaled_while_it_is_tried() -> None:
    assert decide(asked(run(), canary=canary(4))).effects == ()
    assert decide(asked(run(), canary=canary(4), outcome=Outcome.INCONCLUSIVE)).effects == ()
    assert [type(one) for one in decide(asked(run(), pinned="")).effects] == [PinService]


def test_pods_of_the_next_step_come_after_the_experiment() -> None:
    state: dict[str, Any] = {"outcome": Outcome.INCONCLUSIVE, "state": {"passed_at": NOW}}
    assert (at.word(decide(asked(**state))), decide(asked(**state)).effects) == ("Inconclusive", ())
    (effect,) = decide(asked(run(result="Passed"), **state)).effects
    assert isinstance(effect, ApplyCanary)
    assert effect.replicas == 5


def test_its_own_judge_goes_on_meanwhile() -> None:
    plan = decide(asked(run(), outcome=Outcome.FAIL))
    assert (plan.action, plan.reason) == ("RollBack", "ErrorRatioAboveStable")


def test_each_word_of_a_run_is_worth_a_write() -> None:
    first, then = decide(asked(run())), decide(asked(run(status={"conditions": []})))
    assert differs(first.status, then.status)
    assert not differs(first.status, decide(asked(run(), outcome=Outcome.PASS)).status)


@pytest.mark.parametrize(
    ("cause", "result", "ago", "again"),
    [
        *((cause, "Skipped", 61.0, True) for cause in sorted(PASSING)),
        ("Halted", "Aborted", 61.0, True),
        ("Halted", "Aborted", 60.0, True),
        ("Halted", "Aborted", 59.9, False),
        ("Stopped", "Aborted", 9999.0, False),
        ("RunDeleted", "Aborted", 9999.0, False),
        ("TooFewPods", "Skipped", 9999.0, False),
        ("NamespaceNotAllowed", "Skipped", 9999.0, False),
        ("BudgetSpent", "Skipped", 9999.0, False),
        ("MetricsStale", "Error", 9999.0, False),
        ("FaultHadNoEffect", "Error", 9999.0, False),
    ],
)
def test_what_passes_by_itself_is_tried_again_after_a_minute(
    cause: str, result: str, ago: float, *, again: bool
) -> None:
    plan = decide(asked(run(result=result, cause=cause, ended=ago), ago=20000))
    assert made(plan) == ([f"{NAME}-s1-2"] if again else [])
    assert at.word(plan) == ("Experimenting" if again else "ExperimentInconclusive")


def test_people_are_told_when_it_is_tried_again_and_what_to_decide_when_it_is_not() -> None:
    soon = decide(asked(run(result="Skipped", cause="MetricsStale", ended=58)))
    assert "tried again at 09:30:02 UTC, as attempt 2 of 3" in soon.message
    assert soon.requeue == 2
    never = decide(asked(run(result="Error", cause="FaultHadNoEffect")))
    assert "after one attempt, decide Promote to go on without it, or Abort to go back" in never.message
    assert f"ChaosRun {NAME}-s1 ended Error, FaultHadNoEffect: errors 3 %" in never.message


def test_after_three_attempts_people_decide() -> None:
    names = [f"{NAME}-s1", *(f"{NAME}-s1-{number}" for number in range(2, MOST_TRIES + 1))]
    tried = [run(name, "Skipped", "MetricsStale", ended=9000 - 100 * place) for place, name in enumerate(names)]
    assert made(decide(asked(*tried[:2], ago=20000))) == [names[2]]
    plan = decide(asked(*tried, ago=20000))
    assert (made(plan), at.word(plan)) == ([], "ExperimentInconclusive")
    assert "after 3 attempts" in plan.message
    assert names[2] in plan.message


def test_attempts_are_counted_by_their_number_not_by_their_letters() -> None:
    tried = [run(f"{NAME}-s1-{number}", "Skipped", "MetricsStale", ended=2000 - number) for number in (10, 9)]
    assert (
        f"{NAME}-s1-10"
        in decide(asked(*tried, run(result="Error", cause="EffectStayed", ended=5000), ago=20000)).message
    )


def test_a_step_that_began_anew_has_its_experiment_tried_anew() -> None:
    passed = run(result="Passed", planned=100, ended=50)
    assert made(decide(asked(passed, ago=99))) == [f"{NAME}-s1-2"]
    assert at.word(go_on(asked(passed, ago=100))) == "Baking"
    again = run(f"{NAME}-s1-2", "Passed", planned=40, ended=10)
    assert at.word(go_on(asked(passed, again, ago=99))) == "Baking"


@pytest.mark.parametrize(
    "passed",
    [
        run(f"{NAME}-s2", "Passed"),
        run(f"{NAME}-s11", "Passed"),
        run(f"{NAME}-s1-x", "Passed"),
        run("scoring-3-s1", "Passed", release="scoring-3"),
        run(f"{NAME}-s1", "Passed", track="Stable", release=""),
        run(f"{NAME}-s1", "Passed", track="Stable"),
        run(f"{NAME}-s1", "Passed", experiment=ANOTHER),
        run(f"{NAME}-s1", "Passed", planned=None),
        run(f"{NAME}-s1", "Passed", made=9000),
        at.stable_run(result="Passed"),
    ],
    ids=[
        "step 2",
        "step 11",
        "odd name",
        "another release",
        "stable",
        "stable of a release",
        "another experiment",
        "no plan",
        "an earlier release",
        "by hand",
    ],
)
def test_only_a_run_of_this_step_of_this_release_counts(passed: ChaosRun) -> None:
    s = asked(passed)
    s = replace(
        s,
        release=s.release.model_copy(
            update={
                "metadata": s.release.metadata.model_copy(update={"creation_timestamp": NOW - timedelta(seconds=1000)})
            }
        ),
    )
    plan = go_on(s, 1)
    assert made(plan) in ([f"{NAME}-s1"], [f"{NAME}-s1-2"])
    assert made(plan)[0] != passed.metadata.name


def test_a_failure_of_an_earlier_release_of_the_same_name_is_not_this_ones() -> None:
    s = asked(run(result="Failed", made=2000))
    began = s.release.metadata.model_copy(update={"creation_timestamp": NOW - timedelta(seconds=1000)})
    assert made(decide(replace(s, release=s.release.model_copy(update={"metadata": began})))) == [f"{NAME}-s1-2"]


def test_whoever_promotes_skips_the_experiment_once_nothing_is_broken() -> None:
    promote = Directives(promote=True)
    for runs in ((), (run(result="Error", cause="EffectStayed"),), (run(result="Skipped", cause="NoWindow"),)):
        plan = go_on(asked(*runs, directives=promote), 10)
        assert (plan.action, plan.reason) == ("Promote", "PromoteDecision")
    for going in (run(), run(planned=None, status={"conditions": []})):
        plan = go_on(asked(going, directives=promote), 10)
        assert (at.word(plan), plan.effects, plan.requeue) == ("WaitingForChaos", (), 1)


def test_without_an_experiment_in_the_plan_runs_of_others_mean_nothing() -> None:
    for other in (run(result="Failed"), run(result="Error", cause="EffectStayed"), at.stable_run(result="Failed")):
        assert at.word(go_on(asked(other, spec={}))) == "Baking"


def test_a_run_that_is_there_was_created() -> None:
    s = asked(run(), at.stable_run())
    there = true_of_release(s)
    assert str(CreateRun("lending", f"{NAME}-s1", "", "", {})) in there
    assert str(CreateRun("lending", f"{NAME}-s1-2", "", "", {})) not in there


def test_runs_that_concern_a_release_are_found() -> None:
    mine, named, stable = (
        run(result="Skipped", made=30),
        run(f"{NAME}-s2", track="Stable", release="", result="Passed", made=20),
        at.stable_run(made=10),
    )
    others = [
        at.stable_run("elsewhere", service="other"),
        at.stable_run("over", "Failed"),
        run("scoring-3-s1", "Passed", release="scoring-3"),
    ]
    bodies = [item.wire() for item in (stable, *others, named, mine)]
    assert [item.metadata.name for item in concerning(bodies, at.release())] == [
        f"{NAME}-s1",
        f"{NAME}-s2",
        "bureau-outage-x",
    ]
    assert (
        concerning([{"metadata": {"name": "new", "namespace": "lending"}, "spec": {"experiment": "x"}}], at.release())
        == ()
    )


def test_what_passes_by_itself_is_a_cause_of_runs_that_were_skipped_or_aborted() -> None:
    assert all({"Skipped", "Aborted"} & set(CAUSES[cause].results) for cause in PASSING)


def test_a_minute_and_three_attempts() -> None:
    assert (AGAIN_AFTER.total_seconds(), MOST_TRIES) == (60, 3)
