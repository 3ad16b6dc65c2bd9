"""The trial of a whole service while something is broken on purpose: whether its users still get what they were promised."""

from __future__ import annotations

import math

from feem.api.release import Outcome
from feem.core.evidence.events import Events, TrackEvents, counts_good
from feem.core.evidence.finding import Finding
from feem.core.evidence.ratio import AgainstObjective
from feem.core.evidence.ratio_trial import FEWEST_BAD, SMALLEST_BUDGET, above, counts, share
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
        self._events = TrackEvents(counts_good=counts_good(terms.objective.indicator))
        self._test = AgainstObjective(max(float(terms.budget), SMALLEST_BUDGET), terms.dispersion)
        self._peak = 0.0

    def add(self, block: Block, _step: int) -> None:
        """Take a block into account."""
        found = self._events.add(block.canary, block.end)
        self._test.add(found.bad, found.total)
        self._peak = max(self._peak, self._test.log_evidence)

    def finding(self) -> Finding:
        """Say what the blocks so far mean."""
        events, budget = self._events.all, self._terms.budget
        noun = " bad" if self._terms.objective.indicator.latency is None else " too slow"
        shown = f"{share(events, noun)}; the objective allows {percent(budget)}"
        certain = self._peak >= math.log(1 / self._terms.alpha) and events.bad >= FEWEST_BAD
        outcome, reason, doubt = self._decide(events, certain=certain)
        message = f"{shown}; {doubt}" if doubt else shown
        return Finding(outcome, reason, message, counts(events), log_evidence=self._test.log_evidence)

    def _decide(self, events: Events, *, certain: bool) -> tuple[Outcome, str, str]:
        if self._events.disagree():
            text = "more bad events than events: check that what the queries count as bad or good is among what the total counts"
            return Outcome.INCONCLUSIVE, "CountsDisagree", text
        if certain and above(events, self._terms.budget):
            return Outcome.FAIL, "OutsideObjective", strength(self._peak, self._terms.alpha)
        wanted = self._terms.objective.canary.minimum_samples
        if events.total < wanted:
            return Outcome.INCONCLUSIVE, "TooFewSamples", f"{count(wanted)} events are needed to tell"
        if above(events, self._terms.budget):
            return Outcome.INCONCLUSIVE, "NotEnoughEvidence", "outside the objective, but not certainly"
        return Outcome.PASS, "WithinObjective", ""
