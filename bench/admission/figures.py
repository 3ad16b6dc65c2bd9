"""From measured requests to figures: percentiles, what the policies add, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench.admission.plan import Arm

THOUSAND = 1000.0
DOUBT = 0.05
COLUMNS = (
    "request",
    "requests",
    "p50 without",
    "with",
    "added",
    "95% interval",
    "ratio",
    "p95 without",
    "with",
    "added",
    "CPU without",
    "with",
)


@dataclass(frozen=True)
class Measured:
    """What one block measured of one cell: seconds of each request, and CPU seconds of the API server for all."""

    seconds: tuple[float, ...]
    cpu: float


@dataclass(frozen=True)
class Side:
    """One arm of a cell, summed up: milliseconds, and CPU seconds of the API server per 1,000 requests."""

    requests: int
    p50: float
    p95: float
    cpu: float


@dataclass(frozen=True)
class Compared:
    """Both arms of a cell. Milliseconds; `low` and `high` bound the median over the rounds of what is added at the median."""

    without: Side
    with_policies: Side
    low: float
    high: float

    @property
    def added_p50(self) -> float:
        """Milliseconds added at the median."""
        return self.with_policies.p50 - self.without.p50

    @property
    def added_p95(self) -> float:
        """Milliseconds added at the 95th percentile."""
        return self.with_policies.p95 - self.without.p95

    @property
    def ratio(self) -> float:
        """How many times as long the median request takes."""
        return self.with_policies.p50 / self.without.p50

    def row(self, title: str) -> tuple[str, ...]:
        """Return the line of the table."""
        without, with_policies = self.without, self.with_policies
        return (
            title,
            f"{without.requests}/{with_policies.requests}",
            f"{without.p50:.2f}",
            f"{with_policies.p50:.2f}",
            f"{self.added_p50:+.2f}",
            f"{self.low:+.2f}..{self.high:+.2f}",
            f"{self.ratio:.2f}",
            f"{without.p95:.2f}",
            f"{with_policies.p95:.2f}",
            f"{self.added_p95:+.2f}",
            f"{without.cpu:.2f}",
            f"{with_policies.cpu:.2f}",
        )

    def plain(self) -> dict[str, object]:
        """Return what the result file keeps."""
        return {
            "without": plain_side(self.without),
            "with": plain_side(self.with_policies),
            "addedMs": {"p50": round(self.added_p50, 3), "p95": round(self.added_p95, 3)},
            "addedP50Interval95Ms": [round(self.low, 3), round(self.high, 3)],
            "ratioP50": round(self.ratio, 3),
            "addedCpuSecondsPer1000": round(self.with_policies.cpu - self.without.cpu, 3),
        }


def plain_side(side: Side) -> dict[str, object]:
    """Return what the result file keeps of one arm."""
    return {
        "requests": side.requests,
        "p50Ms": round(side.p50, 3),
        "p95Ms": round(side.p95, 3),
        "cpuSecondsPer1000": round(side.cpu, 3),
    }


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of the values lies, linear between the two nearest (Hyndman and Fan, type 7)."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("nothing was measured: a percentile needs one value at least")
    place = (len(ordered) - 1) * share
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def median_interval(values: Sequence[float]) -> tuple[float, float]:
    """Bound the median of what the values are drawn from, at 95% or more, by the sign test; it assumes no distribution.

    Six values are the least that can do it; of fewer, the ends are returned.
    """
    ordered = sorted(values)
    length = len(ordered)
    left_out, tail = 0, 0.5**length
    while 2 * (tail + math.comb(length, left_out + 1) * 0.5**length) <= DOUBT:
        left_out += 1
        tail += math.comb(length, left_out) * 0.5**length
    return ordered[left_out], ordered[-1 - left_out]


def side(measured: Sequence[Measured]) -> Side:
    """Sum up the blocks of one arm."""
    seconds = [one for block in measured for one in block.seconds]
    cpu = sum(block.cpu for block in measured) / len(seconds) * THOUSAND
    return Side(len(seconds), percentile(seconds, 0.5) * THOUSAND, percentile(seconds, 0.95) * THOUSAND, cpu)


def compared(rounds: Sequence[dict[Arm, Measured]]) -> Compared:
    """Compare the two arms of a cell; each round has one block of either."""
    added = [(median(one[Arm.WITH].seconds) - median(one[Arm.WITHOUT].seconds)) * THOUSAND for one in rounds]
    low, high = median_interval(added)
    return Compared(side([one[Arm.WITHOUT] for one in rounds]), side([one[Arm.WITH] for one in rounds]), low, high)
