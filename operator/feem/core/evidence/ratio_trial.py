"""The trial of a share of bad events: errors among requests, or events slower than a threshold."""

from __future__ import annotations

import math
from fractions import Fraction

from feem.api.release import Outcome, TrackCounts
from feem.core.evidence.binomial import surely_above
from feem.core.evidence.events import RECENT, Events, TrackEvents, counts_good
from feem.core.evidence.finding import Finding
from feem.core.evidence.pace import Pace
from feem.core.evidence.ratio import AgainstObjective, RelativeRisk, log_mean_exp
from feem.core.evidence.staged import Staged
from feem.core.evidence.tally import Block
from feem.core.evidence.terms import Terms
from feem.core.evidence.words import count, e_value, percent, strength

FEWEST_BAD = 3
"""Bad events below which a canary is not called worse: one client's mishap and its retry are no regression."""
REASSURED = math.log(20)
"""From here on the samples say so clearly that the canary is not three times worse that fewer of them do."""
SMALLEST_BUDGET = 1e-6
"""What an objective of 100% allows a test that needs to allow something."""


class RatioTrial:
    """Compares the canary's share of bad events with stable's, and with the objective where stable has no traffic."""

    def __init__(self, terms: Terms) -> None:
        self._terms, objective = terms, terms.objective
        self.latency = objective.indicator.latency
        good = counts_good(objective.indicator)
        self._canary, self._stable = TrackEvents(counts_good=good), TrackEvents(counts_good=good)
        self._tolerated = Fraction(objective.canary.tolerated_relative_risk)
        self._relative = Staged(lambda: RelativeRisk(float(self._tolerated), terms.dispersion), terms.steps)
        self._alone = AgainstObjective(max(float(terms.budget), SMALLEST_BUDGET), terms.dispersion)
        self._pace = Pace(terms.start)
        self._waiting = (Events(), Events())
        self._waits_since = terms.start
        self._alone_for = Events()
        self._peak = 0.0

    def add(self, block: Block, step: int) -> None:
        """Take a block into account."""
        canary, stable = self._canary.add(block.canary, block.end), self._stable.add(block.stable, block.end)
        self._pace.add(canary.total, step, block.end)
        self._relative.begin(step)
        if self._terms.unaccompanied and not stable.total:
            self._alone.add(canary.bad, canary.total)
        else:
            self._compare(canary, stable, block)
        self._peak = max(self._peak, self._log_evidence())

    def finding(self) -> Finding:
        """Say what the blocks so far mean."""
        outcome, reason, doubt = self._decide()
        canary, stable = self._canary.all, self._stable.all
        shown = self.figures(canary, stable)
        message = f"{shown}; {doubt}" if doubt else shown
        return Finding(
            outcome,
            reason,
            message,
            counts(canary),
            counts(stable),
            log_evidence=self._log_evidence(),
            decides=self._pace.wanting(self._terms.objective.canary.minimum_samples),
        )

    def _compare(self, canary: Events, stable: Events, block: Block) -> None:
        """Hold both tracks' events against each other; while one has none, the other's wait for them, up to five minutes.

        How long they wait depends on how many there are, never on how many are bad, so the test stays valid.
        """
        if block.start - self._waits_since > RECENT:
            self._alone_for += self._waiting[0]
            self._waiting = (Events(), Events())
        if not (self._waiting[0].total or self._waiting[1].total):
            self._waits_since = block.start
        canary, stable = self._waiting[0] + canary, self._waiting[1] + stable
        if not (canary.total and stable.total):
            self._waiting = (canary, stable)
            return
        self._waiting = (Events(), Events())
        for test in self._relative.tests:
            test.add(canary.bad, canary.total, stable.bad, stable.total)

    def _decide(self) -> tuple[Outcome, str, str]:
        canary, budget = self._canary.all, self._terms.budget
        certain = self._peak >= math.log(1 / self._terms.alpha) and canary.bad >= FEWEST_BAD
        disagreement = self._disagreement()
        if disagreement:
            return Outcome.INCONCLUSIVE, "CountsDisagree", disagreement
        if certain and (above(canary, budget) or above(self._canary.recent(), budget)):
            return Outcome.FAIL, self._worse(), self._proof()
        doubt = self._doubt()
        if doubt is not None:
            return Outcome.INCONCLUSIVE, *doubt
        if certain:
            text = f"certainly worse than stable, yet within the objective: {self._proof()}"
            return Outcome.PASS, "WorseWithinObjective", text
        return Outcome.PASS, "WithinObjective", ""

    def _disagreement(self) -> str:
        """Say which track has more bad events than events; empty when none has."""
        for name, track in (("canary", self._canary), ("stable", self._stable)):
            if track.disagree():
                raw = track.raw()
                return (
                    f"the {name} has {count(raw.bad)} bad of {count(raw.total)} events: check that what the queries count "
                    f"as bad or good is among what the total counts"
                )
        return ""

    def _doubt(self) -> tuple[str, str] | None:
        """Return reason and message of what keeps a canary from passing that has not failed."""
        canary, budget = self._canary.all, self._terms.budget
        if self._shared():
            text = f"both tracks are outside the objective of {percent(budget)} bad, so the canary is not to blame"
            return "SharedDegradation", text
        wanting = self._pace.wanting(self._terms.objective.canary.minimum_samples)
        if wanting and not self._reassured():
            return "TooFewSamples", wanting
        if not above(canary, self._accepted()):
            return None
        if self._log_evidence() > 0:
            return "NotEnoughEvidence", f"too high to pass, not sure enough to fail: {self._proof()}"
        alone = self._alone_for + self._waiting[0]
        if above(alone, budget):
            return "NoData", (
                f"stable served nothing beside {count(alone.total)} of the canary's events, {count(alone.bad)} of them bad: check "
                f"that its pods are scraped"
            )
        return None

    def _log_evidence(self) -> float:
        if not self._terms.unaccompanied:
            return self._relative.log_evidence
        return log_mean_exp((self._relative.log_evidence, self._alone.log_evidence))

    def _worse(self) -> str:
        alone = self._terms.unaccompanied and self._alone.log_evidence > self._relative.log_evidence
        if alone:
            return "ErrorRatioAboveObjective" if self.latency is None else "LatencyAboveObjective"
        return "ErrorRatioAboveStable" if self.latency is None else "LatencyAboveStable"

    def _reassured(self) -> bool:
        """Say whether the samples of this step speak for the canary so clearly that fewer are enough."""
        return self._canary.all.total > 0 and self._relative.tests[-1].log_reassurance >= REASSURED

    def _shared(self) -> bool:
        canary, stable = self._canary.recent(), self._stable.recent()
        budget = self._terms.budget
        return above(canary, budget) and surely_above(stable.bad, stable.total, budget)

    def _accepted(self) -> Fraction:
        """The share of bad events with which a canary passes without further ado."""
        stable, budget = self._stable.all, self._terms.budget
        beside = self._tolerated * Fraction(stable.bad, stable.total) if stable.total else Fraction(0)
        return max(budget, beside)

    def _proof(self) -> str:
        """Say how strong the evidence is, in words."""
        return (
            f"{strength(self._peak, self._terms.alpha)}: a canary as good as tolerated gets this far at most once in "
            f"{e_value(self._peak)} releases"
        )

    def figures(self, canary: Events, stable: Events) -> str:
        """Say what both tracks served: `canary 5.2% bad (26 of 500), stable 0.0% (0 of 4,490)`."""
        noun = "bad" if self.latency is None else f"over {self.latency.threshold}"
        return f"canary {share(canary, f' {noun}')}, stable {share(stable, '')}"


def above(events: Events, limit: Fraction) -> bool:
    """Say whether the bad share exceeds a limit."""
    return events.bad > events.total * limit


def counts(events: Events) -> TrackCounts:
    """Return the figures for the status."""
    rate = percent(Fraction(events.bad, events.total)) if events.total else None
    return TrackCounts(total=events.total, bad=events.bad, rate=rate)


def share(events: Events, noun: str) -> str:
    """Say how much of a track's traffic was bad."""
    if not events.total:
        return "served nothing"
    return f"{percent(Fraction(events.bad, events.total))}{noun} ({count(events.bad)} of {count(events.total)})"
