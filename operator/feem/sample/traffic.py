"""Seeded traffic and what is judged of it: each request is drawn, tapes and verdicts are those of the real judge."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from feem.api.indicator import GaugeIndicator, LatencyIndicator, MixIndicator, RatioIndicator
from feem.api.objective import CanarySettings, Category, Indicator
from feem.api.release import ObjectiveSnapshot, ObjectiveVerdict, Outcome
from feem.core.evidence.samples import Evidence, Sample, Series, TrackSamples
from feem.core.evidence.tape import Tape
from feem.core.evidence.terms import Terms, alphas
from feem.core.evidence.trial import Trial, combine

SERVICE, NAME = "limit-scoring", "limit-scoring-7"
STARTED = datetime(2026, 11, 23, 9, 49, 31, 204_000, tzinfo=UTC)
PLAN: dict[str, Any] = {
    "steps": [{"weight": 10, "bakeSeconds": 120}, {"weight": 50, "bakeSeconds": 180}],
    "alpha": "0.01",
    "watchSeconds": 0,
}
EVERY = 5.0
RATE = 60.0
PODS = {"canary": 1, "stable": 3}
DECISIONS = ("approved", "referred", "rejected")
STABLE_MIX, SHIFTED_MIX = (0.62, 0.23, 0.15), (0.69, 0.18, 0.13)


def objectives() -> tuple[ObjectiveSnapshot, ...]:
    """Return one objective of each kind."""
    ratio = RatioIndicator(bad='http_requests_total{code=~"5.."}', total="http_requests_total")
    latency = LatencyIndicator(histogram="credit_decision_duration_seconds", threshold="0.2")
    mix = MixIndicator(counter="credit_decisions_total", label="decision", tolerated_shift="0.03")
    gauge = GaugeIndicator(query="max(review_queue_depth)", max="80")
    return (
        _objective("answers", "An application gets a decision, not an error", Indicator(ratio=ratio), "99.5"),
        _objective("speed", "A decision takes at most a fifth of a second", Indicator(latency=latency), "99"),
        _objective(
            "decisions",
            "A new version approves, refers and rejects the same shares of applicants",
            Indicator(mix=mix),
            category=Category.BUSINESS,
        ),
        _objective("queue", "Reviewers are not swamped", Indicator(gauge=gauge), category=Category.BUSINESS),
    )


def _objective(
    name: str,
    description: str,
    indicator: Indicator,
    target: str | None = None,
    category: Category = Category.TECHNICAL,
) -> ObjectiveSnapshot:
    share = 2 if indicator.mix is not None or indicator.ratio is not None else 1
    return ObjectiveSnapshot(
        name=f"{SERVICE}-{name}",
        description=description,
        category=category,
        objective=target,
        indicator=indicator,
        canary=CanarySettings(
            warm_up_seconds=0, alpha_share=share, tolerated_relative_risk="1.5", minimum_samples=100, dispersion="1"
        ),
    )


class Traffic:
    """What pods count: each request is drawn, so figures scatter as they do in production."""

    def __init__(self, seed: int, *, good: bool) -> None:
        self._chance, self._good = random.Random(seed), good  # noqa: S311 - samples, not secrets
        self._counts: dict[tuple[str, str, str], int] = {}
        self.series: dict[str, dict[tuple[str, str, str], list[Sample]]] = {"canary": {}, "stable": {}}

    def pass_on(self, at: float, weight: int) -> None:
        """Let five seconds go by in which the canary gets `weight` percent, then scrape all pods."""
        for track, share in (("canary", weight / 100), ("stable", 1 - weight / 100)):
            for _ in range(round(RATE * EVERY * share + self._chance.gauss(0, 3))):
                self._request(track, f"{SERVICE}-{track}-{self._chance.randrange(PODS[track])}")
            depth = 31 + 9 * self._chance.random() + (6 if track == "canary" else 0)
            self.series[track].setdefault(("value", "", ""), []).append(Sample(at, round(depth, 1)))
        for (name, role, kind), count in self._counts.items():
            track = "canary" if "-canary-" in name else "stable"
            self.series[track].setdefault((role, kind, name), []).append(Sample(at, float(count)))

    def _request(self, track: str, pod: str) -> None:
        bad = self._good or track == "stable"
        self._count(pod, "total")
        self._count(pod, "bad", 1 if self._chance.random() < 0.0021 else 0)
        self._count(pod, "fast", 1 if self._chance.random() > (0.0048 if bad else 0.0071) else 0)
        weights = STABLE_MIX if bad else SHIFTED_MIX
        self._count(pod, "events", 1, self._chance.choices(DECISIONS, weights)[0])

    def _count(self, pod: str, role: str, more: int = 1, kind: str = "") -> None:
        self._counts[pod, role, kind] = self._counts.get((pod, role, kind), 0) + more

    def evidence(self, objective: ObjectiveSnapshot, now: float) -> Evidence:
        """What a look at the metrics brings: the samples of the last minute."""
        indicator = objective.indicator
        roles = ("value",) if indicator.gauge else ("events",) if indicator.mix else ("total", "bad")
        roles = ("total", "fast") if indicator.latency else roles
        return Evidence(self._track("canary", roles, now), self._track("stable", roles, now))

    def _track(self, track: str, roles: Sequence[str], now: float) -> TrackSamples:
        found: dict[str, list[Series]] = {}
        for (role, kind, pod), samples in self.series[track].items():
            fresh = tuple(sample for sample in samples if now - 60 < sample.time <= now)
            if role in roles and fresh:
                labels = {"pod": pod, "instance": pod, **({"decision": kind} if kind else {})}
                found.setdefault(role, []).append(Series(tuple(sorted(labels.items())), fresh))
        return TrackSamples({role: tuple(several) for role, several in found.items()})


@dataclass(frozen=True)
class Judged:
    """What a trial led to: the tape, the verdicts at each step's end, and when that was."""

    document: bytes
    digest: str
    verdicts: tuple[ObjectiveVerdict, ...]
    decided: float
    failed: bool


def judged(*, good: bool, seed: int = 7) -> Judged:
    """Judge seeded traffic as a release does, step by step, until a step fails or the last one has baked."""
    start = STARTED.timestamp()
    given = objectives()
    terms = tuple(
        Terms(one, start, alpha, steps=len(PLAN["steps"]))
        for one, alpha in zip(given, alphas(PLAN["alpha"], given), strict=True)
    )
    trials, tape, traffic = [Trial(one) for one in terms], Tape(NAME, terms), Traffic(seed, good=good)
    traffic.pass_on(start - 2, 0)
    now, verdicts = start, tuple[ObjectiveVerdict, ...]()
    for step, planned in enumerate(PLAN["steps"], start=1):
        ends = now + planned["bakeSeconds"]
        while now < ends:
            now += EVERY
            traffic.pass_on(now - 0.4, planned["weight"])
            verdicts = _look(trials, tape, traffic, now, step)
            if combine(verdicts) is Outcome.FAIL:
                return _judged(tape, "RollBack", now, verdicts, failed=True)
    return _judged(tape, "Promote", now, verdicts, failed=False)


def _look(trials: Sequence[Trial], tape: Tape, traffic: Traffic, now: float, step: int) -> tuple[ObjectiveVerdict, ...]:
    for number, trial in enumerate(trials):
        for one in trial.rounds(traffic.evidence(trial.terms.objective, now), end=now, step=step):
            tape.note(number, one)
            trial.take(one)
    return tuple(trial.verdict(now=now) for trial in trials)


def _judged(tape: Tape, action: str, now: float, verdicts: tuple[ObjectiveVerdict, ...], *, failed: bool) -> Judged:
    document = tape.document(action, now, verdicts)
    return Judged(document or b"", tape.digest, verdicts, now, failed)
