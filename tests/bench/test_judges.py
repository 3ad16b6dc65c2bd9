"""The rules that FEEM is compared with do what their names say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bench.evidence import wald
from bench.evidence.mannwhitney import mann_whitney, scores
from bench.evidence.rules import argo, flagger
from bench.evidence.traffic import BLOCKS, Tracks, clustered

BLOCKS_OF_MINUTE = 12


def hour(bad_minutes: dict[int, int], requests: int = 100) -> Tracks:
    """One run with 100 requests a block; bad requests in the first block of some minutes."""
    bad = np.zeros((1, BLOCKS), dtype=np.int64)
    for minute, number in bad_minutes.items():
        bad[0, minute * BLOCKS_OF_MINUTE] = number
    total = np.full((1, BLOCKS), requests, dtype=np.int64)
    return Tracks(total, bad, total, np.zeros_like(bad))


def test_argo_fails_at_the_first_minute_above_one_percent() -> None:
    assert argo(hour({3: 12}))[0] == math.inf  # exactly 1% of 1,200
    assert argo(hour({3: 12, 7: 13}))[0] == 8 * 60


def test_argo_says_nothing_without_traffic() -> None:
    assert argo(hour({}, requests=0))[0] == math.inf


def test_flagger_fails_at_the_fifth_bad_minute_in_all() -> None:
    assert flagger(hour(dict.fromkeys([1, 4, 9, 20], 50)))[0] == math.inf
    assert flagger(hour(dict.fromkeys([1, 4, 9, 20, 33], 50)))[0] == 34 * 60


def naive_score(canary: list[float], stable: list[float]) -> float:
    """The textbook's form, with loops."""
    size, pooled = len(canary), canary + stable
    upper = sum((a > b) + 0.5 * (a == b) for a in canary for b in stable)
    ties = sum(pooled.count(value) ** 3 - pooled.count(value) for value in set(pooled))
    total = 2 * size
    variance = size * size / 12 * (total + 1 - ties / (total * (total - 1)))
    if variance <= 0:
        return 0.0
    excess = upper - size * size / 2
    return math.copysign(max(0.0, abs(excess) - 0.5), excess) / math.sqrt(variance)


def test_scores_are_the_textbooks() -> None:
    random = np.random.default_rng(7)
    canary, stable = (random.integers(0, 4, (5, 12)).astype(np.float64) for _ in range(2))
    found = scores(canary, stable)
    for run in range(5):
        for looked in range(1, 13):
            expected = naive_score(canary[run, :looked].tolist(), stable[run, :looked].tolist())
            assert found[run, looked - 1] == pytest.approx(expected, abs=1e-12)


def test_mann_whitney_needs_four_minutes_for_the_clearest_difference() -> None:
    assert mann_whitney(hour(dict.fromkeys(range(60), 50)))[0] == 4 * 60
    assert mann_whitney(hour({}))[0] == math.inf


def test_wald_bound_of_a_hand_calculation() -> None:
    # 100/s, 10%, 0.1% against 1%: 0.19 errors a second, of which 1/0.19 in the canary where 10% would be expected
    share = 0.1 / 0.19
    worth = share * math.log(share / 0.1) + (1 - share) * math.log((1 - share) / 0.9)
    assert wald.seconds(100, 0.1, 0.001, 0.01, 0.01) == pytest.approx(math.log(100) / (0.19 * worth))
    assert wald.seconds(100, 0.1, 0.001, 0.001, 0.01) == math.inf


@pytest.mark.parametrize("sizes", ["five", "geometric"])
def test_clusters_vary_five_times_as_much(sizes: str) -> None:
    totals = np.full((40, 2000), 1000, dtype=np.int64)
    _, bad = clustered(np.random.default_rng(3), totals, 0.01, sizes, 1)
    assert bad.mean() == pytest.approx(10, rel=0.03)
    assert bad.var() / bad.mean() == pytest.approx(5, rel=0.05)
