# ruff: noqa: ARG002 - the signatures are those of what is simulated
"""A metrics server of the world: requests by the second, errors by what the world says, and the effect of a fault."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import datetime

from feem.api.objective import Indicator
from feem.core.chaos.snapshot import Reading
from feem.core.evidence.samples import Evidence, Sample, SampleRequest, Series, TrackSamples
from feem.ports import Burn, QueryProblem

RATE = 100.0


class Metrics:
    """The ports `Metrics` and `Probing`. `errors` are (from when, share of the requests that fail), in the order of time."""

    def __init__(self, now: Callable[[], datetime], effect: Callable[[], float]) -> None:
        self._now, self._effect = now, effect
        self.errors: list[tuple[float, float]] = [(0.0, 0.0)]
        self.down = False

    def fail(self, share: float) -> None:
        """From now on, this share of the requests fails."""
        self.errors.append((self._now().timestamp(), share))

    async def samples(self, request: SampleRequest) -> Evidence:
        if self.down:
            return Evidence(problem="the metrics server did not answer")
        times = [float(second) for second in range(math.floor(request.start) + 1, math.floor(request.end) + 1)]
        labels = (("namespace", request.namespace), ("pod", "all"))
        bad = Series(labels, tuple(Sample(time, self._bad(time)) for time in times))
        total = Series(labels, tuple(Sample(time, RATE * time) for time in times))
        return Evidence(TrackSamples({"bad": (bad,), "total": (total,)}))

    async def value(self, query: str) -> Reading:
        return Reading(problem="the metrics server did not answer") if self.down else Reading(self._effect())

    async def burn(self, indicator: Indicator, namespace: str, windows: Sequence[str]) -> Burn:
        return Burn(problem="nobody asks for it in this world")

    async def exists(self, indicator: Indicator, namespace: str) -> QueryProblem | None:
        return None

    def check(self, indicator: Indicator) -> QueryProblem | None:
        return None

    def _bad(self, at: float) -> float:
        ends = [since for since, _ in self.errors[1:]] + [at]
        spans = zip(self.errors, ends, strict=True)
        return sum(max(0.0, min(end, at) - since) * RATE * share for (since, share), end in spans)
