"""Counter samples as they were scraped: what a verdict is computed from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """One scraped value: Unix seconds and the counter's value."""

    time: float
    value: float


@dataclass(frozen=True)
class Series:
    """One counter of one pod: its labels, sorted, and its samples in the order of time."""

    labels: tuple[tuple[str, str], ...]
    samples: tuple[Sample, ...]


@dataclass(frozen=True)
class TrackSamples:
    """The bad and the total counters of one track (canary or stable)."""

    bad: tuple[Series, ...]
    total: tuple[Series, ...]


@dataclass(frozen=True)
class SampleRequest:
    """Which samples to fetch for one objective: both selectors, narrowed to pods of these ReplicaSets, since `start` (Unix seconds)."""

    bad: str
    total: str
    namespace: str
    canary_replica_set: str
    stable_replica_set: str
    start: float
    end: float


@dataclass(frozen=True)
class Evidence:
    """Samples of both tracks for one objective, or why there are none (`problem`: what the metrics server said)."""

    canary: TrackSamples
    stable: TrackSamples
    problem: str = ""
