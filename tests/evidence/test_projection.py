"""The nearest pair within the tolerance: the conditions that prove it, and a search that knows nothing of them."""

import itertools
import math
import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feem.core.evidence.projection import project, total_variation

Pair = tuple[Sequence[float], Sequence[float]]


def normal(masses: Sequence[float]) -> tuple[float, ...]:
    return tuple(mass / sum(masses) for mass in masses)


@st.composite
def pairs(draw: st.DrawFn, least: float = 1e-4) -> tuple[tuple[float, ...], tuple[float, ...]]:
    size = draw(st.integers(2, 8))
    masses = st.lists(st.floats(least, 1), min_size=size, max_size=size)
    return normal(draw(masses)), normal(draw(masses))


def divergence(one: Sequence[float], other: Sequence[float]) -> float:
    if any(a > 0 and b <= 0 for a, b in zip(one, other, strict=True)):
        return math.inf
    return sum(a * math.log(a / b) for a, b in zip(one, other, strict=True) if a > 0)


def distance(estimates: Pair, pair: Pair, weight: float) -> float:
    return weight * divergence(estimates[0], pair[0]) + (1 - weight) * divergence(estimates[1], pair[1])


def highest_mean(estimates: Pair, pair: Pair, weight: float, tolerated: float) -> float:
    """The largest Σ_j w_j Σ_k p_jk·θ_jk/φ_jk over the null: linear, so it stands at a corner, one mass and one moved share."""
    gains = [weight * a / u if a else 0.0 for a, u in zip(estimates[0], pair[0], strict=True)]
    others = [(1 - weight) * b / v if b else 0.0 for b, v in zip(estimates[1], pair[1], strict=True)]
    together = max(gain + other for gain, other in zip(gains, others, strict=True))
    return max(together, (1 - tolerated) * together + tolerated * (max(gains) + max(others)))


@settings(max_examples=400, deadline=None)
@given(pairs(), st.floats(0.01, 0.99), st.floats(0.0, 0.9))
def test_the_pair_is_in_the_null_and_satisfies_the_condition_the_proof_rests_on(
    estimates: Pair, weight: float, tolerated: float
) -> None:
    pair = project(*estimates, weight, tolerated)
    for part in pair:
        assert min(part) >= 0
        assert sum(part) == pytest.approx(1, abs=1e-12)
    if total_variation(*estimates) <= tolerated:
        assert pair == estimates
        return
    assert total_variation(*pair) == pytest.approx(tolerated, abs=1e-12)
    assert highest_mean(estimates, pair, weight, tolerated) <= 1 + 1e-12


@settings(max_examples=200, deadline=None)
@given(pairs(), st.floats(0.01, 0.99), st.floats(0.0, 0.9))
def test_exchanging_the_tracks_exchanges_the_results(estimates: Pair, weight: float, tolerated: float) -> None:
    one, other = project(*estimates, weight, tolerated)
    swapped = project(estimates[1], estimates[0], 1 - weight, tolerated)
    assert swapped[1] == pytest.approx(one, abs=1e-9)
    assert swapped[0] == pytest.approx(other, abs=1e-9)


@settings(max_examples=100, deadline=None)
@given(pairs(), st.floats(0.01, 0.99), st.floats(0.0, 0.9), st.randoms(use_true_random=False))
def test_no_random_pair_of_the_null_is_nearer(
    estimates: Pair, weight: float, tolerated: float, rng: random.Random
) -> None:
    found = distance(estimates, project(*estimates, weight, tolerated), weight)
    size = len(estimates[0])
    for _ in range(30):
        one, other = (normal([rng.gammavariate(0.7, 1) + 1e-9 for _ in range(size)]) for _ in range(2))
        blend = rng.random() ** 2
        near = [_blended(estimate, part, blend) for estimate, part in zip(estimates, (one, other), strict=True)]
        reach = min(1.0, tolerated / max(total_variation(*near), 1e-300))
        middle = [weight * a + (1 - weight) * b for a, b in zip(*near, strict=True)]
        near = [_blended(middle, part, reach) for part in near]
        assert distance(estimates, (near[0], near[1]), weight) >= found - 1e-9


def _blended(one: Sequence[float], other: Sequence[float], blend: float) -> list[float]:
    return [(1 - blend) * a + blend * b for a, b in zip(one, other, strict=True)]


@pytest.mark.parametrize("seed", range(12))
def test_a_search_over_a_grid_finds_the_same_for_two_categories(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 (a seeded search)
    first, second, weight, tolerated = rng.random(), rng.random(), rng.uniform(0.05, 0.95), rng.choice([0.0, 0.02, 0.1])
    estimates = (first, 1 - first), (second, 1 - second)
    best = min(
        distance(estimates, ((u, 1 - u), (v, 1 - v)), weight)
        for u in (step / 2000 for step in range(1, 2000))
        for v in (u - tolerated, u + tolerated)
        if 0 < v < 1
    )
    if abs(first - second) > tolerated:
        assert distance(estimates, project(*estimates, weight, tolerated), weight) == pytest.approx(best, abs=1e-5)


@pytest.mark.parametrize("seed", range(8))
def test_a_search_that_moves_mass_finds_the_same_for_three_categories(seed: int) -> None:
    """Pattern search: move mass between two categories in one track or both, while that is nearer and within the null."""
    rng = random.Random(seed)  # noqa: S311 (a seeded search)
    one, other = (normal([rng.gammavariate(2, 1) for _ in range(3)]) for _ in range(2))
    estimates = (one, other)
    weight, tolerated = rng.uniform(0.1, 0.9), rng.choice([0.02, 0.1])
    common = [weight * a + (1 - weight) * b for a, b in zip(*estimates, strict=True)]
    at, step = (tuple(common), tuple(common)), 0.05
    best = distance(estimates, at, weight)
    moves = [move for move in itertools.product((-2, -1, 0, 1, 2), repeat=4) if any(move)]
    while step > 1e-5:
        tries = [_moved(at, move, step) for move in moves]
        tries = [pair for pair in tries if min(map(min, pair)) > 0 and total_variation(*pair) <= tolerated + 1e-12]
        nearest = min(tries, key=lambda pair: distance(estimates, pair, weight), default=at)
        found = distance(estimates, nearest, weight)
        if found < best:
            at, best = nearest, found
        else:
            step /= 2
    projected = project(*estimates, weight, tolerated)
    exact = distance(estimates, projected, weight)
    assert exact <= best + 1e-12
    if total_variation(*estimates) > tolerated:
        assert exact == pytest.approx(best, abs=2e-4)


def _moved(pair: Pair, move: tuple[int, ...], step: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    one, other = pair
    by = [step * part for part in move]
    return (
        (one[0] + by[0], one[1] + by[1], one[2] - by[0] - by[1]),
        (other[0] + by[2], other[1] + by[3], other[2] - by[2] - by[3]),
    )


def test_with_nothing_tolerated_both_become_the_weighted_mean() -> None:
    one, other = project((0.7, 0.3), (0.5, 0.5), 0.25, 0.0)
    assert one == other == pytest.approx((0.55, 0.45))


def test_with_two_categories_the_difference_is_exactly_the_tolerance() -> None:
    one, other = project((0.7, 0.3), (0.5, 0.5), 0.25, 0.1)
    assert one[0] - other[0] == pytest.approx(0.1)
    assert 0.5 < other[0] < one[0] < 0.7


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_a_track_without_weight_lets_the_other_stay(weight: float) -> None:
    pair = project((0.7, 0.3), (0.5, 0.5), weight, 0.1)
    stays = (0.7, 0.3) if weight else (0.5, 0.5)
    assert pair == (stays, stays)


@pytest.mark.parametrize(
    ("canary", "stable"),
    [
        ((1.0, 0.0), (0.0, 1.0)),
        ((0.5, 0.5, 0.0), (0.0, 0.5, 0.5)),
        ((0.999, 0.001, 0.0), (0.0, 1e-20, 1.0)),
        ((0.0, 0.4, 0.6), (0.0, 0.9, 0.1)),
    ],
)
@pytest.mark.parametrize("tolerated", [0.02, 0.4])
def test_categories_that_one_track_does_not_have_are_no_trouble(
    canary: Sequence[float], stable: Sequence[float], tolerated: float
) -> None:
    pair = project(canary, stable, 0.3, tolerated)
    assert [sum(part) for part in pair] == pytest.approx([1, 1])
    assert total_variation(*pair) == pytest.approx(tolerated)
    assert highest_mean((canary, stable), pair, 0.3, tolerated) <= 1 + 1e-9
