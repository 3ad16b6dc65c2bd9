"""Proves when the judge asks, what it remembers, and that missing metrics decide nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from feem.api.indicator import RatioIndicator
from feem.api.objective import CanarySettings, Indicator
from feem.api.plan import PlanSpec, Step
from feem.api.release import ObjectiveSnapshot, Outcome
from feem.controllers.judge import FORGOTTEN, Judge, Judgement, charge_of
from feem.core.evidence.replay import replay
from feem.core.evidence.samples import Evidence, SampleRequest, TrackSamples
from feem.core.rollout.snapshot import Directives, HoldMechanism, ReleaseSnapshot, Traffic
from tests.evidence.samples import START, Pod, between, gauge, mix, objective, track
from tests.rollout.snapshots import SPEC, WORKLOAD, canary, release, status

BEGAN = datetime.fromtimestamp(START, UTC)
CANARY, STABLE = "scoring-canary-b", SPEC.stable.replica_set
ERRORS = objective()
DOWN = "the metrics server did not answer"


@dataclass
class Metrics:
    """The pods of each ReplicaSet, and what of it cannot be asked."""

    pods: dict[str, list[Pod]]
    down: bool = False
    broken: str = ""
    """The objective's total whose samples cannot be had."""
    asked: list[SampleRequest] = field(default_factory=list)

    async def samples(self, request: SampleRequest) -> Evidence:
        self.asked.append(request)
        ratio = request.indicator.ratio
        if self.down or (ratio is not None and ratio.total == self.broken):
            return Evidence(problem=DOWN, queries=("up",))
        canary, stable = (self._of(name, request) for name in (request.canary_replica_set, request.stable_replica_set))
        return Evidence(canary, stable, queries=("up",))

    def _of(self, name: str, request: SampleRequest) -> TrackSamples:
        return between(track(self.pods.get(name, []), request.end), request.start, request.end)

    async def burn(self, *_: Any) -> Any:
        raise AssertionError("no judge asks for burn rates")

    async def exists(self, *_: Any) -> None:
        return None

    def check(self, *_: Any) -> None:
        return None


class Clock:
    def __init__(self) -> None:
        self.time = BEGAN

    def now(self) -> datetime:
        return self.time


class Figures:
    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    def release_seen(self, *_: Any, **__: Any) -> None: ...

    def release_ended(self, *_: Any, **__: Any) -> None: ...

    def verdict(self, _namespace: str, _service: str, name: str, outcome: str) -> None:
        self.seen.append((name, outcome))


def healthy(**bad: Any) -> dict[str, list[Pod]]:
    return {
        CANARY: [Pod("c0", **bad)],
        STABLE: [Pod(f"s{number}", born=START - 5000, offset=number % 5) for number in range(9)],
    }


class Bench:
    """A judge, its world, and a release that is looked at again and again."""

    def __init__(self, pods: dict[str, list[Pod]] | None = None, *, interval: float = 5.0) -> None:
        self.metrics, self.clock, self.figures = Metrics(pods or healthy()), Clock(), Figures()
        self.interval = interval
        self.restart()

    def restart(self) -> None:
        self.judge = Judge(self.metrics, self.figures, self.clock, self.interval)

    def at(self, seconds: float, seen: ReleaseSnapshot | None = None) -> Judgement:
        self.clock.time = BEGAN + timedelta(seconds=seconds)
        return asyncio.run(self.judge.evaluate(seen or snapshot()))

    def until(self, seconds: int, *, since: int = 0, seen: ReleaseSnapshot | None = None) -> list[Judgement]:
        return [self.at(at, seen) for at in range(since + 5, seconds + 1, 5)]


def snapshot(
    *objectives: ObjectiveSnapshot, name: str = "scoring-4", step: int = 1, stepped: float = 0, **changes: Any
) -> ReleaseSnapshot:
    state = status(step, started_at=BEGAN, step_started_at=BEGAN + timedelta(seconds=stepped))
    spec = {"objectives": list(objectives or (ERRORS,)), **changes.pop("spec", {})}
    base = ReleaseSnapshot(
        now=BEGAN,
        interval=5,
        namespace="lending",
        release=release(state.model_copy(update=changes.pop("state", {})), name, **spec),
        service_deleting=False,
        workload=WORKLOAD,
        canary=canary(),
        canary_service=True,
        traffic=Traffic(10, None, touched=True),
        pinned="",
        directives=Directives(),
        verdicts=(),
        outcome=Outcome.INCONCLUSIVE,
        hold=HoldMechanism.ADMISSION,
    )
    return replace(base, **changes)


def test_a_good_canary_passes_and_a_bad_one_fails() -> None:
    assert Bench().until(60)[-1].outcome is Outcome.PASS
    bench = Bench(healthy(bad=0.05))
    judgement = bench.until(60)[-1]
    assert judgement.outcome is Outcome.FAIL
    assert judgement.at == START + 60
    assert bench.figures.seen[-1] == ("errors", Outcome.FAIL)
    assert judgement.verdicts[0].queries == ["up"]


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(snapshot(canary=None), id="no canary"),
        pytest.param(snapshot(canary=canary(replica_set="")), id="no ReplicaSet yet"),
        pytest.param(snapshot(traffic=None), id="no route"),
        pytest.param(snapshot(traffic=Traffic(0, None, touched=True)), id="no traffic"),
        pytest.param(snapshot(state={"started_at": None}), id="not begun"),
    ],
)
def test_without_canary_traffic_there_is_nothing_to_judge(seen: ReleaseSnapshot) -> None:
    bench = Bench()
    assert bench.at(5, seen) == Judgement()
    assert bench.metrics.asked == []


def test_histories_are_fetched_once_and_only_where_needed() -> None:
    bench = Bench()
    bench.until(30, seen=snapshot(ERRORS, gauge(), objective(dispersion="2")))
    histories = [one for one in bench.metrics.asked if one.end == START]
    assert [(one.canary_replica_set, one.stable_replica_set) for one in histories] == [(STABLE, "")]
    assert histories[0].start == START - 3660


def test_each_look_asks_only_for_what_is_new_with_some_overlap() -> None:
    bench = Bench()
    bench.until(15)
    assert [(one.start - START, one.end - START) for one in bench.metrics.asked[1:]] == [(-60, 5), (-25, 10), (-20, 15)]
    long = Bench()
    long.at(5, snapshot(objective(warm_up_seconds=300, dispersion="1")))
    assert long.metrics.asked[0].start == START - 330


def test_it_looks_at_most_twice_an_interval() -> None:
    bench = Bench()
    first = bench.at(10)
    asked = len(bench.metrics.asked)
    assert bench.at(12.4) is first
    assert len(bench.metrics.asked) == asked
    assert bench.at(12.5) is not first
    assert len(bench.metrics.asked) == asked + 1


def test_a_clock_that_went_back_does_not_silence_it() -> None:
    bench = Bench()
    first = bench.at(100)
    assert bench.at(50) is not first


@pytest.mark.parametrize("bad", [0.0, 0.002, 0.05])
def test_a_restart_changes_no_decision(bad: float) -> None:
    plain, restarted = Bench(healthy(bad=bad)), Bench(healthy(bad=bad))
    for at in range(5, 121, 5):
        restarted.restart()
        one, other = plain.at(at), restarted.at(at)
        assert one.outcome is other.outcome
        assert (one.verdicts[0].reason, one.verdicts[0].canary, one.verdicts[0].stable) == (
            other.verdicts[0].reason,
            other.verdicts[0].canary,
            other.verdicts[0].stable,
        )


def test_a_restart_in_a_later_step_does_not_count_earlier_events_for_it() -> None:
    objectives = objective(minimum=400)
    plain, restarted = Bench(), Bench()
    for bench in (plain, restarted):
        bench.until(60, seen=snapshot(objectives))
    later = snapshot(objectives, step=2, stepped=60)
    restarted.restart()
    one, other = (bench.at(80, later).verdicts[0] for bench in (plain, restarted))
    assert one.reason == other.reason == "TooFewSamples"
    assert "200 were seen" in one.decides
    assert one.decides == other.decides


def test_a_problem_stays_in_its_objective() -> None:
    ratio = RatioIndicator(bad="other_bad", total="other_total")
    other = ObjectiveSnapshot(
        name="other", objective="99", indicator=Indicator(ratio=ratio), canary=CanarySettings(dispersion="1")
    )
    bench = Bench(healthy(bad=0.05))
    bench.metrics.broken = "other_total"
    judgement = bench.until(60, seen=snapshot(ERRORS, other))[-1]
    assert [one.reason for one in judgement.verdicts] == ["ErrorRatioAboveStable", "MetricsUnavailable"]
    assert judgement.outcome is Outcome.FAIL
    assert judgement.tape is not None
    document = judgement.tape.document("RollBack", judgement.at, judgement.verdicts)
    assert document is not None
    assert replay(document).holds


@pytest.mark.parametrize("bad", [0.0, 0.05])
def test_ten_minutes_without_metrics_decide_nothing(bad: float) -> None:
    bench = Bench(healthy(bad=bad, bad_since=START + 300))
    bench.until(60)
    bench.metrics.down = True
    away = bench.until(660, since=60)
    assert {one.outcome for one in away} == {Outcome.INCONCLUSIVE}
    assert {one.verdicts[0].reason for one in away} == {"MetricsUnavailable"}
    assert {one.verdicts[0].message for one in away} == {DOWN}
    bench.metrics.down = False
    back = bench.at(665)
    assert back.outcome is (Outcome.FAIL if bad else Outcome.PASS)
    assert back.verdicts[0].canary is not None
    assert back.verdicts[0].canary.total == 6650
    assert back.tape is not None
    document = back.tape.document("Hold", back.at, back.verdicts)
    assert document is not None
    found = replay(document)
    assert found.holds
    assert found.rounds > 12 + 600 / 5


def test_an_unreadable_history_is_asked_for_again() -> None:
    bench = Bench()
    bench.metrics.down = True
    for at in (5, 10):
        judgement = bench.at(at, snapshot(ERRORS, mix()))
        assert [one.reason for one in judgement.verdicts] == ["MetricsUnavailable"] * 2
        assert (judgement.outcome, judgement.digest) == (Outcome.INCONCLUSIVE, "")
    bench.metrics.down = False
    assert bench.at(60).outcome is Outcome.PASS


def watching() -> ReleaseSnapshot:
    promoted = BEGAN + timedelta(seconds=100)
    return snapshot(ERRORS, mix(), step=4, state={"promoted_at": promoted}, watched="scoring-new", canary=None)


def test_what_was_promoted_is_watched_by_its_budget_alone() -> None:
    charge = charge_of(watching())
    assert charge is not None
    assert (charge.canary, charge.start, charge.began, charge.watch) == ("scoring-new", START + 100, START, True)
    for bad, reason in ((0.0, "WithinObjective"), (0.2, "BurnsTooFast")):
        bench = Bench({"scoring-new": [Pod("n", bad=bad)], STABLE: []})
        judgement = bench.until(160, since=100, seen=watching())[-1]
        assert [one.reason for one in judgement.verdicts] == [reason]
        looks = [one for one in bench.metrics.asked if one.end > START]
        assert {(one.canary_replica_set, one.stable_replica_set) for one in looks} == {("scoring-new", "")}


def test_a_release_and_its_watch_are_two_cases() -> None:
    bench = Bench({**healthy(), "scoring-new": [Pod("n")]})
    before = bench.until(100)[-1]
    after = bench.at(105, watching())
    assert after.tape is not before.tape


def test_cases_nobody_asks_about_are_forgotten() -> None:
    bench = Bench()
    bench.at(5)
    bench.at(5, snapshot(name="other-1"))
    bench.at(5 + FORGOTTEN, snapshot(name="other-1"))
    assert [key[0] for key in bench.judge._open] == ["uid-other-1"]
    assert bench.at(5 + FORGOTTEN).verdicts[0].reason == "WithinObjective"


def test_an_unaccompanied_plan_is_known_from_its_weights() -> None:
    for weight, unaccompanied in ((100, True), (50, False)):
        charge = charge_of(snapshot(spec={"plan": PlanSpec(steps=[Step(weight=weight, bake_seconds=60)])}))
        assert charge is not None
        assert charge.unaccompanied is unaccompanied
