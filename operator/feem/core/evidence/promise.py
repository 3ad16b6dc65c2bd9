"""All events of one track held against a fixed share of bad ones: what a trial without a second track consists of."""

from __future__ import annotations

import math
from fractions import Fraction

from feem.core.evidence.events import TrackEvents, counts_good
from feem.core.evidence.ratio import AgainstObjective
from feem.core.evidence.ratio_trial import FEWEST_BAD, SMALLEST_BUDGET, above, share
from feem.core.evidence.tally import Block
from feem.core.evidence.terms import Terms


class Promise:
    """The events so far, and the strongest evidence there was that more of them are bad than `limit` (a share in [0, 1])."""

    def __init__(self, terms: Terms, limit: Fraction) -> None:
        self._terms, self._limit = terms, limit
        self.track = TrackEvents(counts_good=counts_good(terms.objective.indicator))
        self._test = AgainstObjective(max(float(limit), SMALLEST_BUDGET), terms.dispersion)
        self.peak = 0.0
        """A natural logarithm."""

    def add(self, block: Block) -> None:
        """Take a block into account."""
        found = self.track.add(block.canary, block.end)
        self._test.add(found.bad, found.total)
        self.peak = max(self.peak, self._test.log_evidence)

    @property
    def log_evidence(self) -> float:
        """The evidence as it is now."""
        return self._test.log_evidence

    @property
    def broken(self) -> bool:
        """Whether more are bad than the limit allows, and that is certain."""
        events = self.track.all
        certain = self.peak >= math.log(1 / self._terms.alpha) and events.bad >= FEWEST_BAD
        return certain and above(events, self._limit)

    @property
    def shown(self) -> str:
        """The share of bad events, in words."""
        noun = " bad" if self._terms.objective.indicator.latency is None else " too slow"
        return share(self.track.all, noun)
