"""What raw counter samples say happened in a stretch of time, without Prometheus' extrapolation."""

from __future__ import annotations

import math
from collections.abc import Iterable

from feem.core.evidence.samples import Sample, Series

TARGET_LABELS = ("namespace", "pod", "instance", "job")
"""The labels that tell scrape targets apart; the series of one target are scraped in one go."""

Target = tuple[str, ...]


def usable(samples: Iterable[Sample]) -> tuple[Sample, ...]:
    """Return the samples a counter can have, by time: finite, not negative, one a moment (of several the largest).

    A staleness marker is a NaN and so drops out: the series ends, and goes on if it comes back.
    """
    values: dict[float, float] = {}
    for sample in samples:
        if math.isfinite(sample.time) and math.isfinite(sample.value) and sample.value >= 0:
            values[sample.time] = max(sample.value, values.get(sample.time, 0.0))
    return tuple(Sample(time, values[time]) for time in sorted(values))


def increase(samples: Iterable[Sample], start: float, end: float, *, born: bool = False) -> float:
    """Return how much one counter grew after `start` and until `end` (Unix seconds); never negative.

    It grew from the last sample at or before `start`. When there is none, from the first sample: what that one had
    counted before may be older than `start` and is left out, unless the counter was `born` in sight, at zero. A lower
    value than before is a reset, after which everything counts.
    """
    gains = []
    previous = 0.0 if born else None
    for sample in usable(samples):
        if sample.time > end:
            break
        if sample.time > start and previous is not None:
            gains.append(sample.value - previous if sample.value >= previous else sample.value)
        previous = sample.value
    return math.fsum(gains)


def total_increase(series: Iterable[Series], start: float, end: float, *, witnesses: Iterable[Series] = ()) -> float:
    """Return the growth of several counters together; their order does not matter.

    A client library makes the counter of, say, `code="500"` when the first such event happens. When a witness (any
    series of the same target) was scraped before the counter first appeared, the counter was zero then, and its first
    value counts in full: otherwise the first errors of every new label would be lost.
    """
    counters = tuple(series)
    seen = first_seen((*counters, *witnesses))
    gains = []
    for counter in counters:
        points = usable(counter.samples)
        born = bool(points) and seen[target_of(counter)] < points[0].time
        gains.append(increase(points, start, end, born=born))
    return math.fsum(gains)


def align(series: Iterable[Series], reference: Iterable[Series]) -> tuple[Series, ...]:
    """Cut each series at the newest sample that `reference` has of the same target.

    Two queries for one moment may see a different number of scrapes, when one lands between them; a ratio of the two
    would then be wrong by a whole scrape. A target the reference does not have is left as it is.
    """
    newest_of: dict[Target, float] = {}
    for other in reference:
        points = usable(other.samples)
        if points:
            target = target_of(other)
            newest_of[target] = max(points[-1].time, newest_of.get(target, -math.inf))
    return tuple(
        Series(one.labels, tuple(s for s in one.samples if s.time <= newest_of.get(target_of(one), math.inf)))
        for one in series
    )


def newest(series: Iterable[Series]) -> float | None:
    """Return the time of the newest usable sample (Unix seconds), None when there is none."""
    return max((points[-1].time for one in series if (points := usable(one.samples))), default=None)


def first_seen(series: Iterable[Series]) -> dict[Target, float]:
    """Return when each target was first scraped, as far as these series tell."""
    seen: dict[Target, float] = {}
    for one in series:
        points = usable(one.samples)
        if points:
            target = target_of(one)
            seen[target] = min(points[0].time, seen.get(target, math.inf))
    return seen


def target_of(series: Series) -> Target:
    """Return which scrape target a series belongs to."""
    labels = dict(series.labels)
    return tuple(labels.get(label, "") for label in TARGET_LABELS)
