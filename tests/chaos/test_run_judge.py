"""Proves which time and whose events a run is judged by, how rarely that is asked, and that a new process finds the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from feem.api.release import Outcome
from feem.api.run import ChaosRun, RunTerms, Track
from feem.controllers.chaos.judge import FORGOTTEN, LATE, RunJudge
from feem.core.chaos.snapshot import Judged
from feem.core.chaos.status import status_of
from feem.core.evidence.replay import replay
from feem.core.evidence.samples import Evidence, SampleRequest, TrackSamples
from tests.chaos import snapshots as at
from tests.evidence.samples import START, Pod, between, track

BEGAN = datetime.fromtimestamp(START, UTC)
DOWN = "the metrics server did not answer"


@dataclass
class Metrics:
    """Pods that count for the whole service, or for a ReplicaSet."""

    pods: dict[str, list[Pod]]
    down: bool = False
    asked: list[SampleRequest] = field(default_factory=list)

    async def samples(self, request: SampleRequest) -> Evidence:
        self.asked.append(request)
        if self.down:
            return Evidence(problem=DOWN, queries=("up",))
        canary, stable = (self._of(name, request) for name in (request.canary_replica_set, request.stable_replica_set))
        return Evidence(canary, stable, queries=("up",))

    def _of(self, name: str, request: SampleRequest) -> TrackSamples:
        return between(track(self.pods.get(name, []), request.end), request.start, request.end)

    async def burn(self, *_: Any) -> Any:
        raise AssertionError("no run asks for burn rates")

    async def exists(self, *_: Any) -> None:
        return None

    def check(self, *_: Any) -> None:
        return None


class Bench:
    """A judge, its clock, and a run whose fault began at START and, maybe, was undone so many seconds later."""

    def __init__(self, *pods: Pod, undone: float | None = None, canary: bool = False) -> None:
        whole = list(pods) or [Pod("a", rate=20)]
        self.metrics = Metrics(
            {"": [] if canary else whole, "scoring-aaa": whole, "scoring-stable": [Pod("s", rate=20)]}
        )
        self.time = BEGAN
        self.judge = self.anew()
        frozen = status_of(at.planned().run).terms
        assert frozen is not None
        self.terms: RunTerms = frozen
        status = status_of(at.running().run).model_copy(
            update={
                "injected_at": BEGAN,
                "undone_at": None if undone is None else BEGAN + timedelta(seconds=undone),
                "compared_with": "scoring-stable" if canary else "",
            }
        )
        self.run: ChaosRun = at.run(status)
        if canary:
            spec = self.run.spec.model_copy(update={"track": Track.CANARY, "release": "scoring-4"})
            self.run = self.run.model_copy(update={"spec": spec})

    def anew(self) -> RunJudge:
        self.judge = RunJudge(self.metrics, self, 5.0)
        return self.judge

    def now(self) -> datetime:
        return self.time

    async def during(self, seconds: float) -> Judged:
        self.time = BEGAN + timedelta(seconds=seconds)
        return await self.judge.during(self.run, self.terms)

    async def after(self, seconds: float) -> Judged:
        self.time = BEGAN + timedelta(seconds=seconds)
        return await self.judge.after(self.run, self.terms)

    async def before(self) -> Judged:
        return await self.judge.before(self.run, self.terms, ("scoring-aaa", "scoring-stable"))


# -- whose events, of which time ----------------------------------------------------------------------------------------


async def test_on_stable_the_whole_service_is_judged_and_on_a_canary_its_pods_beside_stable() -> None:
    for canary, asked in ((False, ("", "", True)), (True, ("scoring-aaa", "scoring-stable", False))):
        bench = Bench(canary=canary)
        for judged in (await bench.before(), await bench.during(10), await bench.after(60)):
            assert judged.verdicts
        looks = [one for one in bench.metrics.asked if one.end - one.start < 600]  # and not the hour before
        assert len(looks) == 3
        for request in looks:
            assert (request.canary_replica_set, request.stable_replica_set, request.whole) == asked
            assert request.namespace == at.NAMESPACE


@pytest.mark.parametrize(
    ("pod", "before", "during", "after"),
    [
        pytest.param(Pod("a", rate=20), Outcome.PASS, Outcome.PASS, Outcome.PASS, id="always well"),
        pytest.param(Pod("a", rate=20, bad=0.5), Outcome.FAIL, Outcome.FAIL, Outcome.FAIL, id="never well"),
        pytest.param(
            Pod("a", rate=20, bad=0.5, bad_since=START), Outcome.PASS, Outcome.FAIL, Outcome.FAIL, id="since the fault"
        ),
        pytest.param(
            Pod("a", rate=20, bad=0.5, bad_since=START + 90),
            Outcome.PASS,
            Outcome.PASS,
            Outcome.FAIL,
            id="after it alone",
        ),
    ],
)
async def test_each_time_is_judged_by_its_own_events(
    pod: Pod, before: Outcome, during: Outcome, after: Outcome
) -> None:
    bench = Bench(pod, undone=60)
    found = (await bench.before(), await bench.during(80), await bench.after(120))
    assert tuple(one.outcome for one in found) == (before, during, after)


async def test_before_is_as_long_as_the_hypothesis_says() -> None:
    """What was broken earlier is over: `steadySeconds` is 60."""
    for broken_until, outcome in ((START - 61, Outcome.PASS), (START - 30, Outcome.FAIL)):
        bench = Bench(Pod("old", rate=20, bad=0.5, gone=broken_until), Pod("new", rate=20))
        assert (await bench.before()).outcome is outcome
        (request,) = bench.metrics.asked
        assert request.end == START


async def test_after_is_the_last_part_of_the_time_since_the_undo() -> None:
    bench = Bench(undone=60)
    bench.metrics.asked.clear()
    await bench.after(75)
    await bench.after(200)
    starts = [(request.end - START, request.start - START) for request in bench.metrics.asked]
    assert [end for end, _ in starts] == [75, 200]
    assert starts[0][1] < 60, "a sample from before the undo is there to count from"
    assert starts[1][1] == starts[0][1] + 110, "begins 30 s before now, not with the undo"


async def test_what_the_last_scrapes_bring_is_waited_for_and_nothing_later_counts() -> None:
    """The fault broke things in its last seconds; what comes long after is not of its time."""
    bench = Bench(Pod("a", rate=20, bad=0.9, bad_since=START + 58), undone=60)
    assert (await bench.during(59)).outcome is Outcome.PASS
    assert (await bench.during(60 + LATE)).outcome is Outcome.FAIL
    late = Bench(Pod("a", rate=20, bad=0.9, bad_since=START + 60 + LATE), undone=60)
    assert (await late.during(300)).outcome is Outcome.PASS


# -- how often ----------------------------------------------------------------------------------------------------------


async def test_the_metrics_server_is_asked_once_in_half_an_interval() -> None:
    bench = Bench()
    first = await bench.during(10)
    asked = len(bench.metrics.asked)
    assert await bench.during(12) is first
    assert len(bench.metrics.asked) == asked
    assert await bench.during(12.5) is not first


async def test_once_all_of_it_is_in_nothing_is_asked_any_more() -> None:
    bench = Bench(undone=60)
    last = await bench.during(60 + LATE)
    asked = len(bench.metrics.asked)
    for seconds in (80, 100, 500):
        assert await bench.during(seconds) is last
    assert len(bench.metrics.asked) == asked


async def test_a_run_that_is_forgotten_is_opened_again_from_the_metrics_server_with_the_same_result() -> None:
    bench = Bench(Pod("a", rate=20, bad=0.5, bad_since=START + 20))
    for seconds in range(5, 60, 5):
        known = await bench.during(seconds)
    bench.judge.forget(at.UID)
    bench.judge.forget("never seen")
    assert bench.judge.document(bench.run, "x") is None
    again = await bench.during(55)
    assert (again.outcome, known.outcome) == (Outcome.FAIL, Outcome.FAIL)
    assert [one.canary for one in again.verdicts] == [one.canary for one in known.verdicts]


async def test_runs_nobody_asks_about_are_dropped_after_a_while() -> None:
    bench = Bench()
    await bench.during(10)
    mine, bench.run = bench.run, at.run(bench.run.status, name="b", uid="uid-b")
    await bench.during(10 + FORGOTTEN - 1)
    assert bench.judge.document(mine, "x") is not None
    await bench.during(10 + FORGOTTEN + 10)
    assert bench.judge.document(mine, "x") is None


# -- what is not known --------------------------------------------------------------------------------------------------


async def test_without_metrics_nothing_is_known_and_it_is_asked_again() -> None:
    bench = Bench()
    bench.metrics.down = True
    for judged in (await bench.before(), await bench.during(10), await bench.after(60)):
        assert judged.outcome is Outcome.INCONCLUSIVE
        assert [one.reason for one in judged.verdicts] == ["MetricsUnavailable"]
    bench.metrics.down = False
    assert (await bench.during(20)).outcome is Outcome.PASS


async def test_metrics_that_go_away_meanwhile_are_told_and_come_back() -> None:
    bench = Bench()
    assert (await bench.during(10)).outcome is Outcome.PASS
    bench.metrics.down = True
    assert (await bench.during(20)).verdicts[0].reason == "MetricsUnavailable"
    bench.metrics.down = False
    assert (await bench.during(30)).outcome is Outcome.PASS


# -- the file -----------------------------------------------------------------------------------------------------------


async def test_the_kept_file_gives_the_same_verdicts_and_the_digest_on_the_status() -> None:
    bench = Bench(Pod("a", rate=20, bad=0.5, bad_since=START + 20), Pod("b", rate=20, gone=START + 7), undone=60)
    for seconds in (5, 12, 30, 61, 80):
        judged = await bench.during(seconds)
    document = bench.judge.document(bench.run, "ObjectiveBreached")
    assert document is not None
    found = replay(document)
    assert found.holds
    assert (found.recomputed, found.recomputed_digest) == (judged.verdicts, judged.digest)
    assert (found.release, found.decision, found.at) == (at.NAME, "ObjectiveBreached", START + 60 + LATE)
