"""Simulated traffic of a canary and its stable track, counted in blocks of five seconds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BLOCK = 5
"""Seconds of a block: FEEM's evaluation interval."""
HOUR = 3600
MINUTE = 60
BLOCKS = HOUR // BLOCK

Counts = npt.NDArray[np.int64]
Levels = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Tracks:
    """Requests and bad ones among them of both tracks, each an array runs x blocks."""

    canary_total: Counts
    canary_bad: Counts
    stable_total: Counts
    stable_bad: Counts

    def by_minute(self) -> Tracks:
        """Add up the blocks of each minute, for judges that look at minutes."""
        return Tracks(
            *(minutes(one) for one in (self.canary_total, self.canary_bad, self.stable_total, self.stable_bad))
        )


def minutes(blocks: Counts) -> Counts:
    """Add up runs x blocks to runs x minutes."""
    runs, length = blocks.shape
    added: Counts = blocks.reshape(runs, length * BLOCK // MINUTE, MINUTE // BLOCK).sum(axis=2)
    return added


def independent(
    generator: np.random.Generator, runs: int, rate: Levels, weight: Levels, canary_share: Levels, stable_share: Levels
) -> Tracks:
    """Draw Poisson arrivals and independent bad requests.

    `rate` (requests a second of both tracks), `weight` (the canary's share of them) and the shares of bad requests are
    levels by block, each an array of one or of `BLOCKS` values.
    """
    shape = (runs, BLOCKS)
    canary_total = generator.poisson(np.broadcast_to(rate * weight * BLOCK, shape))
    stable_total = generator.poisson(np.broadcast_to(rate * (1 - weight) * BLOCK, shape))
    return Tracks(
        canary_total=canary_total,
        canary_bad=generator.binomial(canary_total, np.minimum(1.0, canary_share)),
        stable_total=stable_total,
        stable_bad=generator.binomial(stable_total, np.minimum(1.0, stable_share)),
    )


def level(value: float) -> Levels:
    """Return a level that stays the same for the whole hour."""
    return np.array([value], dtype=np.float64)


def clustered(
    generator: np.random.Generator, totals: Counts, share: float, sizes: str, spread: int
) -> tuple[Counts, Counts]:
    """Draw bad requests that come in clusters, as retry storms do; return totals (raised where needed) and bad ones.

    `sizes`: `five` (each cluster has 5) or `geometric` (mean 3): variance over binomial variance is 5 in both, in the
    long run. `spread` is over how many blocks a cluster's events fall, each at random; 1 keeps a cluster in its block.
    """
    mean = 5.0 if sizes == "five" else 3.0
    clusters = generator.poisson(totals * share / mean)
    bad = np.zeros_like(totals)
    runs, starts = np.nonzero(clusters)
    repeats = clusters[runs, starts]
    runs, starts = np.repeat(runs, repeats), np.repeat(starts, repeats)
    members = np.full(runs.size, 5) if sizes == "five" else generator.geometric(1 / mean, runs.size)
    runs, starts = np.repeat(runs, members), np.repeat(starts, members)
    landed = starts + generator.integers(0, spread, runs.size)
    kept = landed < totals.shape[1]
    np.add.at(bad, (runs[kept], landed[kept]), 1)
    return np.maximum(totals, bad), bad
