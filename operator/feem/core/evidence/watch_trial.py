"""The trial of a promoted version: whether it burns the error budget fast."""

from __future__ import annotations

import math

from feem.api.release import Outcome
from feem.core.evidence.events import TrackEvents, counts_good
from feem.core.evidence.finding import Finding
from feem.core.evidence.ratio import AgainstObjective
from feem.core.evidence.ratio_trial import FEWEST_BAD, SMALLEST_BUDGET, above, counts, share
from feem.core.evidence.tally import Block
from feem.core.evidence.terms import Terms
from feem.core.evidence.words import percent, strength


class WatchTrial:
    """Holds all pods of the new version against what would burn the budget fast; there is no stable beside it any more."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._events = TrackEvents(counts_good=counts_good(terms.objective.indicator))
        self._test = AgainstObjective(max(float(terms.fast), SMALLEST_BUDGET), terms.dispersion)
        self._peak = 0.0

    def add(self, block: Block, _step: int) -> None:
        """Take a block into account."""
        found = self._events.add(block.canary, block.end)
        self._test.add(found.bad, found.total)
        self._peak = max(self._peak, self._test.log_evidence)

    def finding(self) -> Finding:
        """Say what the blocks so far mean."""
        events, limit = self._events.all, self._terms.fast
        noun = " bad" if self._terms.objective.indicator.latency is None else " too slow"
        shown = f"the promoted version: {share(events, noun)}; {self._limit()}"
        certain = self._peak >= math.log(1 / self._terms.alpha) and events.bad >= FEWEST_BAD
        outcome, reason = Outcome.PASS, "WithinObjective"
        if self._events.disagree():
            outcome, reason = Outcome.INCONCLUSIVE, "CountsDisagree"
        elif certain and above(events, limit):
            outcome, reason = Outcome.FAIL, "BurnsTooFast"
            shown += f"; {strength(self._peak, self._terms.alpha)}"
        return Finding(outcome, reason, shown, counts(events), log_evidence=self._test.log_evidence)

    def _limit(self) -> str:
        """Say what burns the budget fast."""
        budget, limit = self._terms.budget, self._terms.fast
        if not budget:
            return "an objective of 100% has no error budget"
        return f"{percent(limit)} burns the error budget {float(limit / budget):.3g} times faster than it lasts"
