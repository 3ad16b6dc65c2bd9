"""The dispersion of stable's history: 1 for independent events, the size of the clusters for clustered ones."""

import math
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feem.core.evidence.dispersion import of_mix, of_ratio
from feem.core.evidence.ratio import RelativeRisk

SURE_OF_A_HUNDREDTH = math.log(100)


def drawn(rng: random.Random, mean: float) -> int:
    """A Poisson number, by the times between events."""
    count, at = 0, rng.expovariate(1)
    while at < mean:
        count, at = count + 1, at + rng.expovariate(1)
    return count


def history(rng: random.Random, total: int, share: float, cluster: int = 1, blocks: int = 720) -> list[tuple[int, int]]:
    """Blocks of `total` requests with `share` of them bad, always `cluster` at a time."""
    bad = [cluster * drawn(rng, total * share / cluster) for _ in range(blocks)]
    return [(min(count, total), total) for count in bad]


@pytest.fixture
def rng() -> random.Random:
    return random.Random(21)  # noqa: S311 (a seeded simulation)


@pytest.mark.parametrize(("total", "share"), [(450, 0.001), (450, 0.01), (4500, 0.001)])
def test_independent_events_have_the_dispersion_one(rng: random.Random, total: int, share: float) -> None:
    assert sum(of_ratio(history(rng, total, share)) == 1 for _ in range(40)) >= 37


def test_events_in_clusters_of_five_have_the_dispersion_five_with_some_caution(rng: random.Random) -> None:
    found = [of_ratio(history(rng, 450, 0.001, cluster=5)) for _ in range(60)]
    assert 5 <= statistics.median(found) <= 8
    assert min(found) > 4.5


def test_the_more_is_seen_of_bursts_the_less_caution_is_added(rng: random.Random) -> None:
    found = [of_ratio(history(rng, 4500, 0.01, cluster=5)) for _ in range(20)]
    assert 5 <= statistics.median(found) <= 6.2


def test_bursts_longer_than_a_block_are_seen_at_the_larger_scales(rng: random.Random) -> None:
    """A burst of one event a block over two minutes: block for block hardly anything, over 24 blocks plain."""
    bad = [1 if at // 24 % 10 == 0 else 0 for at in range(720)]
    assert of_ratio([(count, 450) for count in bad]) > 10


def test_the_traffic_may_change_without_any_dispersion(rng: random.Random) -> None:
    totals = [int(2000 * (1.2 + math.sin(at / 40))) for at in range(720)]
    assert of_ratio([(drawn(rng, total * 0.002), total) for total in totals]) == 1


@pytest.mark.parametrize(
    "blocks",
    [
        [],
        [(0, 100)] * 500,
        [(100, 100)] * 500,
        [(0, 0)] * 500,
        [(10, 100)] + [(0, 100)] * 500,
        [(60, 100), (0, 100)] * 5 + [(0, 0)] * 500,
    ],
)
def test_too_little_history_says_nothing(blocks: list[tuple[int, int]]) -> None:
    assert of_ratio(blocks) == 1


@given(
    st.lists(st.integers(0, 300).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))), max_size=80)
)
def test_it_is_a_number_of_at_least_one(blocks: list[tuple[int, int]]) -> None:
    assert 1 <= of_ratio(blocks) < math.inf


def test_a_mix_has_the_dispersion_of_the_category_that_varies_the_most(rng: random.Random) -> None:
    rejected = history(rng, 100, 0.2, cluster=4)
    blocks = [{"approved": 100 - bad - 5, "referred": 5, "rejected": bad} for bad, _ in rejected]
    assert of_mix(blocks) == max(of_ratio(rejected), of_ratio([(block["approved"], 100) for block in blocks]))
    assert of_mix(blocks) > 3


def test_a_mix_of_independent_decisions_has_the_dispersion_one(rng: random.Random) -> None:
    blocks = []
    for _ in range(360):
        chosen = rng.choices("abc", (0.55, 0.25, 0.2), k=60)
        blocks.append({name: chosen.count(name) for name in "abc"})
    assert of_mix(blocks) == 1
    assert of_mix([]) == 1


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="6 bad of 5"):
        of_ratio([(1, 5), (6, 5)])


def false_alarm(rng: random.Random, dispersion: float) -> bool:
    risk = RelativeRisk(dispersion=dispersion)
    for own, other in zip(history(rng, 50, 0.001, cluster=5), history(rng, 450, 0.001, cluster=5), strict=True):
        risk.add(*own, *other)
        if risk.log_evidence >= SURE_OF_A_HUNDREDTH:
            return True
    return False


def test_with_the_estimated_dispersion_clustered_errors_give_no_more_false_alarms_than_promised(
    rng: random.Random,
) -> None:
    tempered = sum(false_alarm(rng, of_ratio(history(rng, 450, 0.001, cluster=5))) for _ in range(200))
    untempered = sum(false_alarm(rng, 1.0) for _ in range(100))
    assert tempered <= 3
    assert untempered >= 15
