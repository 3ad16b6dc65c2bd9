"""The evidence on rare events: it is a supermartingale under the null, whatever is added, and finds a worse canary."""

import itertools
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feem.core.evidence.ratio import LAMBDAS, AgainstObjective, RelativeRisk, log_mean_exp

SHARES = (0.0, 0.05, 0.3, 0.7, 1.0)
SURE_OF_A_HUNDREDTH = math.log(100)


@st.composite
def blocks(draw: st.DrawFn, busiest: int = 400) -> tuple[int, int, int, int]:
    own, other = draw(st.integers(0, busiest)), draw(st.integers(0, busiest))
    return draw(st.integers(0, own)), own, draw(st.integers(0, other)), other


def evidence_of(
    parts: list[tuple[int, int, int, int]], tolerated: float = 1.0, dispersion: float = 1.0
) -> RelativeRisk:
    risk = RelativeRisk(tolerated, dispersion)
    for part in parts:
        risk.add(*part)
    return risk


def binomial(count: int, total: int, share: float) -> float:
    return math.comb(total, count) * share**count * (1 - share) ** (total - count)


def drawn(rng: random.Random, mean: float) -> int:
    """A Poisson number, by the times between events."""
    count, at = 0, rng.expovariate(1)
    while at < mean:
        count, at = count + 1, at + rng.expovariate(1)
    return count


def test_it_starts_at_one() -> None:
    assert RelativeRisk().log_evidence == 0
    assert RelativeRisk().log_reassurance == 0
    assert AgainstObjective(0.001).log_evidence == 0


@pytest.mark.parametrize("block", [(0, 50, 0, 450), (3, 50, 0, 0), (0, 0, 7, 450), (0, 0, 0, 0)])
def test_blocks_without_bad_events_or_with_an_idle_track_change_nothing(block: tuple[int, int, int, int]) -> None:
    risk = evidence_of([(2, 50, 1, 450)])
    before = risk.log_evidence, risk.log_reassurance
    risk.add(*block)
    assert (risk.log_evidence, risk.log_reassurance) == before


@pytest.mark.parametrize("tolerated", [1.0, 1.7])
def test_one_block_is_the_mean_of_the_stated_bets(tolerated: float) -> None:
    share = tolerated * 10 / (tolerated * 10 + 40)
    bets = [factor * share / (factor * share + 1 - share) for factor in LAMBDAS]
    each = [(bet / share) ** 3 * ((1 - bet) / (1 - share)) ** 2 for bet in bets]
    risk = evidence_of([(3, 10, 2, 40)], tolerated)
    assert risk.log_evidence == pytest.approx(math.log(sum(each) / len(each)))
    assert risk.log_reassurance == pytest.approx(-math.log(each[LAMBDAS.index(3)]))


def test_the_mean_over_all_outcomes_is_at_most_one_when_the_canary_is_not_worse_than_tolerated() -> None:
    for own, other, tolerated in itertools.product(range(1, 5), range(1, 5), (1.0, 1.5, 3.0)):
        outcomes = list(itertools.product(range(own + 1), range(other + 1)))
        evidence = {(x, y): math.exp(evidence_of([(x, own, y, other)], tolerated).log_evidence) for x, y in outcomes}
        reassured = {(x, y): evidence_of([(x, own, y, other)], tolerated).log_reassurance for x, y in outcomes}
        for worse, base in itertools.product(SHARES, SHARES):
            if worse > tolerated * base:
                continue
            odds = {(x, y): binomial(x, own, worse) * binomial(y, other, base) for x, y in outcomes}
            assert sum(odds[at] * evidence[at] for at in outcomes) <= 1 + 1e-9
            assert sum(odds[at] * math.exp(-reassured[at]) for at in outcomes) <= 1 + 1e-9


@pytest.mark.parametrize("at", range(len(LAMBDAS)))
def test_each_bet_alone_has_a_mean_of_at_most_one(at: int) -> None:
    for own, other in itertools.product(range(1, 5), range(1, 5)):
        outcomes = list(itertools.product(range(own + 1), range(other + 1)))
        alone = {(x, y): _single(evidence_of([(x, own, y, other)]), at) for x, y in outcomes}
        for worse, base in itertools.combinations_with_replacement(SHARES, 2):
            mean = sum(binomial(x, own, worse) * binomial(y, other, base) * alone[x, y] for x, y in outcomes)
            assert mean <= 1 + 1e-9


def _single(risk: RelativeRisk, at: int) -> float:
    return math.exp(risk._canary_bad * math.log(LAMBDAS[at]) - risk._norms[at])


def test_a_worse_canary_than_tolerated_has_a_mean_above_one() -> None:
    """So that the test above can fail: at rates beyond the null the same sum is larger than 1."""
    odds = [(x, y, binomial(x, 4, 0.3) * binomial(y, 4, 0.05)) for x in range(5) for y in range(5)]
    assert sum(p * math.exp(evidence_of([(x, 4, y, 4)]).log_evidence) for x, y, p in odds) > 1.05


@given(st.lists(blocks(), max_size=12), st.floats(1, 5), st.floats(1, 8))
def test_evidence_is_a_number_whatever_is_added(
    parts: list[tuple[int, int, int, int]], tolerated: float, dispersion: float
) -> None:
    risk = evidence_of(parts, tolerated, dispersion)
    assert math.isfinite(risk.log_evidence)
    assert math.exp(min(risk.log_evidence, 700)) >= 0
    assert math.isfinite(risk.log_reassurance)


@given(st.integers(1, 300), st.integers(1, 300), st.data(), st.floats(1, 3))
def test_evidence_of_pooled_blocks_is_the_product_over_them(
    own: int, other: int, data: st.DataObject, tolerated: float
) -> None:
    bad = st.tuples(st.integers(0, own), st.integers(0, other))
    first, second = data.draw(bad), data.draw(bad)
    apart = evidence_of([(first[0], own, first[1], other), (second[0], own, second[1], other)], tolerated)
    pooled = evidence_of([(first[0] + second[0], 2 * own, first[1] + second[1], 2 * other)], tolerated)
    assert apart.log_evidence == pytest.approx(pooled.log_evidence, rel=1e-9, abs=1e-9)
    assert apart.log_reassurance == pytest.approx(pooled.log_reassurance, rel=1e-9, abs=1e-9)


@given(st.lists(blocks(), max_size=10), st.randoms(use_true_random=False))
def test_the_order_of_blocks_does_not_matter(parts: list[tuple[int, int, int, int]], rng: random.Random) -> None:
    shuffled = rng.sample(parts, len(parts))
    assert evidence_of(shuffled).log_evidence == pytest.approx(evidence_of(parts).log_evidence, rel=1e-9, abs=1e-9)


@given(st.lists(blocks(), min_size=1, max_size=10))
def test_looking_in_between_changes_nothing(parts: list[tuple[int, int, int, int]]) -> None:
    watched = RelativeRisk()
    for part in parts:
        watched.add(*part)
        _ = watched.log_evidence
    assert watched.log_evidence == evidence_of(parts).log_evidence


@given(blocks(60), st.integers(2, 6))
def test_a_dispersion_takes_clusters_for_one_event_each(block: tuple[int, int, int, int], size: int) -> None:
    own_bad, own, other_bad, other = block
    clustered = evidence_of([(own_bad * size, own * size, other_bad * size, other * size)], dispersion=size)
    assert clustered.log_evidence == pytest.approx(evidence_of([block]).log_evidence, rel=1e-9, abs=1e-9)


def test_reassurance_grows_while_the_canary_is_as_good_as_stable_and_falls_when_it_is_three_times_worse() -> None:
    good, bad = evidence_of([(1, 100, 9, 900)] * 30), evidence_of([(3, 100, 9, 900)] * 30)
    assert good.log_reassurance > 3
    assert bad.log_reassurance < -3
    assert bad.log_evidence > SURE_OF_A_HUNDREDTH > 0 > good.log_evidence


def crossing(rng: random.Random, worse: float, blocks_at_most: int = 720) -> int | None:
    """In which block the canary is found out: 50 of 500 requests in each, 0.1% of them bad in stable."""
    risk = RelativeRisk()
    for at in range(1, blocks_at_most + 1):
        risk.add(drawn(rng, 0.05 * worse), 50, drawn(rng, 0.45), 450)
        if risk.log_evidence >= SURE_OF_A_HUNDREDTH:
            return at
    return None


def test_an_equal_canary_is_hardly_ever_found_worse() -> None:
    rng = random.Random(11)  # noqa: S311 (a seeded simulation)
    assert sum(crossing(rng, 1) is not None for _ in range(300)) <= 3


def test_a_canary_ten_times_worse_is_found_out_within_a_minute() -> None:
    rng = random.Random(12)  # noqa: S311 (a seeded simulation)
    found = sorted(crossing(rng, 10) or 10**6 for _ in range(200))
    assert found[100] * 5 <= 60


def test_the_mean_against_an_objective_is_at_most_one_while_it_is_kept() -> None:
    for allowed, total in itertools.product((0.01, 0.2, 0.5, 0.9), range(1, 7)):
        evidence = [math.exp(_against(allowed, x, total)) for x in range(total + 1)]
        for share in (0.0, allowed / 3, allowed):
            assert sum(binomial(x, total, share) * evidence[x] for x in range(total + 1)) <= 1 + 1e-9
        worse = (1 + allowed) / 2
        assert sum(binomial(x, total, worse) * evidence[x] for x in range(total + 1)) > 1


def _against(allowed: float, bad: int, total: int, dispersion: float = 1.0) -> float:
    objective = AgainstObjective(allowed, dispersion)
    objective.add(bad, total)
    return objective.log_evidence


def test_against_an_objective_only_possible_shares_are_bet_on() -> None:
    each = [factor**2 * ((1 - factor * 0.2) / 0.8) ** 3 for factor in LAMBDAS if factor * 0.2 < 1]
    assert len(each) == 3
    assert _against(0.2, 2, 5) == pytest.approx(math.log(sum(each) / 3))
    assert _against(0.2, 10, 25, 5.0) == pytest.approx(_against(0.2, 2, 5))


@pytest.mark.parametrize("counts", [(-1, 5, 0, 5), (6, 5, 0, 5), (0, 5, 6, 5), (1, 0, 0, 5)])
def test_impossible_counts_are_refused_with_what_to_do(counts: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="check that both queries count the same"):
        RelativeRisk().add(*counts)
    if counts[0]:
        with pytest.raises(ValueError, match="check that both queries count the same"):
            AgainstObjective(0.1).add(*counts[:2])


def test_impossible_settings_are_refused() -> None:
    for tolerated in (0.5, math.nan, math.inf):
        with pytest.raises(ValueError, match="tolerated relative risk"):
            RelativeRisk(tolerated)
    for dispersion in (0.9, math.nan, math.inf):
        with pytest.raises(ValueError, match="dispersion"):
            RelativeRisk(1, dispersion)
    for allowed in (0.0, 1.0, math.nan):
        with pytest.raises(ValueError, match="allowed share"):
            AgainstObjective(allowed)


def test_a_mean_of_very_large_evidence_does_not_overflow() -> None:
    assert log_mean_exp([2000.0, 0.0]) == pytest.approx(2000 - math.log(2))
    assert log_mean_exp([-2000.0, -2000.0]) == -2000
    assert log_mean_exp([-math.inf, -math.inf]) == -math.inf
