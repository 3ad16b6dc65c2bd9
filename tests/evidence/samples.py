"""Builders of evidence for the tests of this folder: series by hand, and pods that count and are scraped."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from feem.api.indicator import GaugeIndicator, LatencyIndicator, MixIndicator, OnShift, RatioIndicator
from feem.api.objective import CanarySettings, Indicator
from feem.api.release import ObjectiveSnapshot, ObjectiveVerdict
from feem.core.evidence.samples import Evidence, Sample, Series, TrackSamples
from feem.core.evidence.tally import Block
from feem.core.evidence.terms import Terms
from feem.core.evidence.trial import Trial

START = 1_000.0
GOOD, BAD = {"code": "200"}, {"code": "500"}


def points(*pairs: tuple[float, float]) -> tuple[Sample, ...]:
    return tuple(Sample(time, value) for time, value in pairs)


def series(values: Sequence[tuple[float, float]], **labels: str) -> Series:
    return Series(tuple(sorted({"pod": "p", "instance": "i", **labels}.items())), points(*values))


def objective(target: str = "99.9", *, risk: str = "1", minimum: int = 100, **canary: Any) -> ObjectiveSnapshot:
    return snapshot(
        Indicator(ratio=RatioIndicator(bad='requests_total{code="500"}', total="requests_total")),
        target,
        tolerated_relative_risk=risk,
        minimum_samples=minimum,
        **canary,
    )


def good_objective(target: str = "99.9", **canary: Any) -> ObjectiveSnapshot:
    return snapshot(Indicator(ratio=RatioIndicator(good="good_total", total="requests_total")), target, **canary)


def latency(target: str = "99", **canary: Any) -> ObjectiveSnapshot:
    return snapshot(
        Indicator(latency=LatencyIndicator(histogram="seconds_bucket", threshold="0.3")),
        target,
        name="latency",
        **canary,
    )


def mix(tolerated: str = "0.02", on_shift: OnShift = OnShift.ROLLBACK, **canary: Any) -> ObjectiveSnapshot:
    indicator = MixIndicator(counter="decisions_total", label="decision", tolerated_shift=tolerated, on_shift=on_shift)
    return snapshot(Indicator(mix=indicator), name="mix", **canary)


def scores(**canary: Any) -> ObjectiveSnapshot:
    return snapshot(Indicator(mix=MixIndicator(histogram="score_bucket")), name="scores", **canary)


def gauge(low: str | None = None, high: str | None = "100", breach: int = 60) -> ObjectiveSnapshot:
    indicator = GaugeIndicator(query="max(queue_depth)", min=low, max=high, breach_seconds=breach)
    return snapshot(Indicator(gauge=indicator), name="queue")


def snapshot(
    indicator: Indicator, target: str | None = None, *, name: str = "errors", **canary: Any
) -> ObjectiveSnapshot:
    return ObjectiveSnapshot(name=name, objective=target, indicator=indicator, canary=CanarySettings(**canary))


def terms(given: ObjectiveSnapshot | None = None, *, alpha: float = 0.01, **changes: Any) -> Terms:
    given = given or objective()
    return Terms(given, START, 0.0 if given.indicator.gauge is not None else alpha, **changes)


def block(canary: Mapping[str, float], stable: Mapping[str, float], at: float = START, seconds: float = 5) -> Block:
    return Block(at, at + seconds, canary, stable)


@dataclass(frozen=True)
class Pod:
    """A process that counts `rate` events a second, a share `bad` of them bad, and is scraped."""

    name: str
    rate: float = 10.0
    bad: float = 0.0
    every: float = 5.0
    offset: float = 0.0
    born: float = START - 300
    gone: float = math.inf
    restarts: tuple[float, ...] = ()
    bad_since: float = -math.inf
    deaf: tuple[float, float] = (math.inf, math.inf)
    """Between these moments it is not scraped."""
    kinds: Mapping[str, float] = field(default_factory=dict)
    """For a mix: the share of each kind."""

    def scrapes(self, until: float) -> list[float]:
        first = math.ceil((self.born - self.offset) / self.every)
        last = math.floor((min(until, self.gone) - self.offset) / self.every)
        times = [number * self.every + self.offset for number in range(first, last + 1)]
        return [time for time in times if not self.deaf[0] <= time < self.deaf[1]]

    def counted(self, at: float, share: float, since: float = -math.inf) -> float:
        process = max([self.born, *(one for one in self.restarts if one <= at)])
        return float(math.floor(self.rate * share * max(0.0, at - max(process, since))))

    def of(self, until: float, role: str, share: float, since: float = -math.inf, **labels: str) -> Series | None:
        """A counter's series, from its first event on, as a client library makes it."""
        made = [(time, self.counted(time, share, since)) for time in self.scrapes(until)]
        seen = next((place for place, (_, value) in enumerate(made) if value), len(made))
        kept = made[seen:] if role != "total" else made
        return series(kept, pod=self.name, instance=self.name, **labels) if kept else None


def track(pods: Iterable[Pod], until: float) -> TrackSamples:
    """What is known of pods at a moment (Unix seconds): bad and total, or the kinds of a mix."""
    found: dict[str, list[Series | None]] = {}
    for pod in pods:
        if pod.kinds:
            for kind, share in pod.kinds.items():
                found.setdefault("events", []).append(pod.of(until, "events", share, decision=kind))
            continue
        found.setdefault("bad", []).append(pod.of(until, "bad", pod.bad, pod.bad_since, **BAD))
        found.setdefault("total", []).append(pod.of(until, "total", 1.0))
    return TrackSamples({role: tuple(one for one in several if one is not None) for role, several in found.items()})


def between(known: TrackSamples, start: float, end: float) -> TrackSamples:
    """What a request for start < time <= end brings."""
    cut = {
        role: tuple(
            Series(one.labels, tuple(sample for sample in one.samples if start < sample.time <= end)) for one in several
        )
        for role, several in known.series.items()
    }
    return TrackSamples({role: tuple(one for one in several if one.samples) for role, several in cut.items()})


def fetched(canary: Sequence[Pod], stable: Sequence[Pod], start: float, end: float) -> Evidence:
    return Evidence(between(track(canary, end), start, end), between(track(stable, end), start, end))


def look(trial: Trial, canary: Sequence[Pod], stable: Sequence[Pod], now: float, step: int = 1) -> ObjectiveVerdict:
    """One look, as a case does it."""
    first = trial.last == trial.terms.start
    found = fetched(canary, stable, trial.last - (60 if first else 30), now)
    for one in trial.rounds(found, end=now, step=step):
        trial.take(one)
    return trial.verdict(now=now)


def watched(
    trial: Trial, canary: Sequence[Pod], stable: Sequence[Pod], until: float, every: float = 5.0
) -> ObjectiveVerdict:
    """Look again and again until a moment (Unix seconds); returns the last verdict."""
    verdict = trial.verdict(now=trial.last)
    now = trial.last
    while now < until:
        now = min(until, now + every)
        verdict = look(trial, canary, stable, now)
    return verdict
