"""The judge that compares the ranks of per-minute error ratios, as canary analysis services do."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bench.evidence.rules import Times
from bench.evidence.traffic import MINUTE, Tracks

CRITICAL = 2.3263478740408408
"""The upper 1% point of the normal law: two-sided at confidence 0.98, the worse side."""

Points = npt.NDArray[np.float64]


def mann_whitney(tracks: Tracks) -> Times:
    """Fail at the first minute at which all minutes so far say, at confidence 0.98, that the canary's error ratio is higher.

    Normal approximation with correction for ties and continuity. A minute in which a track served nothing is a ratio of
    zero. Looking each minute is how progressive delivery uses it; the test itself is made for one look.
    """
    counted = tracks.by_minute()
    canary = counted.canary_bad / np.maximum(1, counted.canary_total)
    stable = counted.stable_bad / np.maximum(1, counted.stable_total)
    above = scores(canary, stable) > CRITICAL
    return np.where(above.any(axis=1), (np.argmax(above, axis=1) + 1.0) * MINUTE, np.inf)


def scores(canary: Points, stable: Points) -> Points:
    """Return the z score of the first m points of each run (row), for each m; 0 where all points are equal.

    U = number of pairs in which the canary is higher, ties one half; its variance is
    m·m/12·((N+1) - Σ(t³-t)/(N(N-1))), N = 2m, t the sizes of groups of equal points.
    """
    size = canary.shape[1]
    looked = np.arange(1, size + 1, dtype=np.float64)
    wins = (canary[:, :, None] > stable[:, None, :]) + 0.5 * (canary[:, :, None] == stable[:, None, :])
    upper = wins.cumsum(axis=1).cumsum(axis=2)[:, np.arange(size), np.arange(size)]
    ties = tie_sums(canary, stable)
    pooled = 2 * looked
    variance = looked * looked / 12 * (pooled + 1 - ties / (pooled * np.maximum(1.0, pooled - 1)))
    excess = upper - looked * looked / 2
    distance = np.sign(excess) * np.maximum(0.0, np.abs(excess) - 0.5)
    safe: Points = np.where(variance > 1e-12, variance, 1.0)
    return np.where(variance > 1e-12, distance / np.sqrt(safe), 0.0)


def tie_sums(canary: Points, stable: Points) -> Points:
    """Return Σ(t³-t) over the groups of equal points among the first m of both, for each m.

    A point in a group of t adds t² - 1, so each point's count of equals is enough.
    """
    size = canary.shape[1]
    sums = np.zeros(canary.shape)
    looked = np.arange(size)
    for points in (canary, stable):
        equals = (points[:, :, None] == canary[:, None, :]).cumsum(axis=2, dtype=np.int32)
        equals += (points[:, :, None] == stable[:, None, :]).cumsum(axis=2, dtype=np.int32)
        shares = (equals.astype(np.float64) ** 2 - 1) * (looked[:, None] <= looked[None, :])
        sums += shares.sum(axis=1)
    return sums
