"""Samples as they were scraped: what a verdict is computed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from feem.api.objective import Indicator


@dataclass(frozen=True)
class Sample:
    """One scraped value: Unix seconds and the value."""

    time: float
    value: float


@dataclass(frozen=True)
class Series:
    """One counter of one pod: its labels, sorted, and its samples in the order of time."""

    labels: tuple[tuple[str, str], ...]
    samples: tuple[Sample, ...]


@dataclass(frozen=True)
class TrackSamples:
    """What one track (canary or stable) was seen to do, by the role of the series in the indicator.

    A ratio has `bad` or `good`, and `total`; a latency `fast` (up to the threshold) and `total` (up to infinity); a mix
    `events`, or a histogram's `buckets`; a gauge one `value` a look.
    """

    series: Mapping[str, tuple[Series, ...]] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class SampleRequest:
    """Which samples to fetch for one objective: of these ReplicaSets' pods, later than `start` and until `end` (Unix seconds)."""

    indicator: Indicator
    namespace: str
    canary_replica_set: str
    stable_replica_set: str
    """Empty when nothing is to be compared with."""
    start: float
    end: float
    whole: bool = False
    """Not of ReplicaSets but of all series of the namespace, as the canary's."""


@dataclass(frozen=True)
class Evidence:
    """Samples of both tracks for one objective, or why there are none (`problem`: what the metrics server said)."""

    canary: TrackSamples = TrackSamples()
    stable: TrackSamples = TrackSamples()
    problem: str = ""
    queries: tuple[str, ...] = ()
    """The exact PromQL that was asked."""
