"""From rounds of samples to blocks of events: how many of which kind each track had in the same stretch of time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from feem.api.objective import Indicator
from feem.core.evidence.counter import Counter, Target, target_of, usable
from feem.core.evidence.rounds import Round
from feem.core.evidence.samples import Sample, Series, TrackSamples

ALIVE = 30.0
"""Seconds after its last sample for which a scrape target is waited for."""

Labels = tuple[tuple[str, str], ...]
UNSEEN = Counter()
KeyOf = Callable[[str, Labels], str]
"""Which kind of event a series counts, by its role and labels."""


@dataclass(frozen=True)
class Block:
    """Events of both tracks in one stretch of time (Unix seconds), by kind. Counters hold floats, so do blocks."""

    start: float
    end: float
    canary: Mapping[str, float]
    stable: Mapping[str, float]


def key_of(indicator: Indicator) -> KeyOf:
    """Return how an indicator's series are told apart: by role, by a label's value, or by a bucket's edge."""
    mix = indicator.mix
    if mix is None:
        return lambda role, _labels: role
    label = mix.label if mix.label is not None else "le"
    return lambda _role, labels: dict(labels).get(label, "")


class _Track:
    """One track's counters and scrape targets."""

    def __init__(self, start: float, warm_up: float, key: KeyOf) -> None:
        self._start, self._warm_up, self._key = start, warm_up, key
        self._counters: dict[tuple[str, Labels], Counter] = {}
        self._first: dict[Target, float] = {}
        self._last: dict[Target, float] = {}
        self._reported: set[Target] = set()
        self.gains: dict[str, float] = {}
        self.newest = -math.inf

    def fresh(self, track: TrackSamples) -> TrackSamples:
        """Return the samples this track has not been given yet, each series once and in order."""
        found: dict[str, tuple[Series, ...]] = {}
        for role, series in track.series.items():
            joined: dict[Labels, tuple[Sample, ...]] = {}
            for one in series:
                joined[one.labels] = joined.get(one.labels, ()) + one.samples
            known = {labels: self._counters.get((role, labels), UNSEEN).time for labels in joined}
            fresh = {
                labels: tuple(sample for sample in usable(samples) if sample.time > known[labels])
                for labels, samples in joined.items()
            }
            found[role] = tuple(Series(labels, fresh[labels]) for labels in sorted(fresh) if fresh[labels])
        return TrackSamples(found)

    def take(self, track: TrackSamples) -> None:
        """Count fresh samples, in an order that does not depend on how they came: sums of floats do."""
        given = sorted(
            ((role, one, target_of(one)) for role, series in track.series.items() for one in series if one.samples),
            key=lambda item: (item[0], item[1].labels),
        )
        for _role, one, target in given:
            self._first[target] = min(one.samples[0].time, self._first.get(target, math.inf))
        if any((role, one.labels) not in self._counters for role, one, _ in given):
            self._meet(given)
        for role, one, target in given:
            key, warm = self._key(role, one.labels), self._first[target] + self._warm_up
            gain = self._counters[role, one.labels].gain(one.samples, self._start, warm)
            self.gains[key] = self.gains.get(key, 0.0) + gain
            last = one.samples[-1].time
            self._last[target] = max(last, self._last.get(target, -math.inf))
            self.newest = max(self.newest, last)
            if last > self._start:
                self._reported.add(target)

    def _meet(self, given: Sequence[tuple[str, Series, Target]]) -> None:
        """Make the counters that are new; one whose target was scraped before was born after that."""
        scrapes = {target: {self._first[target], self._last.get(target, math.inf)} for _, _, target in given}
        for _role, one, target in given:
            scrapes[target].update(sample.time for sample in one.samples)
        for role, one, target in given:
            if (role, one.labels) not in self._counters:
                earlier = [time for time in scrapes[target] if time < one.samples[0].time]
                self._counters[role, one.labels] = Counter(born=max(earlier, default=None))

    def missing(self, now: float) -> bool:
        """Say whether a live target has not reported since the last block."""
        return any(now - last <= ALIVE and target not in self._reported for target, last in self._last.items())

    def live(self, now: float) -> bool:
        """Say whether any target reported lately."""
        return now - self.newest <= ALIVE

    def close(self) -> Mapping[str, float]:
        """Hand over what was counted since the last block."""
        gains, self.gains = self.gains, {}
        self._reported.clear()
        return gains


class Tally:
    """Counts rounds and closes blocks. Events count from `start` (Unix seconds).

    Those of a new pod count from the scrape on that comes `warm_up` seconds after its first, or later.

    A block is closed when every live pod of both tracks has reported, so that each block holds whole scrapes of all
    of them: a block with the canary's events and only some of stable's pods would compare with a stable that is not
    there. It waits 30 s for the last one, unless nothing is compared (`waits` False): where pods are killed on purpose, nothing
    shall be waited for. When it closes depends on which pods were scraped, never on what they counted,
    so it does not touch the validity of a sequential test over blocks.
    """

    def __init__(self, indicator: Indicator, *, start: float, warm_up: float, waits: bool = True) -> None:
        self._waits = waits
        key = key_of(indicator)
        self.canary, self.stable = _Track(start, warm_up, key), _Track(start, warm_up, key)
        self._opened = start

    def take(self, one: Round) -> Block | None:
        """Count a round; returns a block when it completes one."""
        self.canary.take(one.canary)
        self.stable.take(one.stable)
        if not self.canary.live(one.end):
            return None
        waiting = self.canary.missing(one.end) or (self.stable.live(one.end) and self.stable.missing(one.end))
        if self._waits and waiting and one.end - self._opened < ALIVE:
            return None
        block = Block(self._opened, one.end, self.canary.close(), self.stable.close())
        self._opened = one.end
        return block
