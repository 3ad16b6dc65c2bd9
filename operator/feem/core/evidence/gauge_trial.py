"""The trial of a gauge: a value with a bound. A fixed rule, and no test: it spends nothing of alpha."""

from __future__ import annotations

import math
from dataclasses import dataclass

from feem.api.indicator import GaugeIndicator
from feem.api.release import Outcome, TrackCounts
from feem.core.evidence.finding import Finding, inconclusive
from feem.core.evidence.rounds import Round
from feem.core.evidence.samples import Series, TrackSamples
from feem.core.evidence.terms import Terms
from feem.core.evidence.words import duration

UNBROKEN = 30.0
"""Seconds between two values up to which the time between them is known, too."""


@dataclass
class Value:
    """One track's newest value, and since when it is out of bounds without a break (Unix seconds)."""

    time: float = -math.inf
    value: float = math.nan
    out_since: float | None = None


class GaugeTrial:
    """Holds the canary's value against the bound, and against stable's, round by round."""

    def __init__(self, terms: Terms) -> None:
        gauge = terms.objective.indicator.gauge
        if gauge is None:
            raise ValueError(f"objective {terms.objective.name} is no gauge")
        self._terms, self._gauge = terms, gauge
        self._canary, self._stable = Value(), Value()

    @property
    def newest(self) -> float:
        """The time of the canary's newest value (Unix seconds)."""
        return self._canary.time

    def fresh(self, canary: TrackSamples, stable: TrackSamples) -> tuple[TrackSamples, TrackSamples]:
        """Return the values that are new: finite, after the start, and later than the newest known."""
        return _newer(canary, self._floor(self._canary)), _newer(stable, self._floor(self._stable))

    def take(self, one: Round) -> None:
        """Read both tracks' values of a round."""
        for value, track in ((self._canary, one.canary), (self._stable, one.stable)):
            self._read(value, track)

    def finding(self) -> Finding:
        """Say what the values mean now."""
        canary, stable = self._canary, self._stable
        if math.isnan(canary.value):
            return inconclusive("NoData", f"{self._gauge.query} gives no value for the canary's pods: check the query")
        shown = f"canary {plain(canary.value)}, stable {plain(stable.value)}; {bounds(self._gauge)}"
        figures = (
            TrackCounts(total=1, rate=plain(canary.value)),
            TrackCounts(total=1, rate=plain(stable.value)) if not math.isnan(stable.value) else None,
        )
        if canary.out_since is None:
            return Finding(Outcome.PASS, "WithinBounds", shown, *figures)
        if stable.out_since is not None and canary.time - stable.time <= UNBROKEN:
            text = f"{shown}; both tracks are out of bounds, so the canary is not to blame"
            return Finding(Outcome.INCONCLUSIVE, "SharedDegradation", text, *figures)
        lasted = canary.time - canary.out_since
        if lasted >= self._gauge.breach_seconds:
            return Finding(Outcome.FAIL, "GaugeOutOfBounds", f"{shown}; out of bounds for {duration(lasted)}", *figures)
        text = f"{shown}; out of bounds for {duration(lasted)} of {duration(self._gauge.breach_seconds)}"
        return Finding(Outcome.INCONCLUSIVE, "NotEnoughEvidence", text, *figures)

    def _read(self, value: Value, track: TrackSamples) -> None:
        for one in _newer(track, self._floor(value)).series.get("value", ()):
            for sample in one.samples:
                broken = value.out_since is None or sample.time - value.time > UNBROKEN
                since = sample.time if broken else value.out_since
                value.time, value.value = sample.time, sample.value
                value.out_since = None if is_within(self._gauge, sample.value) else since

    def _floor(self, value: Value) -> float:
        return max(value.time, self._terms.start)


def _newer(track: TrackSamples, floor: float) -> TrackSamples:
    """Return a track's finite values later than `floor` (Unix seconds), by time."""
    values = {
        (sample.time, sample.value): sample
        for one in track.series.get("value", ())
        for sample in one.samples
        if math.isfinite(sample.value) and floor < sample.time < math.inf
    }
    return TrackSamples({"value": (Series((), tuple(values[key] for key in sorted(values))),)} if values else {})


def is_within(gauge: GaugeIndicator, value: float) -> bool:
    """Say whether a value is good."""
    return (gauge.min is None or value >= float(gauge.min)) and (gauge.max is None or value <= float(gauge.max))


def bounds(gauge: GaugeIndicator) -> str:
    """Say what is good: `good is at most 100`."""
    if gauge.min is None:
        return f"good is at most {gauge.max}"
    return f"good is at least {gauge.min}" + (f" and at most {gauge.max}" if gauge.max is not None else "")


def plain(value: float) -> str:
    """Write a value without needless digits."""
    return "none" if math.isnan(value) else f"{value:.6g}"
