"""The trial of a promoted version: whether it burns the error budget fast."""

from __future__ import annotations

from feem.api.release import Outcome
from feem.core.evidence.finding import Finding
from feem.core.evidence.promise import Promise
from feem.core.evidence.ratio_trial import counts
from feem.core.evidence.tally import Block
from feem.core.evidence.terms import Terms
from feem.core.evidence.words import percent, strength


class WatchTrial:
    """Holds all pods of the new version against what would burn the budget fast; there is no stable beside it any more."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._promise = Promise(terms, terms.fast)

    def add(self, block: Block, _step: int) -> None:
        """Take a block into account."""
        self._promise.add(block)

    def finding(self) -> Finding:
        """Say what the blocks so far mean."""
        promise, shown = self._promise, f"the promoted version: {self._promise.shown}; {self._limit()}"
        outcome, reason = Outcome.PASS, "WithinObjective"
        if promise.track.disagree():
            outcome, reason = Outcome.INCONCLUSIVE, "CountsDisagree"
        elif promise.broken:
            outcome, reason = Outcome.FAIL, "BurnsTooFast"
            shown += f"; {strength(promise.peak, self._terms.alpha)}"
        return Finding(outcome, reason, shown, counts(promise.track.all), log_evidence=promise.log_evidence)

    def _limit(self) -> str:
        """Say what burns the budget fast."""
        budget, limit = self._terms.budget, self._terms.fast
        if not budget:
            return "an objective of 100% has no error budget"
        return f"{percent(limit)} burns the error budget {float(limit / budget):.3g} times faster than it lasts"
