"""Simulated pods with counters, scraped as Prometheus does it: what a trial gets to see, sample by sample."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from feem.core.evidence.samples import Sample, Series, TrackSamples

SCRAPE = 5.0
"""Seconds between two scrapes of a pod."""
OVERLAP = 15.0
"""Seconds of samples that each look fetches again, as an operator does that must not miss one."""

ShareAt = Callable[[float], float]
"""The share of bad requests at a moment (seconds since the release began)."""


@dataclass
class Pod:
    """One pod: its requests a second, its share of bad ones, when it was first scraped, how often it restarts."""

    name: str
    rate: float
    share: ShareAt
    first: float
    phase: float
    restarts_every: float = 0.0
    good: float = 0.0
    bad: float = 0.0
    served: int = 0
    """Requests that a scrape saw, since the release began: what an honest count comes to."""
    samples: dict[str, list[Sample]] = field(default_factory=lambda: {"200": [], "500": []})

    def scrape(self, time: float, random: np.random.Generator, *, heard: bool) -> None:
        """Serve for one scrape interval, perhaps restart in it, and be scraped at its end if anybody listens."""
        if self.restarts_every and random.random() < SCRAPE / self.restarts_every:
            self.good = self.bad = 0.0
        requests = int(random.poisson(self.rate * SCRAPE))
        bad = int(random.binomial(requests, self.share(time)))
        self.good += requests - bad
        self.bad += bad
        self.served += requests if time > 0 else 0
        if heard:
            self.samples["200"].append(Sample(time, self.good))
            if self.bad or self.samples["500"]:  # a client library makes a counter when it first counts
                self.samples["500"].append(Sample(time, self.bad))

    def series(self, code: str, start: float, end: float) -> Series | None:
        """Return the samples of one counter later than `start` and until `end`."""
        kept = []
        for sample in reversed(self.samples[code]):
            if sample.time <= start:
                break
            if sample.time <= end:
                kept.append(sample)
        labels = (("code", code), ("instance", f"{self.name}:8080"), ("job", "loans"), ("pod", self.name))
        return Series(labels, tuple(reversed(kept))) if kept else None


def fleet(track: str, number: int, rate: float, share: ShareAt, first: float, restarts_every: float = 0.0) -> list[Pod]:
    """Return the pods of one track, which divide its requests a second evenly; each is scraped at its own phase."""
    return [
        Pod(f"{track}-{at}", rate / number, share, first, phase=SCRAPE * at / number, restarts_every=restarts_every)
        for at in range(number)
    ]


def fetched(pods: Iterable[Pod], start: float, end: float) -> TrackSamples:
    """Return what a ratio's two queries bring: `bad` (code 500) and `total` (all codes)."""
    found = {code: [one for pod in pods if (one := pod.series(code, start, end))] for code in ("200", "500")}
    return TrackSamples({"bad": tuple(found["500"]), "total": (*found["200"], *found["500"])})
