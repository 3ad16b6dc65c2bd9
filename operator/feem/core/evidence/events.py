"""Whole events out of what counters say, block by block."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from feem.api.objective import Indicator

RECENT = 300.0
"""Seconds that count as now when both tracks are asked whether they do well."""


@dataclass(frozen=True)
class Events:
    """Events of one track, and the bad ones among them."""

    bad: int = 0
    total: int = 0

    def __add__(self, other: Events) -> Events:
        return Events(self.bad + other.bad, self.total + other.total)


def whole(value: float) -> int:
    """Round to whole events, half up."""
    return math.floor(value + 0.5)


def counts_good(indicator: Indicator) -> bool:
    """Say whether an indicator counts good events (a latency the fast ones) rather than bad ones."""
    return indicator.latency is not None or (indicator.ratio is not None and indicator.ratio.good is not None)


class Whole:
    """Turns growing floats into whole increments, so that their sum is never off by more than one half."""

    __slots__ = ("given", "seen")

    def __init__(self) -> None:
        self.seen, self.given = 0.0, 0

    def add(self, gain: float, most: int | None = None) -> int:
        """Return the whole events that are due, at most `most`; the rest is due in the next block. Never negative."""
        self.seen += gain
        due = max(0, whole(self.seen) - self.given)
        if most is not None:
            due = min(due, most)
        self.given += due
        return due


class TrackEvents:
    """Bad and all events of one track. Where a scrape fell between a service's two counters, bad waits for the total."""

    def __init__(self, *, counts_good: bool) -> None:
        """Start at nothing; with `counts_good` the roles are `good` or `fast`, and `total`, else `bad` and `total`."""
        self._counts_good = counts_good
        self._bad, self._total = Whole(), Whole()
        self.all = Events()
        self._recent: deque[tuple[float, Events]] = deque()

    def add(self, gains: Mapping[str, float], at: float) -> Events:
        """Count a block that ended `at` (Unix seconds), by role."""
        total = gains.get("total", 0.0)
        bad = gains.get("bad", 0.0)
        if self._counts_good:
            bad = total - gains.get("good", 0.0) - gains.get("fast", 0.0)
        due = self._total.add(total)
        found = Events(self._bad.add(bad, due), due)
        self.all += found
        self._recent.append((at, found))
        while self._recent[0][0] < at - RECENT:
            self._recent.popleft()
        return found

    def recent(self) -> Events:
        """Return the events of the last five minutes."""
        return sum((found for _, found in self._recent), Events())

    def disagree(self) -> bool:
        """Say whether there were more bad events than events (or more good ones), by more than a scrape in between explains."""
        slack = 10 + self._total.seen / 100
        return self._bad.seen - self._total.seen > slack or -self._bad.seen > slack

    def raw(self) -> Events:
        """Return what the counters said, for when they disagree."""
        return Events(whole(self._bad.seen), whole(self._total.seen))
