"""What the evidence says about a canary: one pure function from samples to a verdict, and how verdicts combine."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from feem.api.release import ObjectiveSnapshot, ObjectiveVerdict, Outcome, TrackCounts
from feem.core.digest import digest_of
from feem.core.evidence.binomial import surely_above
from feem.core.evidence.counter import align, newest, total_increase
from feem.core.evidence.samples import Evidence, Series, TrackSamples
from feem.core.evidence.words import count, percent

STALE_AFTER = 30.0
"""Seconds without a new sample of the canary after which nothing is known about it."""
FEWEST_EVENTS = 20
"""Events of a track below which its ratio says nothing."""
FEWEST_BAD = 3
"""Bad events below which a canary is not called worse: one client's mishap and its retry are no regression."""
MESSAGE_LENGTH = 1024


@dataclass(frozen=True)
class Limits:
    """What a canary is held against, as exact shares of 1."""

    budget: Fraction
    tolerated: Fraction
    """The larger of the budget and the tolerated multiple of stable's ratio."""


def judge(objective: ObjectiveSnapshot, evidence: Evidence, *, start: float, now: float) -> ObjectiveVerdict:
    """Judge the canary by what both tracks served between `start` and `now` (Unix seconds).

    Fail needs confidence (exact binomial, 0.5%) that the canary is above its budget and above the tolerated multiple of
    stable's ratio; Pass needs the objective's minimum samples; missing, old or few data are Inconclusive, never Pass.
    Counts are rounded to whole events, half up: counters hold floats, and weighted events may be fractions.
    """
    unusable = why_unusable(objective, evidence, now)
    if unusable:
        return verdict(objective, Outcome.INCONCLUSIVE, *unusable)
    canary = counts(evidence.canary, start, now)
    stable = counts(evidence.stable, start, now)
    disagreeing = next(
        (name for name, track in (("canary", canary), ("stable", stable)) if track.bad > track.total), ""
    )
    if disagreeing:
        message = (
            f"{figures(canary, stable)}; the {disagreeing} has more bad events than events: check that what the bad "
            f"query counts is among what the total query counts"
        )
        return verdict(objective, Outcome.INCONCLUSIVE, "CountsDisagree", message, canary, stable)
    return weigh(objective, canary, stable)


def why_unusable(objective: ObjectiveSnapshot, evidence: Evidence, now: float) -> tuple[str, str] | None:
    """Return reason and message when there is nothing to judge by."""
    if evidence.problem:
        return "MetricsUnavailable", evidence.problem
    latest = newest((*evidence.canary.total, *evidence.canary.bad))
    if newest(evidence.canary.total) is None or latest is None:
        query = objective.indicator.ratio.total
        return (
            "NoData",
            f"no samples of the canary's pods for {query}: check the query, and that Prometheus scrapes them",
        )
    if now - latest > STALE_AFTER:
        return "StaleData", (
            f"the canary's newest sample is {now - latest:.0f} s old, {STALE_AFTER:.0f} s at most can be judged: check "
            f"that Prometheus still scrapes its pods, every 15 s or more often"
        )
    return None


def counts(track: TrackSamples, start: float, end: float) -> TrackCounts:
    """Return a track's whole events.

    A bad event is an event: where a scrape fell between a service's two counters and bad is ahead by a little, the total
    is raised to it. Being ahead by more is left to be seen.
    """
    bad_series = align(track.bad, track.total)
    total = whole(total_increase(track.total, start, end, witnesses=bad_series))
    bad = whole(total_increase(bad_series, start, end, witnesses=track.total))
    if total < bad <= total + 10 + total // 100:
        total = bad
    return TrackCounts(total=total, bad=bad)


def whole(value: float) -> int:
    """Round to whole events, half up."""
    return math.floor(value + 0.5)


def weigh(objective: ObjectiveSnapshot, canary: TrackCounts, stable: TrackCounts) -> ObjectiveVerdict:
    """Compare the two tracks' counts with the objective and with each other."""
    limits = limits_of(objective, stable)
    comparable = stable.total >= FEWEST_EVENTS
    shown = f"{figures(canary, stable)}; tolerated {percent(limits.tolerated)}"
    minimum = objective.canary.minimum_samples
    if canary.total < min(FEWEST_EVENTS, minimum):
        needed = f"at least {count(min(FEWEST_EVENTS, minimum))} are needed to say anything"
        return verdict(objective, Outcome.INCONCLUSIVE, "TooFewSamples", f"{shown}; {needed}", canary, stable)
    if (
        canary.total >= FEWEST_EVENTS
        and canary.bad >= FEWEST_BAD
        and surely_above(canary.bad, canary.total, limits.tolerated)
    ):
        return verdict(objective, Outcome.FAIL, "ErrorRatioAboveStable", shown, canary, stable)
    if comparable and above(canary, limits.budget) and above(stable, limits.budget):
        both = f"both tracks are above the budget of {percent(limits.budget)}, the canary is not to blame"
        return verdict(objective, Outcome.INCONCLUSIVE, "SharedDegradation", f"{shown}; {both}", canary, stable)
    accepted = limits.tolerated if comparable else limits.budget
    if canary.total >= minimum and not above(canary, accepted):
        return verdict(objective, Outcome.PASS, "WithinObjective", shown, canary, stable)
    return verdict(
        objective, Outcome.INCONCLUSIVE, "NotEnoughEvidence", f"{shown}; {wanting(canary, minimum)}", canary, stable
    )


def wanting(canary: TrackCounts, minimum: int) -> str:
    """Say what a verdict still waits for."""
    if canary.total < minimum:
        return f"{count(minimum)} events are needed to pass"
    return "too high to pass, too few bad events to be sure it is worse"


def limits_of(objective: ObjectiveSnapshot, stable: TrackCounts) -> Limits:
    """Return the budget and the tolerated ratio, exactly; without stable traffic only the budget counts."""
    budget = 1 - Fraction(objective.objective) / 100
    risk = max(Fraction(1), Fraction(objective.canary.tolerated_relative_risk))
    beside_stable = risk * Fraction(stable.bad, stable.total) if stable.total else Fraction(0)
    return Limits(budget=budget, tolerated=min(Fraction(1), max(budget, beside_stable)))


def above(track: TrackCounts, limit: Fraction) -> bool:
    """Say whether a track's bad share exceeds a limit."""
    return track.bad > track.total * limit


def figures(canary: TrackCounts, stable: TrackCounts) -> str:
    """Say what both tracks served: `canary 5.2% bad (26 of 500), stable 0.0% (0 of 4,490)`."""
    return f"canary {share(canary, ' bad')}, stable {share(stable, '')}"


def share(track: TrackCounts, noun: str) -> str:
    """Say how much of a track's traffic was bad."""
    if not track.total:
        return "served nothing" if not track.bad else f"{count(track.bad)} bad of 0"
    return f"{percent(Fraction(track.bad, track.total))}{noun} ({count(track.bad)} of {count(track.total)})"


def verdict(
    objective: ObjectiveSnapshot,
    outcome: Outcome,
    reason: str,
    message: str,
    canary: TrackCounts | None = None,
    stable: TrackCounts | None = None,
) -> ObjectiveVerdict:
    """Put a verdict together; a message that is too long for the status loses its end."""
    if len(message) > MESSAGE_LENGTH:
        message = message[: MESSAGE_LENGTH - 1] + "…"
    return ObjectiveVerdict(
        name=objective.name, outcome=outcome, reason=reason, message=message, canary=canary, stable=stable
    )


def combine(verdicts: Iterable[ObjectiveVerdict]) -> Outcome:
    """Return what all objectives say together: the worst one speaks, and no objective is no proof."""
    outcomes = {one.outcome for one in verdicts}
    if Outcome.FAIL in outcomes:
        return Outcome.FAIL
    return Outcome.PASS if outcomes == {Outcome.PASS} else Outcome.INCONCLUSIVE


def evidence_digest(evidence: Evidence) -> str:
    """Return `sha256:<hex>` over the raw samples (RFC 8785), for the audit log; the order of series does not matter."""
    tracks = {"canary": evidence.canary, "stable": evidence.stable}
    return digest_of(
        {
            "problem": evidence.problem,
            **{name: {"bad": plain(track.bad), "total": plain(track.total)} for name, track in tracks.items()},
        }
    )


def plain(series: Iterable[Series]) -> list[dict[str, object]]:
    """Return series as JSON; JSON knows no NaN and no infinity, so these are text."""
    ordered = sorted(series, key=lambda one: (one.labels, [(s.time, repr(s.value)) for s in one.samples]))
    return [
        {
            "labels": dict(one.labels),
            "samples": [[s.time, s.value if math.isfinite(s.value) else str(s.value)] for s in one.samples],
        }
        for one in ordered
    ]
