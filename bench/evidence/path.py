"""From scraped samples to the verdict: what happens to a release when pods and Prometheus misbehave."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bench.evidence.feem_judge import ALPHA
from bench.evidence.pods import OVERLAP, SCRAPE, Pod, ShareAt, fetched, fleet
from feem.api.indicator import RatioIndicator
from feem.api.objective import CanarySettings, Indicator
from feem.api.release import ObjectiveSnapshot, ObjectiveVerdict, Outcome
from feem.core.evidence.samples import Evidence
from feem.core.evidence.terms import Terms
from feem.core.evidence.trial import Trial

LENGTH = 1200
"""Seconds of a simulated release."""
BEFORE = 60.0
"""Seconds for which stable's pods were scraped before the release; the canary's were for 15."""
BASE = 0.001
OBJECTIVE = "99.5"
TURNS_BAD = 400.0
"""Seconds after which a canary that turns bad does so: while Prometheus is away."""
OUTAGE = (300.0, 900.0)
"""When Prometheus is away: ten minutes."""


@dataclass(frozen=True)
class Scenario:
    """One story. Rates are requests a second of both tracks; the shares of bad requests are of each track's pods."""

    name: str
    rate: float = 100.0
    weight: float = 0.1
    canary_pods: int = 1
    canary: float = BASE
    stable: float = BASE
    bad_canary_pod: float = 0.0
    bad_stable_pod: float = 0.0
    """The share of bad requests of one pod of that track; 0: it is like the others."""
    turns: float = 0.0
    """The canary's share of bad requests from `TURNS_BAD` on; 0: it stays."""
    restarts_every: float = 0.0
    outage: str = ""
    """`down`: Prometheus does not scrape; `unreachable`: it does, but does not answer."""


SCENARIOS = (
    Scenario("pods restart every 5 min, harmless", restarts_every=300),
    Scenario("pods restart every 5 min, canary x10", restarts_every=300, canary=10 * BASE),
    Scenario("one of ten stable pods bad (10%)", bad_stable_pod=0.1),
    Scenario("one of ten canary pods bad (10%)", canary_pods=10, weight=0.5, bad_canary_pod=0.1),
    Scenario("both tracks bad (5%)", canary=0.05, stable=0.05),
    Scenario("Prometheus down 10 min, harmless", outage="down"),
    Scenario("Prometheus unreachable 10 min, harmless", outage="unreachable"),
    Scenario("Prometheus down 10 min, canary turns bad meanwhile", turns=10 * BASE, outage="down"),
    Scenario("Prometheus unreachable 10 min, canary turns bad meanwhile", turns=10 * BASE, outage="unreachable"),
    Scenario("1 request a minute, harmless", rate=1 / 60),
    Scenario("1 request a minute, canary all bad", rate=1 / 60, canary=1.0),
)


@dataclass(frozen=True)
class Story:
    """What was seen in one run."""

    rolled_back: float | None
    """Seconds until the verdict Fail; a release would end there."""
    during: tuple[str, ...]
    """Reasons while Prometheus was away."""
    last: ObjectiveVerdict
    reasons: tuple[str, ...]
    counted: float
    """Requests that the verdict counts, over those that were served since the release began."""


def objective() -> ObjectiveSnapshot:
    """Return an objective over two counters."""
    ratio = RatioIndicator(bad='http_requests_total{code="500"}', total="http_requests_total")
    return ObjectiveSnapshot(
        name="errors", objective=OBJECTIVE, indicator=Indicator(ratio=ratio), canary=CanarySettings(dispersion="1")
    )


def pods_of(scenario: Scenario) -> tuple[list[Pod], list[Pod]]:
    """Return the pods of both tracks."""
    one, rate = scenario, scenario.rate
    canary = fleet("canary", one.canary_pods, rate * one.weight, share_of(one), -15.0, one.restarts_every)
    stable = fleet("stable", 10, rate * (1 - one.weight), steady(one.stable), -BEFORE, one.restarts_every)
    if one.bad_canary_pod:
        canary[0].share = steady(one.bad_canary_pod)
    if one.bad_stable_pod:
        stable[0].share = steady(one.bad_stable_pod)
    return canary, stable


def share_of(scenario: Scenario) -> ShareAt:
    """Return the canary's share of bad requests over time."""
    if not scenario.turns:
        return steady(scenario.canary)
    return lambda time: scenario.turns if time >= TURNS_BAD else scenario.canary


def steady(share: float) -> ShareAt:
    """Return a share that stays."""
    return lambda _time: share


def play(scenario: Scenario, random: np.random.Generator) -> Story:
    """Play one release: every five seconds fetch, count, judge; stop at Fail."""
    canary, stable = pods_of(scenario)
    trial = Trial(Terms(objective(), start=0.0, alpha=ALPHA))
    reasons: dict[str, None] = {}
    during: dict[str, None] = {}
    given = None
    for now in looks(scenario, canary, stable, random):
        away = bool(scenario.outage) and OUTAGE[0] <= now < OUTAGE[1]
        if away:
            given = trial.verdict(now=now, problem="Prometheus does not answer")
            during[f"{given.outcome}/{given.reason}"] = None
            continue
        since = trial.last - OVERLAP
        evidence = Evidence(fetched(canary, since, now), fetched(stable, since, now))
        for one in trial.rounds(evidence, end=now, step=1):
            trial.take(one)
        given = trial.verdict(now=now)
        reasons[given.reason] = None
        if given.outcome is Outcome.FAIL:
            return Story(now, tuple(during), given, tuple(reasons), share_counted(given, canary, stable))
    if given is None:
        raise ValueError("a release without a look")
    return Story(None, tuple(during), given, tuple(reasons), share_counted(given, canary, stable))


def looks(scenario: Scenario, canary: list[Pod], stable: list[Pod], random: np.random.Generator) -> Iterator[float]:
    """Let all pods serve and be scraped; yield each moment at which the operator looks, which is after the scrapes."""
    for tick in range(-int(BEFORE / SCRAPE), int(LENGTH / SCRAPE)):
        opened = tick * SCRAPE
        silent = scenario.outage == "down" and OUTAGE[0] <= opened < OUTAGE[1]
        for pod in (*canary, *stable):
            if opened >= pod.first:
                pod.scrape(opened + pod.phase, random, heard=not silent)
        if opened >= 0:
            yield opened + SCRAPE


def share_counted(given: ObjectiveVerdict, canary: list[Pod], stable: list[Pod]) -> float:
    """Return how much of what both tracks served the verdict counted."""
    counted = sum(track.total for track in (given.canary, given.stable) if track is not None)
    return counted / max(1, sum(pod.served for pod in (*canary, *stable)))
