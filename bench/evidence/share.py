"""Shares of runs, with how sure they are."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bench.evidence.rules import Times


@dataclass(frozen=True)
class Found:
    """In how many of so many runs a judge rolled back, and its median time (seconds; None: fewer than half did)."""

    runs: int
    hits: int
    median: float | None

    @property
    def share(self) -> float:
        return self.hits / self.runs

    def interval(self) -> tuple[float, float]:
        """Return the exact 95% interval of the share (Clopper and Pearson 1934)."""
        return clopper_pearson(self.hits, self.runs)

    def plain(self) -> dict[str, object]:
        """Return what the result file keeps."""
        low, high = self.interval()
        return {
            "runs": self.runs,
            "rolledBack": self.hits,
            "share": round(self.share, 6),
            "interval95": [round(low, 6), round(high, 6)],
            "medianSeconds": self.median,
        }


def found(times: Times) -> Found:
    """Sum up the times of many runs."""
    hits = int(np.isfinite(times).sum())
    middle = float(np.sort(times)[times.size // 2]) if times.size else math.inf
    return Found(int(times.size), hits, middle if math.isfinite(middle) else None)


def clopper_pearson(hits: int, runs: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the exact interval of a binomial share, by bisection (to 1e-8)."""
    tail = (1 - confidence) / 2
    low = 0.0 if hits == 0 else crossing(hits - 1, runs, 1 - tail)
    high = 1.0 if hits == runs else crossing(hits, runs, tail)
    return low, high


def crossing(hits: int, runs: int, level: float) -> float:
    """Return the share at which P(X <= hits), which falls as the share grows, is `level`."""
    counts = np.arange(1, hits + 1)
    log_ways = np.concatenate(([0.0], np.cumsum(np.log((runs - counts + 1) / counts))))
    counts = np.arange(hits + 1)
    low, high = 0.0, 1.0
    while high - low > 1e-8:
        share = (low + high) / 2
        logs = log_ways + counts * np.log(share) + (runs - counts) * np.log1p(-share)
        low, high = (share, high) if np.exp(logs).sum() > level else (low, share)
    return (low + high) / 2
