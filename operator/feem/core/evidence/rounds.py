"""Rounds: what each look at the metrics brought that was new. They are the whole input of a verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass

from feem.core.evidence.samples import Sample, Series, TrackSamples

ROUND_SECONDS = 5.0
"""The length of a round after a pause; with a judge that looks in time, a round is what came since the last look."""
LATE = 2 * ROUND_SECONDS


@dataclass(frozen=True)
class Round:
    """Fresh samples of both tracks until `end` (Unix seconds), taken while the release was in `step` (from 1)."""

    end: float
    step: int
    canary: TrackSamples
    stable: TrackSamples


def rounds(canary: TrackSamples, stable: TrackSamples, *, last: float, end: float, step: int) -> tuple[Round, ...]:
    """Cut what came since `last` into rounds: one, or, after a longer pause, one for each five seconds by sample time.

    So an operator that was away judges by the same rounds as one that was there, nearly: only the cuts may differ.
    Samples from before `last` are in the first round.
    """
    number = math.ceil((end - last) / ROUND_SECONDS) if end - last > LATE else 1
    ends = [last + ROUND_SECONDS * (count + 1) for count in range(number - 1)] + [end]
    tracks = [_apart(track, last, number, end) for track in (canary, stable)]
    return tuple(Round(until, step, *parts) for until, *parts in zip(ends, *tracks, strict=True))


def _apart(track: TrackSamples, last: float, number: int, end: float) -> list[TrackSamples]:
    """Divide a track's samples among rounds; those after `end` are left out."""
    parts: list[dict[str, list[Series]]] = [{} for _ in range(number)]
    for role, series in track.series.items():
        for one in series:
            cut: dict[int, list[Sample]] = {}
            for sample in one.samples:
                if sample.time <= end:
                    place = math.ceil((sample.time - last) / ROUND_SECONDS) - 1
                    cut.setdefault(min(max(place, 0), number - 1), []).append(sample)
            for place, samples in cut.items():
                parts[place].setdefault(role, []).append(Series(one.labels, tuple(samples)))
    return [TrackSamples({role: tuple(series) for role, series in part.items()}) for part in parts]
