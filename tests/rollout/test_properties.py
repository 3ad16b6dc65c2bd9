"""What holds for every picture a release can be decided from, however unlikely."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from feem.api.experiment import RunResult
from feem.api.plan import WhenInconclusive
from feem.api.release import Outcome, Release, ReleaseStatus
from feem.api.run import ChaosRun, Track
from feem.core.chaos.effects import CreateRun
from feem.core.chaos.status import is_open as is_under_way
from feem.core.chaos.status import result_of
from feem.core.rollout.decide import decide
from feem.core.rollout.effects import ApplyCanary, EndUndo, PinService, SetWeight, UndoTemplate, Unpause
from feem.core.rollout.inconclusive import THIN
from feem.core.rollout.mark import TrafficMark, UndoMark, parse_mark
from feem.core.rollout.plan import Plan
from feem.core.rollout.promotion import under_way
from feem.core.rollout.snapshot import Canary, Directives, HoldMechanism, ReleaseSnapshot, Traffic, Workload
from feem.core.rollout.status import differs, ending_of, ending_word, status_of
from feem.core.rollout.steps import current_step, weight_of
from tests.rollout import snapshots as at

LAST = len(at.WEIGHTS)
ENDINGS = ("RolledBack", "Aborted", "Superseded", "Cancelled", "Promoted", "Bypassed")


TRIED: st.SearchStrategy[frozenset[int]] = st.sampled_from(
    [frozenset({1}), frozenset({2}), frozenset({1, 3}), frozenset({1, 2, 3})]
)
"""Steps with an experiment."""


@cache
def _plan(action: str, hold: int, tried: frozenset[int]) -> dict[str, Any]:
    """A plan with an experiment in these steps; made once, for it takes longer than to decide."""
    steps = at.chaos(*tried)["plan"].wire()["steps"]
    return at.plan(inconclusive={"action": action, "maxHoldSeconds": hold}, watchSeconds=60, steps=steps)


def _releases() -> st.SearchStrategy[Release]:
    def made(
        step: int,
        ago: int,
        ending: str,
        flags: tuple[bool, bool, bool],
        times: tuple[int | None, int | None],
        state: str,
        action: str,
        tried: frozenset[int],
    ) -> Release:
        passed, restored, deleted = flags
        thin, promoted = (at.NOW - timedelta(seconds=ago) if ago is not None else None for ago in times)
        fields = {
            "passed_at": at.NOW if passed else None,
            "thin_since": thin,
            "promoted_at": promoted if ending in ("Promoted", "RolledBack") else None,
            "restored_at": at.NOW - timedelta(2) if restored else None,
        }
        status = at.status(step, ended=ending, ago=ago, **fields)
        conditions = [
            item if item.type != "Progressing" else item.model_copy(update={"reason": state})
            for item in status.conditions
        ]
        return at.release(
            status.model_copy(update={"conditions": conditions}),
            deletion_timestamp=at.NOW if deleted else None,
            **_plan(action, 30, tried),
        )

    rare = st.sampled_from([False] * 7 + [True])
    endings = st.sampled_from(["", "", "", *ENDINGS])
    since = st.one_of(st.none(), st.integers(0, 90))
    known = st.builds(
        made,
        st.integers(0, LAST + 1),
        st.integers(0, 120),
        endings,
        st.tuples(st.booleans(), st.booleans(), rare),
        st.tuples(since, since),
        st.sampled_from(["Baking", "Inconclusive", "Watching", "Watching", "CannotUndo", "Undoing"]),
        st.sampled_from(["Hold", "Rollback", "Promote"]),
        st.one_of(st.just(frozenset()), TRIED),
    )
    return st.one_of(known, st.just(at.release(None)))


RELEASES = _releases()


def _workloads() -> st.SearchStrategy[Workload | None]:
    changed = st.builds(
        lambda digest, replicas, *flags: replace(
            at.WORKLOAD,
            template_digest=digest,
            replicas=replicas,
            paused=flags[0],
            settled=flags[1],
            promoting=flags[2],
            stuck="deadline" if flags[3] else "",
            deleting=flags[4],
            undo=flags[5],
        ),
        st.sampled_from([at.CHANGE] * 4 + [at.STABLE, at.NEWER]),
        st.integers(0, 20),
        st.sampled_from([True, True, True, False]),
        st.booleans(),
        st.sampled_from([False, False, True]),
        st.booleans(),
        st.sampled_from([False] * 7 + [True]),
        st.sampled_from([None] * 4 + [UndoMark(at.NAME, "BurnsTooFast"), UndoMark("scoring-3", "BurnsTooFast")]),
    )
    return st.one_of(changed, changed, changed, st.none())


CANARIES = st.one_of(
    st.none(),
    st.builds(
        Canary,
        release=st.sampled_from([at.NAME, at.NAME, "scoring-3"]),
        template_digest=st.sampled_from([at.CHANGE, at.CHANGE, at.NEWER]),
        replicas=st.integers(0, 20),
        ready=st.integers(0, 20),
        pods=st.integers(0, 20),
        replica_set=st.just("scoring-canary-b"),
        stuck=st.sampled_from(["", "", "", "deadline"]),
    ),
)
MARKS = st.one_of(
    st.none(),
    st.builds(TrafficMark, st.sampled_from([at.NAME, at.NAME, "scoring-3"]), st.integers(1, LAST + 1)),
    st.builds(TrafficMark, st.just(at.NAME), st.integers(1, LAST + 1), st.sampled_from(ENDINGS[:4]), st.just("Why")),
)
TRAFFIC = st.one_of(
    st.none(),
    st.builds(
        Traffic,
        weight=st.sampled_from([0, 0, *at.WEIGHTS, 37, 100]),
        mark=MARKS,
        touched=st.booleans(),
        uneven=st.sampled_from([False, False, False, True]),
    ),
)
OUTCOMES = st.sampled_from(list(Outcome))
DOUBTS = st.sampled_from(
    ["TooFewSamples", "TooFewSamples", "NotEnoughEvidence", "MetricsUnavailable", "SharedDegradation"]
)


@cache
def _run(name: str, result: str, cause: str, planned: int | None, ended: int, **spec: Any) -> ChaosRun:
    return at.run(name, result, cause, planned=planned, ended=ended, **spec)


def _runs(*steps: int, least: int = 0) -> st.SearchStrategy[tuple[ChaosRun, ...]]:
    """Runs on the canary in these steps, and others that are all but that."""

    def made(step: int, more: str, result: str, cause: str, ended: int, odd: str) -> ChaosRun:
        name, planned = f"{at.NAME}-s{11 if odd == 'step' else step}{'-x' if odd == 'name' else more}", 30
        match odd:
            case "stable":
                return _run(name, result, cause, planned, ended, track="Stable", release="")
            case "release":
                return _run(name, result, cause, planned, ended, release="scoring-3")
            case "experiment":
                return _run(name, result, cause, planned, ended, experiment="other")
            case "before":
                planned = 90
        return _run(name, result, cause, None if odd == "unplanned" else planned, ended)

    odds = ["step", "name", "stable", "release", "experiment", "before", "unplanned"]
    one = st.builds(
        made,
        st.sampled_from(steps),
        st.sampled_from(["", "", "-2", "-3"]),
        st.sampled_from(["", "Passed", "Passed", "Failed", "Failed", "Aborted", "Skipped", "Error"]),
        st.sampled_from(["MetricsStale", "Halted", "Stopped", "FaultHadNoEffect"]),
        st.sampled_from([0, 59, 61]),
        st.sampled_from(["", "", "", "", *odds]),
    )
    some = st.lists(one, min_size=least, max_size=3, unique_by=lambda run: run.metadata.name)
    return some.map(tuple)


RUNS = st.one_of(st.just(()), _runs(1, 2, 3))
RUNS_IN = {step: st.one_of(st.just(()), *[_runs(step, least=1)] * 3) for step in range(1, LAST + 1)}
EXPERIMENTS = st.sampled_from([(), (at.experiment(),), (at.experiment(),), (at.experiment(service="other"),)])


@st.composite
def pictures(draw: st.DrawFn) -> ReleaseSnapshot:
    outcome = draw(OUTCOMES)
    reasons = draw(st.lists(DOUBTS, max_size=2)) if outcome is Outcome.INCONCLUSIVE else [""]
    return replace(
        at.seen(1, outcome),
        verdicts=tuple(at.verdict(outcome, reason) for reason in reasons),
        watched=draw(st.sampled_from(["", "scoring-bbb"])),
        stable_kept=draw(st.sampled_from([True, True, True, False])),
        release=draw(RELEASES),
        service_deleting=draw(st.sampled_from([False] * 7 + [True])),
        workload=draw(_workloads()),
        canary=draw(CANARIES),
        canary_service=draw(st.booleans()),
        traffic=draw(TRAFFIC),
        pinned=draw(st.sampled_from(["", "aaa", "old"])),
        directives=draw(st.builds(Directives, *([st.sampled_from([False, False, True])] * 4))),
        hold=draw(st.sampled_from([HoldMechanism.ADMISSION, HoldMechanism.STANDING])),
        problem=draw(st.sampled_from(["", "", "", "the Service is gone"])),
        announced=draw(st.sampled_from([None, None, None, ("ErrorRatioAboveStable", "text")])),
        runs=draw(RUNS),
        experiments=draw(EXPERIMENTS),
    )


@st.composite
def proving(draw: st.DrawFn) -> ReleaseSnapshot:
    """A step that has baked and passed, with the next step's pods: nothing but an experiment may keep it."""
    step = draw(st.integers(1, LAST))
    spec = _plan(draw(st.sampled_from(["Hold", "Promote"])), 0, draw(TRIED))
    thin = draw(st.sampled_from([False, False, False, True]))
    outcome = Outcome.INCONCLUSIVE if thin else Outcome.PASS
    state = at.status(step, ago=70, thin_since=at.NOW if thin else None)
    return replace(
        at.seen(step, outcome, release=at.release(state, **spec)),
        verdicts=(at.verdict(outcome, "TooFewSamples" if thin else ""),),
        canary=at.canary((5, 8, 10)[step - 1]),
        runs=draw(RUNS_IN[step]),
        experiments=draw(EXPERIMENTS),
    )


def weights(plan: Plan) -> list[int]:
    return [effect.weight for effect in plan.effects if isinstance(effect, SetWeight)]


def forward(plan: Plan) -> list[str]:
    """The effects that bring the change further."""
    return [
        str(effect)
        for effect in plan.effects
        if (isinstance(effect, Unpause) and effect.template_digest == at.CHANGE)
        or (isinstance(effect, SetWeight) and effect.weight > 0)
        or (isinstance(effect, ApplyCanary) and effect.replicas > 0)
    ]


def is_open(s: ReleaseSnapshot) -> bool:
    """Whether the release may still go either way."""
    return ending_of(s.release) is None and not under_way(s)


@given(pictures())
@settings(max_examples=100)
def test_the_same_picture_leads_to_the_same_plan(s: ReleaseSnapshot) -> None:
    assert decide(s) == decide(s)


@given(pictures())
@settings(max_examples=100)
def test_a_failure_or_an_abort_sends_all_traffic_back_before_anything_else(s: ReleaseSnapshot) -> None:
    if not is_open(s) or not (s.outcome is Outcome.FAIL or s.directives.abort):
        return
    plan = decide(s)
    assert not forward(plan)
    assert ending_of(s.release.model_copy(update={"status": plan.status})) is not None
    if s.traffic is not None and s.traffic.weight > 0:
        assert isinstance(plan.effects[0], SetWeight)
        assert weights(plan) == [0]


@given(pictures())
@settings(max_examples=100)
def test_without_proof_the_weight_never_rises_above_the_step(s: ReleaseSnapshot) -> None:
    if not is_open(s) or s.outcome is Outcome.PASS or s.directives.promote:
        return
    thin = bool(s.verdicts) and all(item.reason in THIN for item in s.verdicts)
    if thin and s.release.spec.plan.inconclusive.action is WhenInconclusive.PROMOTE:
        return
    step = max(1, min(current_step(s), LAST + 1))
    assert all(weight <= weight_of(s, step) for weight in weights(decide(s)))


@given(pictures())
@settings(max_examples=100)
def test_a_paused_release_goes_no_step_further(s: ReleaseSnapshot) -> None:
    if not is_open(s):
        return
    paused = replace(s, directives=replace(s.directives, paused=True))
    plan, step = decide(paused), current_step(s)
    assert all(weight <= (weight_of(s, step) if step else 0) for weight in weights(plan))
    assert not any(isinstance(effect, Unpause) for effect in plan.effects)


@given(pictures())
@settings(max_examples=100)
def test_weights_rise_one_step_at_a_time(s: ReleaseSnapshot) -> None:
    if s.directives.promote:
        return
    step, plan = current_step(s), decide(s)
    allowed = {0, *(weight_of(s, each) for each in (step, step + 1) if 1 <= each <= LAST + 1)}
    assert set(weights(plan)) <= allowed
    for effect in plan.effects:
        mark = parse_mark(effect.mark) if isinstance(effect, SetWeight) else None
        if mark is not None and not mark.ending:
            assert mark.step in (step, step + 1)


@given(pictures())
@settings(max_examples=100)
def test_a_release_whose_end_is_decided_only_takes_away(s: ReleaseSnapshot) -> None:
    marked = s.traffic is not None and s.traffic.mark is not None and s.traffic.mark.ending
    if ending_of(s.release) is None and not marked:
        return
    plan = decide(s)
    assert not forward(plan)
    if ending_of(s.release) is not None:
        assert not any(isinstance(effect, PinService) for effect in plan.effects)


@given(pictures())
@settings(max_examples=100)
def test_a_deployment_is_resumed_only_with_all_traffic_on_a_canary_that_carries_it(s: ReleaseSnapshot) -> None:
    plan = decide(s)
    for effect in plan.effects:
        if isinstance(effect, Unpause) and plan.action != "ResumeUndo":
            assert effect.template_digest == s.release.spec.template_digest
            assert weights(plan) == [100] or (s.traffic is not None and s.traffic.weight == 100)


@given(pictures())
@settings(max_examples=100)
def test_traffic_goes_only_to_a_canary_of_this_change_with_pods(s: ReleaseSnapshot) -> None:
    if not any(weights(decide(s))):
        return
    canary = s.canary
    assert canary is not None
    assert (canary.release, canary.template_digest) == (at.NAME, s.release.spec.template_digest)
    assert canary.ready > 0
    assert s.canary_service
    assert s.pinned == "aaa"


def passed_now(s: ReleaseSnapshot, step: int) -> bool:
    """Whether a run of this step passed, on this canary and since the step began."""
    began = status_of(s.release).step_started_at if status_of(s.release).step == step else s.now
    names = {f"{at.NAME}-s{step}{more}" for more in ("", "-2", "-3")}
    return any(
        run.metadata.name in names
        and (run.spec.track, run.spec.release, run.spec.experiment) == (Track.CANARY, at.NAME, at.EXPERIMENT)
        and run.status is not None
        and run.status.completed_at is not None
        and run.status.planned_at is not None
        and (began is None or run.status.planned_at >= began)
        and result_of(run) == RunResult.PASSED
        for run in s.runs
    )


@given(st.one_of(proving(), pictures()))
@settings(max_examples=300)
def test_without_a_passed_run_no_weight_rises_past_a_step_with_an_experiment(s: ReleaseSnapshot) -> None:
    step, steps = current_step(s), s.release.spec.plan.steps
    if not is_open(s) or s.directives.promote or not 1 <= step <= LAST or steps[step - 1].chaos is None:
        return
    if passed_now(s, step):
        return
    plan = decide(s)
    assert all(weight <= weight_of(s, step) for weight in weights(plan))
    assert not any(isinstance(effect, Unpause) for effect in plan.effects)


@given(st.one_of(proving(), pictures()))
@settings(max_examples=200)
def test_a_run_is_asked_for_once_at_a_time_and_only_where_the_plan_wants_it(s: ReleaseSnapshot) -> None:
    plan, step = decide(s), current_step(s)
    created = [effect for effect in plan.effects if isinstance(effect, CreateRun)]
    if not created:
        return
    (effect,) = created
    assert plan.effects == (effect,)
    assert effect.name not in {run.metadata.name for run in s.runs}
    assert effect.name.startswith(f"{at.NAME}-s{step}")
    assert not s.directives.paused
    assert not s.directives.promote
    assert s.release.spec.plan.steps[step - 1].chaos is not None
    own = [run for run in s.runs if (run.spec.track, run.spec.release) == (Track.CANARY, at.NAME)]
    assert not any(is_under_way(run) for run in own)
    assert not passed_now(s, step)
    assert at.EXPERIMENT in {one.metadata.name for one in s.experiments}


@given(st.one_of(proving(), pictures()))
@settings(max_examples=200)
def test_a_run_that_failed_on_the_canary_takes_the_release_back(s: ReleaseSnapshot) -> None:
    steps = s.release.spec.plan.steps
    gaps = {
        f"{at.NAME}-s{step}{more}" for step in range(1, LAST + 1) if steps[step - 1].chaos for more in ("", "-2", "-3")
    }
    asked = (Track.CANARY, at.NAME, at.EXPERIMENT)
    found = [
        run
        for run in s.runs
        if run.metadata.name in gaps and (run.spec.track, run.spec.release, run.spec.experiment) == asked
    ]
    if is_open(s) and any(result_of(run) == RunResult.FAILED for run in found):
        assert decide(s).action == "RollBack"


@given(st.one_of(proving(), pictures()))
@settings(max_examples=100)
def test_nothing_goes_forward_with_a_fault_on_the_pods_that_serve_users(s: ReleaseSnapshot) -> None:
    s = replace(s, runs=(*s.runs, at.stable_run()))
    if not is_open(s):
        return
    plan, step = decide(s), current_step(s)
    assert not any(weights(plan))
    assert not any(isinstance(effect, Unpause | CreateRun) for effect in plan.effects)
    if step == 0:
        assert not forward(plan)


@given(st.one_of(proving(), pictures()))
@settings(max_examples=100)
def test_a_way_back_is_the_same_whatever_is_broken(s: ReleaseSnapshot) -> None:
    calm = decide(replace(s, runs=()))
    if calm.action in ("RollBack", "RestoreTraffic", "ScaleDownCanary", "RemoveCanary", "Undo"):
        assert decide(replace(s, runs=(at.stable_run(), at.run()))) == calm


@st.composite
def watches(draw: st.DrawFn) -> ReleaseSnapshot:
    """A promoted release, cleaned up, in or after its watch of ten minutes."""
    outcome = draw(OUTCOMES)
    base = at.watched(outcome, ago=draw(st.integers(0, 700)))
    live = replace(at.WORKLOAD, paused=False, settled=True)
    changes = st.sampled_from(
        [
            {},
            {},
            {},
            {"template_digest": at.NEWER},
            {"template_digest": at.STABLE},
            {"paused": True},
            {"deleting": True},
            {"settled": False},
            {"template_digest": at.STABLE, "promoting": True, "undo": UndoMark(at.NAME, "BurnsTooFast")},
        ]
    )
    return replace(
        base,
        workload=draw(st.one_of(st.builds(lambda change: replace(live, **change), changes), st.none())),
        service_deleting=draw(st.sampled_from([False] * 7 + [True])),
        directives=draw(st.builds(Directives, *([st.sampled_from([False, False, True])] * 4))),
        hold=draw(st.sampled_from([HoldMechanism.ADMISSION, HoldMechanism.STANDING])),
        watched=draw(st.sampled_from(["", "scoring-bbb", "scoring-bbb"])),
        stable_kept=draw(st.sampled_from([True, True, False])),
        announced=draw(st.sampled_from([None, None, ("BurnsTooFast", "text")])),
    )


@given(st.one_of(watches(), pictures()))
@settings(max_examples=300)
def test_only_a_promoted_version_is_taken_back_in_its_watch_for_a_fail(s: ReleaseSnapshot) -> None:
    plan, spec = decide(s), s.release.spec
    for effect in plan.effects:
        if isinstance(effect, UndoTemplate):
            status = status_of(s.release)
            assert ending_word(s.release) == "Promoted"
            assert status.promoted_at is not None
            assert (s.now - status.promoted_at).total_seconds() < spec.plan.watch_seconds
            assert s.workload is not None
            assert s.workload.template_digest == effect.template_digest == spec.template_digest
            assert effect.stable_digest == spec.stable.template_digest
            assert s.announced is not None or (s.watched and s.outcome is Outcome.FAIL)
            assert s.stable_kept
            assert not s.directives.abort
            assert plan.effects == (effect,)


@given(pictures())
@settings(max_examples=200)
def test_evidence_that_is_more_than_thin_moves_nothing_whatever_the_plan_says(s: ReleaseSnapshot) -> None:
    if not is_open(s) or s.outcome is not Outcome.INCONCLUSIVE or all(item.reason in THIN for item in s.verdicts):
        return
    plan = decide(s)
    assert plan.reason not in ("InconclusiveTooLong", "PromotedWithoutProof", "HeldTooLong")


@given(watches())
@settings(max_examples=100)
def test_a_watch_only_watches_takes_back_or_ends(s: ReleaseSnapshot) -> None:
    plan = decide(s)
    assert not forward(plan)
    assert all(isinstance(effect, UndoTemplate | EndUndo) for effect in plan.effects)
    if s.outcome is not Outcome.FAIL and s.announced is None and (s.workload is None or s.workload.undo is None):
        assert not plan.effects
    if plan.status.completed_at is None and not plan.effects:
        assert plan.requeue is not None


@given(st.one_of(watches(), pictures()))
@settings(max_examples=100)
def test_plans_without_effects_come_to_rest(s: ReleaseSnapshot) -> None:
    """Written down, a plan that does nothing leads to one that has nothing more to write, or to one that does something."""
    for _ in range(5):
        plan = decide(s)
        if plan.effects or not differs(status_of(s.release), plan.status):
            return
        if plan.status.completed_at is not None:
            return
        s = replace(s, release=s.release.model_copy(update={"status": plan.status}), announced=None)
    raise AssertionError(f"the status is written again and again: {plan}")


@given(pictures())
@settings(max_examples=100)
def test_every_status_is_one_the_api_accepts(s: ReleaseSnapshot) -> None:
    status = decide(s).status
    assert ReleaseStatus.model_validate(status.wire()).wire() == status.wire()


@given(
    st.builds(TrafficMark, st.sampled_from(["a", "scoring-4-r2"]), st.integers(1, 21), st.sampled_from(["", "Aborted"]))
)
def test_a_mark_is_read_as_it_was_written(mark: TrafficMark) -> None:
    assert parse_mark(str(mark)) == mark
