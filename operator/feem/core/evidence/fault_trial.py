"""The trial of a whole service while something is broken on purpose: whether its users still get what they were promised."""

from __future__ import annotations

from feem.api.release import Outcome
from feem.core.evidence.events import Events
from feem.core.evidence.finding import Finding
from feem.core.evidence.promise import Promise
from feem.core.evidence.ratio_trial import above, counts
from feem.core.evidence.tally import Block
from feem.core.evidence.terms import Terms
from feem.core.evidence.words import count, percent, strength


class FaultTrial:
    """Holds all events of a service against its objective itself, not against what burns the budget fast.

    While it lasts only certainty counts, since a fault is cut short by it; `finding` says what is certain, what was measured, and
    whether there was enough of it. There is no other track: a fault hits the service as a whole.
    """

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._promise = Promise(terms, terms.budget)

    def add(self, block: Block, _step: int) -> None:
        """Take a block into account."""
        self._promise.add(block)

    def finding(self) -> Finding:
        """Say what the blocks so far mean."""
        shown = f"{self._promise.shown}; the objective allows {percent(self._terms.budget)}"
        outcome, reason, doubt = self._decide(self._promise.track.all)
        message = f"{shown}; {doubt}" if doubt else shown
        events = counts(self._promise.track.all)
        return Finding(outcome, reason, message, events, log_evidence=self._promise.log_evidence)

    def _decide(self, events: Events) -> tuple[Outcome, str, str]:
        if self._promise.track.disagree():
            text = "more bad events than events: check that what the queries count as bad or good is among what the total counts"
            return Outcome.INCONCLUSIVE, "CountsDisagree", text
        if self._promise.broken:
            return Outcome.FAIL, "OutsideObjective", strength(self._promise.peak, self._terms.alpha)
        wanted = self._terms.objective.canary.minimum_samples
        if events.total < wanted:
            return Outcome.INCONCLUSIVE, "TooFewSamples", f"{count(wanted)} events are needed to tell"
        if above(events, self._terms.budget):
            return Outcome.INCONCLUSIVE, "NotEnoughEvidence", "outside the objective, but not certainly"
        return Outcome.PASS, "WithinObjective", ""
