"""Axes: where a moment or a value is drawn, and which of them are written beside the plot."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

TICK_SECONDS = (
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    7200,
    10800,
    21600,
    43200,
    86400,
    172800,
    604800,
)
APART = 62.0
"""Pixels between two times that are written."""
TOO_LONG = 0.45
"""The part of the axis from which on a stretch without events is drawn shorter."""
SHORTENED = 0.12
"""The part of the axis that it then takes."""
MOST_BREAKS = 3


@dataclass(frozen=True)
class Break:
    """A stretch that is drawn shorter than it was, by its edges in pixels, and how long it was in seconds."""

    left: float
    right: float
    seconds: float


class TimeAxis:
    """Places Unix seconds between two pixels; long stretches in which nothing happened are shortened."""

    def __init__(
        self, moments: Iterable[float], left: float, right: float, whole: Sequence[tuple[float, float]] = ()
    ) -> None:
        """Span the moments, which are those at which something happened; at least a second is shown.

        `whole` are stretches (Unix seconds, start and end) that are drawn as long as they were.
        """
        known = sorted(set(moments)) or [0.0]
        if known[-1] - known[0] < 1:
            known = [known[0], known[0] + 1]
        gaps = [later - earlier for earlier, later in itertools.pairwise(known)]
        empty = {
            at
            for at, (start, end) in enumerate(itertools.pairwise(known))
            if not any(first < end and start < last for first, last in whole)
        }
        shown, self._short = _shortened(gaps, empty)
        scale = (right - left) / sum(shown)
        self._moments, self._places = known, [left]
        for gap in shown:
            self._places.append(self._places[-1] + gap * scale)
        self.start, self.end, self.left, self.right = known[0], known[-1], left, right

    def x(self, at: float) -> float:
        """Return where a moment is drawn; one outside of the axis is drawn at its edge."""
        at = min(max(at, self.start), self.end)
        place = min(bisect_right(self._moments, at), len(self._moments) - 1)
        before, after = self._moments[place - 1], self._moments[place]
        share = (at - before) / (after - before)
        return self._places[place - 1] + share * (self._places[place] - self._places[place - 1])

    @property
    def breaks(self) -> list[Break]:
        """The stretches that were shortened."""
        return [
            Break(self._places[at], self._places[at + 1], self._moments[at + 1] - self._moments[at])
            for at in sorted(self._short)
        ]

    def ticks(self) -> list[tuple[float, str]]:
        """Return the pixels and the texts of the times that are written: the day where it changes, else the time of day."""
        if not self._short:
            return self._between(self.left, self.right, self.start, self.end)
        edges = [0, *(edge for at in sorted(self._short) for edge in (at, at + 1)), len(self._places) - 1]
        found: list[tuple[float, str]] = []
        for first, last in zip(edges[::2], edges[1::2], strict=True):
            part = self._between(
                self._places[first], self._places[last], self._moments[first], self._moments[last]
            ) or [(self._places[first], _time(self._moments[first], 1))]
            found += [one for one in part if not found or one[0] - found[-1][0] >= APART]
        return found

    @staticmethod
    def _between(left: float, right: float, start: float, end: float) -> list[tuple[float, str]]:
        if end <= start:
            return []
        scale = (right - left) / (end - start)
        step = next((one for one in TICK_SECONDS if one * scale >= APART), TICK_SECONDS[-1])
        first = math.ceil(start / step)
        return [
            (left + (at * step - start) * scale, _time(at * step, step))
            for at in range(first, math.floor(end / step) + 1)
        ]


def _shortened(gaps: Sequence[float], empty: set[int]) -> tuple[list[float], set[int]]:
    """Return how long each gap is drawn, and which of those that are empty shorter than it was."""
    shown, short = list(gaps), set[int]()
    while len(short) < MOST_BREAKS and empty - short:
        longest = max(sorted(empty - short), key=lambda at: shown[at])
        rest = sum(gap for at, gap in enumerate(shown) if at not in short and at != longest)
        if shown[longest] <= TOO_LONG * sum(shown) or rest <= 0:
            break
        short.add(longest)
        for at in short:
            shown[at] = 0.0
        each = sum(shown) * SHORTENED / (1 - SHORTENED * len(short))
        for at in short:
            shown[at] = each
    return shown, short


def _time(at: float, step: float) -> str:
    read = datetime.fromtimestamp(at, UTC)
    if step >= 86400:
        return read.strftime("%m-%d")
    return read.strftime("%H:%M" if step >= 60 else "%H:%M:%S")


@dataclass(frozen=True)
class Scale:
    """A linear axis of values: `low` is drawn at the pixel `bottom`, `high` at `top`."""

    low: float
    high: float
    bottom: float
    top: float

    def y(self, value: float) -> float:
        """Return where a value is drawn."""
        return self.bottom - (value - self.low) / (self.high - self.low) * (self.bottom - self.top)

    def ticks(self, most: int = 5) -> list[tuple[float, str]]:
        """Return the pixels and texts of round values."""
        step = _round_step((self.high - self.low) / most)
        decimals = max(0, -math.floor(math.log10(step) + 1e-9))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [(self.y(at * step), f"{at * step:,.{decimals}f}") for at in range(first, last + 1)]


def _round_step(wanted: float) -> float:
    """Return the next larger of 1, 2, 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(wanted))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= wanted * (1 - 1e-9))


def spoken(seconds: float) -> str:
    """Say how long something took: `41 s`, `12 min 5 s`, `3 h 4 min`, `2 d 5 h`."""
    whole = max(0, round(seconds))
    for unit, name, smaller, small in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= unit:
            rest = whole % unit // smaller
            return f"{whole // unit} {name}" + (f" {rest} {small}" if rest else "")
    return f"{whole} s"
