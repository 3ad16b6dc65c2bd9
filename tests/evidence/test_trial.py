"""Proves verdicts end to end, from pods that are scraped as in life to the words of the status."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feem.api.release import ObjectiveVerdict, Outcome
from feem.core.evidence.samples import Evidence, Sample, Series, TrackSamples
from feem.core.evidence.trial import MESSAGE_LENGTH, Trial, combine
from tests.evidence.samples import START, Pod, fetched, look, mix, objective, series, terms, watched

PASS, FAIL, INCONCLUSIVE = Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE
NAN = float("nan")


def team(name: str, size: int, **each: float) -> list[Pod]:
    return [Pod(f"{name}{number}", offset=number * 1.7 % each.get("every", 5.0), **each) for number in range(size)]  # type: ignore[arg-type]


@pytest.mark.parametrize("scrape", [5.0, 15.0, 30.0])
def test_a_bad_canary_is_found_and_a_good_one_passes_at_any_scrape_interval(scrape: float) -> None:
    stable = team("s", 9, every=scrape)
    for share, outcome in ((0.05, FAIL), (0.0, PASS)):
        verdict = watched(Trial(terms()), team("c", 1, bad=share, every=scrape), stable, START + 120)
        assert verdict.outcome is outcome, verdict.message


def test_scrapes_once_a_minute_are_stale_in_between_and_never_wrong() -> None:
    trial = Trial(terms())
    canary, stable = team("c", 2, every=60.0, bad=0.0), team("s", 9, every=60.0)
    seen = {watched(trial, canary, stable, START + 5 * number).reason for number in range(1, 100)}
    assert seen <= {"TooFewSamples", "StaleData", "WithinObjective"}
    assert "StaleData" in seen


def test_one_pod_of_ten_is_bad() -> None:
    nine, bad = team("x", 9), Pod("bad", bad=0.05)
    good = team("y", 10)
    assert watched(Trial(terms()), [*nine, bad], good, START + 120).outcome is FAIL
    assert watched(Trial(terms()), good, [*nine, bad], START + 120).outcome is not FAIL


def test_pods_that_come_and_go_and_restart() -> None:
    """Scale-up with errors while warming up, scale-down, and restarts roll nothing back."""
    canary = [
        Pod("c0", restarts=(START + 40, START + 95)),
        Pod("c1", born=START + 30, gone=START + 80),
        Pod("c2", born=START + 90),
    ]
    stable = [*team("s", 5), Pod("s9", gone=START + 33), Pod("s8", born=START + 70, restarts=(START + 100,))]
    assert watched(Trial(terms()), canary, stable, START + 180).outcome is PASS
    cold = [replace(one, name=f"cold{one.name}", born=START + 50) for one in team("c", 3)]
    warming = [*canary, *cold]
    verdict = watched(Trial(terms()), warming, stable, START + 180)
    assert verdict.canary is not None
    assert verdict.canary.bad == 0


@pytest.mark.parametrize("scrape", [5.0, 15.0])
def test_errors_of_the_warm_up_are_left_out(scrape: float) -> None:
    """A pod that answers 503 for its first 8 seconds, scraped from its first second on."""
    born = START + 20

    class Warming(Pod):
        def counted(self, at: float, share: float, since: float = -1e9) -> float:
            return (
                float(min(share, 8 * 10) if at > self.born else 0)
                if share != 1.0
                else super().counted(at, share, since)
            )

    pod = Warming("w", bad=80.0, born=born, every=scrape, offset=(born + 1) % scrape)
    verdict = watched(Trial(terms()), [*team("c", 2), pod], team("s", 9), START + 120)
    assert verdict.canary is not None
    assert verdict.canary.bad == 0


def test_a_weight_change_is_no_difference() -> None:
    """The canary's traffic rises fivefold, stable's falls, both at 2% bad with 1% allowed: never a rollback."""
    canary = [Pod("c0", bad=0.02), *[Pod(f"c{n}", bad=0.02, born=START + 60) for n in range(1, 5)]]
    stable = [Pod(f"s{n}", bad=0.02, gone=START + 60 if n > 4 else 1e9) for n in range(9)]
    trial = Trial(terms(objective("99")))
    seen = {watched(trial, canary, stable, START + 5 * number).outcome for number in range(1, 40)}
    assert FAIL not in seen


def test_both_tracks_bad_is_no_fault_of_the_canary() -> None:
    trial = Trial(terms())
    both = [Pod("c0", bad=0.3, bad_since=START + 60)], [Pod(f"s{n}", bad=0.3, bad_since=START + 60) for n in range(9)]
    assert watched(trial, *both, START + 60).reason == "WithinObjective"
    assert watched(trial, *both, START + 120).reason == "SharedDegradation"


def test_one_request_a_minute_is_too_few() -> None:
    verdict = watched(Trial(terms()), [Pod("c", rate=1 / 60)], [Pod("s", rate=9 / 60)], START + 600)
    assert (verdict.outcome, verdict.reason) == (INCONCLUSIVE, "TooFewSamples")
    assert verdict.decides.startswith("100 events of the canary in this step are needed to pass, 10 were seen; at this")


def test_a_mix_from_scrapes() -> None:
    usual, generous = {"approve": 0.5, "refer": 0.25, "reject": 0.25}, {"approve": 0.75, "refer": 0.15, "reject": 0.1}
    stable = [Pod(f"s{n}", kinds=usual) for n in range(4)]
    assert watched(Trial(terms(mix())), [Pod("c", kinds=generous)], stable, START + 300).reason == "MixShifted"
    assert watched(Trial(terms(mix())), [Pod("c", kinds=usual)], stable, START + 300).reason == "WithinTolerance"


def test_a_canary_that_vanishes_is_no_data_then_stale() -> None:
    trial = Trial(terms())
    assert look(trial, [], team("s", 2), START + 5).reason == "NoData"
    gone = [Pod("c", gone=START + 20)]
    assert watched(trial, gone, team("s", 2), START + 50).reason == "WithinObjective"
    assert look(trial, gone, team("s", 2), START + 51).reason == "StaleData"


@pytest.mark.parametrize("problem", ["Prometheus did not answer", "x" * 5000])
def test_a_problem_outweighs_samples(problem: str) -> None:
    trial = Trial(terms())
    watched(trial, team("c", 1, bad=0.5), team("s", 9), START + 60)
    verdict = trial.verdict(now=START + 65, problem=problem, queries=["a", "b"])
    assert (verdict.outcome, verdict.reason, verdict.queries) == (INCONCLUSIVE, "MetricsUnavailable", ["a", "b"])
    assert verdict.message == (problem if len(problem) < MESSAGE_LENGTH else "x" * (MESSAGE_LENGTH - 1) + "…")
    assert trial.verdict(now=START + 65).outcome is FAIL


def test_ten_minutes_without_prometheus_then_the_same_counts() -> None:
    """It was down itself: no scrape either. What happened in between counts by the next scrape, for both tracks."""
    away = (START + 60, START + 660)
    canary, stable = [Pod("c", deaf=away)], [Pod(f"s{n}", deaf=away) for n in range(9)]
    trial = Trial(terms())
    watched(trial, canary, stable, START + 60)
    verdict = look(trial, canary, stable, START + 700)
    assert verdict.outcome is PASS
    assert (verdict.canary and verdict.canary.total, verdict.stable and verdict.stable.total) == (7000, 63_000)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([], INCONCLUSIVE),
        ([PASS], PASS),
        ([PASS, PASS], PASS),
        ([PASS, INCONCLUSIVE], INCONCLUSIVE),
        ([INCONCLUSIVE, FAIL, PASS], FAIL),
        ([FAIL], FAIL),
    ],
)
def test_combine(outcomes: list[Outcome], expected: Outcome) -> None:
    made = [ObjectiveVerdict(name="o", outcome=outcome, reason="R", message="m") for outcome in outcomes]
    assert combine(made) is expected


pods = st.builds(
    Pod,
    name=st.uuids().map(str),
    rate=st.sampled_from([0.1, 3.0, 40.0]),
    bad=st.sampled_from([0.0, 0.01, 0.5]),
    every=st.sampled_from([5.0, 15.0, 30.0]),
    offset=st.integers(0, 29).map(float),
    born=st.sampled_from([START - 300, START + 20]),
    gone=st.sampled_from([START + 60, 1e9]),
    restarts=st.sampled_from([(), (START + 33.3,)]),
)
teams = st.lists(pods, min_size=1, max_size=3)


@settings(max_examples=25, deadline=None)
@given(teams, teams, st.randoms(use_true_random=False), st.sampled_from([5, 20]))
def test_which_pod_served_what_and_in_which_order_does_not_matter(
    canary: list[Pod], stable: list[Pod], chance: random.Random, every: int
) -> None:
    """Pods change names, series and samples come in another order: the same verdict at every look."""
    renamed = [
        [replace(pod, name=name) for pod, name in zip(chance.sample(side, len(side)), "abc", strict=False)]
        for side in (canary, stable)
    ]
    plain, shuffled = Trial(terms()), Trial(terms())
    for now in range(int(START) + every, int(START) + 121, every):
        assert look(plain, canary, stable, now) == look(shuffled, renamed[0], renamed[1], now)


@settings(max_examples=25, deadline=None)
@given(teams, teams, st.booleans())
def test_never_pass_too_early_and_never_fail_without_errors(canary: list[Pod], stable: list[Pod], clean: bool) -> None:  # noqa: FBT001
    given = terms()
    trial = Trial(given)
    if clean:
        canary = [replace(pod, bad=0.0) for pod in canary]
    for now in range(int(START) + 5, int(START) + 120, 5):
        verdict = look(trial, canary, stable, now)
        if verdict.outcome is PASS:
            assert verdict.canary is not None
            assert verdict.canary.total >= 100 or trial._blocks._reassured()  # type: ignore[union-attr]
        assert not (clean and verdict.outcome is FAIL)
        assert verdict.outcome is not FAIL or (verdict.canary is not None and (verdict.canary.bad or 0) >= 3)


nothings = st.lists(st.builds(Sample, st.floats(900, 1200), st.sampled_from([NAN, float("inf"), -1.0])), max_size=8)


@settings(max_examples=50, deadline=None)
@given(nothings, teams, st.sampled_from([objective(), objective("99", minimum=1), mix()]))
def test_a_canary_without_a_usable_sample_neither_passes_nor_fails(
    samples: list[Sample], stable: list[Pod], given: object
) -> None:
    trial = Trial(terms(given))  # type: ignore[arg-type]
    canary = TrackSamples({role: (Series((("pod", "c"),), tuple(samples)),) for role in ("bad", "total", "events")})
    for now in (START + 5, START + 60):
        found = Evidence(canary, fetched([], stable, now - 60, now).stable)
        for one in trial.rounds(found, end=now, step=1):
            trial.take(one)
        assert trial.verdict(now=now).reason == "NoData"


def test_bad_events_without_a_total_are_not_judged() -> None:
    trial = Trial(terms())
    canary = TrackSamples(
        {"bad": (series([(START - 40, 0), (START - 4, 0), (START + 4, 50)]),), "total": (series([(START, NAN)]),)}
    )
    for one in trial.rounds(Evidence(canary), end=START + 5, step=1):
        trial.take(one)
    assert trial.verdict(now=START + 5).reason == "CountsDisagree"


def test_rounds_before_the_step_belong_to_the_one_before() -> None:
    trial = Trial(terms())
    cut = trial.rounds(fetched([Pod("c")], [], START - 60, START + 60), end=START + 60, step=3, stepped=START + 30)
    assert [one.step for one in cut] == [2] * 6 + [3] * 6
    assert {one.step for one in trial.rounds(Evidence(), end=START + 60, step=1, stepped=START + 1)} == {1}
