"""Proves every branch and boundary of the verdict on a share of bad events, and what must hold for any evidence."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feem.api.release import Outcome, TrackCounts
from feem.core.evidence.binomial import tail
from feem.core.evidence.finding import Finding
from feem.core.evidence.ratio_trial import FEWEST_BAD, RatioTrial
from feem.core.evidence.terms import Terms, alphas
from tests.evidence.samples import block, gauge, good_objective, latency, objective, terms

PASS, FAIL, INCONCLUSIVE = Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE
Counts = tuple[float, float]


def tried(canary: Counts, stable: Counts, given: Terms | None = None, blocks: int = 10, step: int = 1) -> Finding:
    """(bad, total) of both tracks, spread evenly over blocks."""
    trial = RatioTrial(given or terms())
    feed(trial, canary, stable, blocks, step=step)
    return trial.finding()


def feed(trial: RatioTrial, canary: Counts, stable: Counts, blocks: int = 10, at: float = 0, step: int = 1) -> None:
    for place in range(blocks):
        sides = [{"bad": bad / blocks, "total": total / blocks} for bad, total in (canary, stable)]
        trial.add(block(sides[0], sides[1], at=trial._terms.start + at + 5 * place), step)


@pytest.mark.parametrize(
    ("canary", "stable", "outcome", "reason"),
    [
        pytest.param((26, 500), (0, 4490), FAIL, "ErrorRatioAboveStable", id="5% against nothing"),
        pytest.param((0, 500), (0, 4490), PASS, "WithinObjective", id="nothing bad"),
        pytest.param((0, 100), (0, 900), PASS, "WithinObjective", id="just the minimum samples"),
        pytest.param((0, 99), (0, 900), INCONCLUSIVE, "TooFewSamples", id="one short of the minimum"),
        pytest.param((0, 0), (0, 900), INCONCLUSIVE, "TooFewSamples", id="nothing served"),
        pytest.param((20, 20), (0, 900), FAIL, "ErrorRatioAboveStable", id="all bad is seen before the minimum"),
        pytest.param((3, 30), (0, 900), FAIL, "ErrorRatioAboveStable", id="three bad of thirty"),
        pytest.param((2, 30), (0, 9000), INCONCLUSIVE, "TooFewSamples", id="two bad may be one mishap and a retry"),
        pytest.param((3, 3000), (0, 9000), PASS, "WithinObjective", id="exactly the budget"),
        pytest.param((4, 3000), (0, 9000), INCONCLUSIVE, "NotEnoughEvidence", id="a little above the budget, unsure"),
        pytest.param((3, 2000), (13.5, 9000), PASS, "WithinObjective", id="above budget, as stable is"),
        pytest.param((30, 2000), (9, 9000), FAIL, "ErrorRatioAboveStable", id="above both, sure"),
        pytest.param((50, 1000), (450, 9000), INCONCLUSIVE, "SharedDegradation", id="both bad, the same"),
        pytest.param((55, 1000), (450, 9000), INCONCLUSIVE, "SharedDegradation", id="both bad, not surely worse"),
        pytest.param((200, 1000), (450, 9000), FAIL, "ErrorRatioAboveStable", id="both bad, canary surely worse"),
        pytest.param((10, 1000), (450, 9000), INCONCLUSIVE, "SharedDegradation", id="both bad, canary better"),
        pytest.param((0, 1000), (450, 9000), PASS, "WithinObjective", id="stable bad, canary good"),
        pytest.param((0, 1000), (0, 0), PASS, "WithinObjective", id="no stable traffic: the budget is kept"),
        pytest.param((4, 1000), (0, 0), INCONCLUSIVE, "NoData", id="no stable traffic: the budget is broken"),
        pytest.param((500, 1000), (0, 0), INCONCLUSIVE, "NoData", id="no stable traffic: half is bad"),
        pytest.param((31, 10), (0, 900), INCONCLUSIVE, "CountsDisagree", id="more bad than all"),
        pytest.param((0, 100), (950, 900), INCONCLUSIVE, "CountsDisagree", id="more bad than all in stable"),
        pytest.param((110, 100), (0, 900), FAIL, "ErrorRatioAboveStable", id="all bad, ahead by a race"),
    ],
)
def test_branches(canary: Counts, stable: Counts, outcome: Outcome, reason: str) -> None:
    found = tried(canary, stable)
    assert (found.outcome, found.reason) == (outcome, reason), found.message


def test_certainly_worse_within_the_budget_passes_and_says_so() -> None:
    found = tried((70, 100_000), (90, 900_000))
    assert (found.outcome, found.reason) == (PASS, "WorseWithinObjective"), found.message
    assert "certainly worse than stable, yet within the objective" in found.message


@pytest.mark.parametrize(
    ("canary", "target", "minimum", "reason"),
    [
        pytest.param((0, 5), "99.9", 5, "WithinObjective", id="a small minimum is the user's word"),
        pytest.param((0, 4), "99.9", 5, "TooFewSamples", id="what is below it says nothing"),
        pytest.param((3, 30), "100", 100, "ErrorRatioAboveStable", id="no budget at all: three"),
        pytest.param((2, 30), "100", 100, "TooFewSamples", id="no budget at all: two"),
        pytest.param((100, 100), "0.1", 100, "ErrorRatioAboveStable", id="nearly everything is budget"),
    ],
)
def test_settings(canary: Counts, target: str, minimum: int, reason: str) -> None:
    assert tried(canary, (0, 900), terms(objective(target, minimum=minimum))).reason == reason


def test_twice_as_bad_is_tolerated_where_that_is_said() -> None:
    counts = (200, 10_000), (900, 90_000)
    assert tried(*counts).reason == "ErrorRatioAboveStable"
    tolerant = tried(*counts, terms(objective(risk="2")))
    assert tolerant.outcome is not FAIL
    assert tolerant.log_evidence is not None
    assert tolerant.log_evidence <= 0
    assert tried((900, 10_000), (900, 90_000), terms(objective(risk="2"))).reason == "ErrorRatioAboveStable"


def test_dispersion_tempers() -> None:
    plain, tempered = (tried((5, 500), (0, 4500), terms(dispersion=factor)) for factor in (1.0, 5.0))
    assert plain.outcome is FAIL
    assert tempered.outcome is INCONCLUSIVE
    assert tempered.log_evidence is not None
    assert plain.log_evidence is not None
    assert 0 < tempered.log_evidence < plain.log_evidence / 2


def test_a_smaller_part_of_alpha_asks_for_more() -> None:
    counts = (4, 400), (0, 3600)
    assert [tried(*counts, terms(alpha=alpha)).outcome for alpha in (0.01, 1e-6)] == [FAIL, INCONCLUSIVE]


def test_alpha_is_divided_by_shares_and_gauges_get_none() -> None:
    parts = alphas("0.01", (objective(alpha_share=3), gauge(), latency()))
    assert parts == (0.0075, 0.0, 0.0025)
    assert alphas("0.01", (gauge(),)) == (0.0,)
    assert sum(alphas("0.01", [objective(alpha_share=share) for share in (1, 7, 13, 100)])) <= 0.01 + 1e-15


def test_good_events_and_fast_ones_are_understood() -> None:
    for judged, role, reason in (
        (good_objective("99"), "good", "ErrorRatioAboveStable"),
        (latency("99"), "fast", "LatencyAboveStable"),
    ):
        trial = RatioTrial(terms(judged))
        for place in range(10):
            trial.add(block({role: 40, "total": 50}, {role: 449, "total": 450}, at=1000 + 5 * place), 1)
        assert trial.finding().reason == reason
        assert trial.finding().canary == TrackCounts(total=500, bad=100, rate="20.0%")


def test_an_unaccompanied_plan_holds_the_canary_against_its_objective() -> None:
    alone = terms(unaccompanied=True)
    assert tried((40, 4000), (0, 0), alone).reason == "ErrorRatioAboveObjective"
    assert tried((0, 1000), (0, 0), alone).outcome is PASS
    assert tried((4, 3000), (0, 0), alone).outcome is PASS
    assert tried((7, 3000), (0, 0), alone).reason == "NotEnoughEvidence"
    assert tried((26, 500), (0, 4490), alone).reason == "ErrorRatioAboveStable"


def test_events_wait_for_the_other_track_at_low_traffic() -> None:
    """One event a block, of either track in turn: held against each other all the same."""
    trial = RatioTrial(terms(objective("99")))
    for place in range(200):
        sides = [{"bad": 1.0, "total": 1.0}, {}] if place % 10 == 0 else [{}, {"total": 1.0}]
        trial.add(block(sides[0], sides[1], at=1000 + 5 * place), 1)
    assert trial.finding().reason == "ErrorRatioAboveStable"


def test_what_nothing_was_beside_for_five_minutes_is_not_compared_and_does_not_pass() -> None:
    trial = RatioTrial(terms())
    feed(trial, (0, 1000), (0, 9000))
    assert trial.finding().outcome is PASS
    feed(trial, (500, 1000), (0, 0), at=50)
    assert trial.finding().reason == "NoData"
    feed(trial, (0, 1000), (0, 9000), at=1000)
    assert trial.finding().log_evidence == 0
    assert trial.finding().outcome is INCONCLUSIVE


def test_each_step_needs_its_own_minimum_and_can_be_found_out_alone() -> None:
    trial = RatioTrial(terms(objective(minimum=1000), steps=3))
    feed(trial, (1, 1000), (9, 9000))
    assert trial.finding().outcome is PASS
    feed(trial, (0, 50), (0, 50), blocks=5, at=50, step=2)
    found = trial.finding()
    assert (found.reason, "50 were seen" in found.decides) == ("TooFewSamples", True), found
    feed(trial, (150, 5_000), (5, 5_000), at=75, step=2)
    assert trial.finding().reason == "ErrorRatioAboveStable"


def test_a_clear_canary_needs_no_minimum() -> None:
    found = tried((0, 1000), (120, 9000), terms(objective("99", minimum=100_000)))
    assert (found.outcome, found.reason) == (PASS, "WithinObjective")


def test_one_request_a_minute_is_too_few_and_says_how_long_it_takes() -> None:
    trial = RatioTrial(terms())
    for minute in range(10):
        trial.add(block({"total": 1.0}, {"total": 9.0}, at=1000 + 60 * minute, seconds=60), 1)
    found = trial.finding()
    assert found.reason == "TooFewSamples"
    assert found.decides.endswith("10 were seen; at this traffic that takes about 90 min more")
    assert found.message.endswith(found.decides)


def test_a_canary_without_traffic_says_so() -> None:
    found = tried((0, 0), (0, 900))
    assert found.message == (
        "canary served nothing, stable 0.0% (0 of 900); 100 events of the canary in this step are needed to pass, 0 were "
        "seen; it gets no traffic"
    )


def test_the_message_reads_well() -> None:
    found = tried((26, 500), (0, 4490))
    assert found.message.startswith("canary 5.2% bad (26 of 500), stable 0.0% (0 of 4,490); evidence 10^")
    assert "of 100: a canary as good as tolerated gets this far at most once in 10^" in found.message
    assert (found.canary, found.stable) == (
        TrackCounts(total=500, bad=26, rate="5.2%"),
        TrackCounts(total=4490, bad=0, rate="0.0%"),
    )


tracks = st.integers(0, 3000).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total)))
targets = st.sampled_from(["99.9", "99.99", "99", "100", "50"])


@settings(max_examples=80, deadline=None)
@given(tracks, tracks, targets, st.integers(1, 300), st.booleans(), st.integers(1, 12))
def test_what_holds_for_any_evidence(
    canary: tuple[int, int],
    stable: tuple[int, int],
    target: str,
    minimum: int,
    unaccompanied: bool,  # noqa: FBT001
    blocks: int,
) -> None:
    given = terms(objective(target, minimum=minimum), unaccompanied=unaccompanied)
    trial = RatioTrial(given)
    feed(trial, canary, stable, blocks)
    found = trial.finding()
    budget = 1 - Fraction(target) / 100
    assert found.canary is not None
    assert found.log_evidence is not None
    assert not math.isnan(found.log_evidence)
    assert found.canary.bad is not None
    if found.outcome is FAIL:
        assert found.canary.bad >= FEWEST_BAD
        assert found.canary.bad > found.canary.total * budget
        assert trial._peak >= math.log(1 / given.alpha)
    if found.outcome is PASS:
        assert found.canary.total >= minimum or trial._reassured()
    if found.canary.bad == 0 or found.canary.total == 0:
        assert found.outcome is not FAIL
    if found.canary.total == 0:
        assert found.outcome is INCONCLUSIVE


@settings(max_examples=60, deadline=None)
@given(tracks, tracks, targets, st.integers(1, 200))
def test_more_bad_events_never_acquit(canary: tuple[int, int], stable: tuple[int, int], target: str, more: int) -> None:
    given = terms(objective(target))
    worse = (min(canary[0] + more, canary[1]), canary[1])
    before, after = (tried(one, stable, given, blocks=1).outcome for one in (canary, worse))
    assert not (before is FAIL and after is not FAIL)
    assert not (before is INCONCLUSIVE and after is PASS)


@pytest.mark.parametrize(
    ("bad", "total", "share"), [(1, 1, 0.3), (3, 40, 0.001), (7, 20, 0.1), (20, 20, 0.5), (2, 9, 0.6)]
)
def test_the_tail_is_the_sum_of_binomial_terms(bad: int, total: int, share: float) -> None:
    parts = [math.comb(total, k) * share**k * (1 - share) ** (total - k) for k in range(bad, total + 1)]
    assert tail(bad, total, share) == pytest.approx(sum(parts), rel=1e-12)


def test_the_tail_at_its_ends() -> None:
    assert tail(0, 10, 0.1) == 1
    assert tail(1, 10, 0) == 0
    assert tail(1, 10, 1) == 1
    assert tail(10_200, 10_000_000, 0.001) == pytest.approx(0.0232, abs=0.0005)


def test_clear_samples_of_one_step_do_not_stand_in_for_those_of_the_next() -> None:
    trial = RatioTrial(terms(objective("90", minimum=1000), steps=2))
    feed(trial, (25, 500), (450, 9000))
    assert trial.finding().outcome is PASS, "half the minimum, and clearly not three times worse"
    feed(trial, (1, 20), (18, 360), blocks=2, at=50, step=2)
    found = trial.finding()
    assert (found.outcome, found.reason) == (INCONCLUSIVE, "TooFewSamples"), found.message
    feed(trial, (25, 500), (450, 9000), at=60, step=2)
    assert trial.finding().outcome is PASS
