"""Builders of evidence for the tests of this folder."""

from __future__ import annotations

from collections.abc import Sequence

from feem.api.objective import CanarySettings, Indicator, RatioIndicator
from feem.api.release import ObjectiveSnapshot
from feem.core.evidence.samples import Evidence, Sample, Series, TrackSamples

START = 1_000.0
NOW = 1_060.0


def points(*pairs: tuple[float, float]) -> tuple[Sample, ...]:
    return tuple(Sample(time, value) for time, value in pairs)


def series(values: Sequence[tuple[float, float]], **labels: str) -> Series:
    return Series(tuple(sorted({"pod": "p", "instance": "i", **labels}.items())), points(*values))


def grown(amount: float, **labels: str) -> Series:
    """A counter that had counted 7 before the step and grows by `amount` in it."""
    return series([(START - 5, 7), (START + 25, 7 + amount // 2), (NOW - 3, 7 + amount)], **labels)


def track(bad: float, total: float) -> TrackSamples:
    return TrackSamples(bad=(grown(bad, code="500"),), total=(grown(total),))


def evidence(canary: tuple[float, float], stable: tuple[float, float]) -> Evidence:
    """Evidence of (bad, total) events of each track."""
    return Evidence(canary=track(*canary), stable=track(*stable))


EMPTY = TrackSamples(bad=(), total=())


def objective(target: str = "99.9", *, risk: str = "1.5", minimum: int = 100) -> ObjectiveSnapshot:
    return ObjectiveSnapshot(
        name="errors",
        objective=target,
        indicator=Indicator(ratio=RatioIndicator(bad='requests_total{code="500"}', total="requests_total")),
        canary=CanarySettings(tolerated_relative_risk=risk, minimum_samples=minimum),
    )
