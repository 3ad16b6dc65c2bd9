"""What raw counter samples say happened, without Prometheus' extrapolation."""

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


class Counter:
    """One counter that is read again and again; it remembers where it stood.

    `value` is None until the first sample: what that one had counted before may be old, and is left out, unless the
    counter is `born` in sight. A client library makes the counter of, say, `code="500"` when the first such event
    happens; when other series of the same target were scraped before it appeared, it was zero then, and its first value
    counts in full: otherwise the first errors of every new label would be lost. `born` is when the target was last
    scraped without it (Unix seconds).
    """

    __slots__ = ("time", "value")

    def __init__(self, *, born: float | None = None) -> None:
        self.time = -math.inf if born is None else born
        self.value: float | None = None if born is None else 0.0

    def gain(self, samples: Iterable[Sample], after: float, warm: float = -math.inf) -> float:
        """Read fresh samples (by time) and return how much the counter grew at those later than `after` (Unix seconds).

        What it grew by since a sample from before `warm` (Unix seconds) is left out, as some of it happened before. A
        lower value than before is a reset, after which everything counts. Samples that are not newer than the last one
        are passed over.
        """
        gains = []
        for sample in samples:
            if sample.time <= self.time:
                continue
            if self.value is not None and sample.time > after and self.time >= warm:
                gains.append(sample.value - self.value if sample.value >= self.value else sample.value)
            self.time, self.value = sample.time, sample.value
        return math.fsum(gains)


def target_of(series: Series) -> Target:
    """Return which scrape target a series belongs to."""
    labels = dict(series.labels)
    return tuple(labels.get(label, "") for label in TARGET_LABELS)
