"""Proves the verdicts on a mix of categories and on the buckets of a histogram."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feem.api.indicator import OnShift
from feem.api.release import Outcome
from feem.core.evidence.finding import Finding
from feem.core.evidence.mix_trial import MOST_CATEGORIES, Categories, MixTrial
from feem.core.evidence.terms import Terms
from tests.evidence.samples import block, mix, scores, terms

Shares = Mapping[str, float]
USUAL: Shares = {"approve": 0.55, "refer": 0.25, "reject": 0.20}
GENEROUS: Shares = {"approve": 0.70, "refer": 0.15, "reject": 0.15}


def feed(
    trial: MixTrial, canary: Shares, stable: Shares, blocks: int = 40, each: tuple[float, float] = (40, 160)
) -> None:
    """Exactly these shares in each block."""
    for place in range(blocks):
        sides = [
            {kind: share * amount for kind, share in shares.items()}
            for shares, amount in zip((canary, stable), each, strict=True)
        ]
        trial.add(block(sides[0], sides[1], at=1000 + 5 * place), 1)


def tried(canary: Shares, stable: Shares, given: Terms | None = None, blocks: int = 40) -> Finding:
    trial = MixTrial(given or terms(mix()))
    feed(trial, canary, stable, blocks)
    return trial.finding()


def cumulative(*counts: float) -> dict[str, float]:
    edges = ("300", "500", "700", "+Inf")
    return {edge: sum(counts[: place + 1]) for place, edge in enumerate(edges)}


@pytest.mark.parametrize(
    ("canary", "stable", "blocks", "outcome", "reason"),
    [
        pytest.param(USUAL, USUAL, 40, Outcome.PASS, "WithinTolerance", id="the same"),
        pytest.param(GENEROUS, USUAL, 40, Outcome.FAIL, "MixShifted", id="approves too many"),
        pytest.param(USUAL, USUAL, 2, Outcome.INCONCLUSIVE, "TooFewSamples", id="too few"),
        pytest.param(
            {"approve": 0.555, "refer": 0.245, "reject": 0.2},
            USUAL,
            400,
            Outcome.PASS,
            "WithinTolerance",
            id="tolerated",
        ),
        pytest.param({"approve": 1.0}, USUAL, 10, Outcome.FAIL, "MixShifted", id="categories missing"),
        pytest.param({**GENEROUS, "approve": 0.5, "crash": 0.2}, USUAL, 20, Outcome.FAIL, "MixShifted", id="a new one"),
        pytest.param(USUAL, {}, 40, Outcome.INCONCLUSIVE, "NoData", id="nothing to compare with"),
        pytest.param({}, USUAL, 40, Outcome.INCONCLUSIVE, "TooFewSamples", id="no canary events"),
    ],
)
def test_branches(canary: Shares, stable: Shares, blocks: int, outcome: Outcome, reason: str) -> None:
    found = tried(canary, stable, blocks=blocks)
    assert (found.outcome, found.reason) == (outcome, reason), found.message


def test_between_pass_and_fail_there_is_not_enough_evidence() -> None:
    trial, seen = MixTrial(terms(mix())), []
    for _ in range(40):
        feed(trial, GENEROUS, USUAL, blocks=1)
        seen.append(trial.finding().reason)
    assert list(dict.fromkeys(seen)) == ["TooFewSamples", "NotEnoughEvidence", "MixShifted"]


def test_a_shift_that_may_be_meant_waits_for_a_person() -> None:
    found = tried(GENEROUS, USUAL, terms(mix(on_shift=OnShift.HOLD)))
    assert (found.outcome, found.reason) == (Outcome.INCONCLUSIVE, "MixShiftAwaitsDecision")
    assert found.message.endswith("a person has to say whether this is meant: decide Promote or Abort")


def test_a_larger_tolerance_lets_it_pass() -> None:
    assert tried(GENEROUS, USUAL, terms(mix("0.2")), blocks=200).outcome is Outcome.PASS


def test_a_shift_that_is_over_fails_no_more() -> None:
    trial = MixTrial(terms(mix()))
    feed(trial, GENEROUS, USUAL, blocks=20)
    assert trial.finding().outcome is Outcome.FAIL
    feed(trial, USUAL, USUAL, blocks=400)
    assert trial.finding().outcome is not Outcome.FAIL


def test_dispersion_and_alpha_temper() -> None:
    assert tried(GENEROUS, USUAL, terms(mix(), dispersion=20.0), blocks=20).reason == "NotEnoughEvidence"
    assert tried(GENEROUS, USUAL, terms(mix(), alpha=1e-9), blocks=14).reason == "NotEnoughEvidence"


def test_too_many_categories_are_an_identifier() -> None:
    many = {str(place): 1 / 41 for place in range(MOST_CATEGORIES + 1)}
    found = tried(many, USUAL)
    assert (found.outcome, found.reason) == (Outcome.INCONCLUSIVE, "TooManyCategories")
    assert len(found.shares) == MOST_CATEGORIES
    some = {str(place): 1 / 40 for place in range(MOST_CATEGORIES)}
    assert tried(some, some).outcome is Outcome.PASS


def test_a_histograms_buckets_are_told_apart() -> None:
    trial = MixTrial(terms(scores()))
    for place in range(40):
        trial.add(block(cumulative(1, 20, 12, 7), cumulative(40, 80, 30, 10), at=1000 + 5 * place), 1)
    found = trial.finding()
    assert found.reason == "MixShifted"
    assert [one.name for one in found.shares] == ["300", "500", "700", "+Inf"]
    assert [one.stable for one in found.shares] == ["25.0%", "50.0%", "18.8%", "6.2%"]


def test_different_buckets_cannot_be_compared() -> None:
    trial = MixTrial(terms(scores()))
    trial.add(block({"300": 10, "+Inf": 400}, cumulative(40, 80, 30, 10)), 1)
    found = trial.finding()
    assert (found.outcome, found.reason) == (Outcome.INCONCLUSIVE, "CountsDisagree")


buckets = st.lists(st.floats(0, 100), min_size=4, max_size=4)


@settings(deadline=None)
@given(st.lists(st.lists(st.floats(0, 100), min_size=4, max_size=4), max_size=10))
def test_buckets_are_never_negative_even_from_torn_scrapes(blocks: list[list[float]]) -> None:
    categories = Categories(cumulative=True)
    for gains in blocks:
        found = categories.add(dict(zip(("1", "2", "3", "+Inf"), gains, strict=True)))
        assert min(found.values()) >= 0
    assert categories.total == sum(categories.all.values())


@settings(max_examples=10, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from([0.0, 0.02, 0.3]))
def test_names_and_their_order_do_not_matter(chance: random.Random, tolerated: float) -> None:
    names = [*USUAL]
    renamed = dict(zip(names, chance.sample(["x", "y", "z"], 3), strict=True))
    logs = []
    trials = [MixTrial(terms(mix(str(tolerated)))) for _ in range(2)]
    for place in range(10):
        sides = [
            {
                kind: float(number)
                for kind, number in Counter(chance.choices(names, [*shares.values()], k=amount)).items()
            }
            for shares, amount in ((GENEROUS, 20), (USUAL, 80))
        ]
        others = [{renamed[kind]: one[kind] for kind in chance.sample([*one], len(one))} for one in sides]
        for trial, pair in zip(trials, (sides, others), strict=True):
            trial.add(block(pair[0], pair[1], at=1000 + 5 * place), 1)
    logs = [trial.finding().log_evidence for trial in trials]
    assert logs[0] == pytest.approx(logs[1], abs=1e-9)


def test_the_message_is_for_a_risk_officer() -> None:
    assert tried(GENEROUS, USUAL).message.startswith(
        "decision approve: 70.0% of the canary's, 55.0% of stable's, decision refer: 15.0% of the canary's, 25.0% of "
        "stable's, decision reject: 15.0% of the canary's, 20.0% of stable's; 15.0 of 100 events fall elsewhere than on "
        "stable, 2.0 of 100 are tolerated (1,600 and 6,400 events); evidence 10^"
    )
