"""The trial of a mix: whether the canary's events fall into the same categories as stable's."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

from feem.api.indicator import OnShift
from feem.api.release import CategoryShares, Outcome, TrackCounts
from feem.core.evidence.events import Whole
from feem.core.evidence.finding import Finding
from feem.core.evidence.mix import MixShift
from feem.core.evidence.pace import Pace
from feem.core.evidence.staged import Staged
from feem.core.evidence.tally import Block
from feem.core.evidence.terms import Terms
from feem.core.evidence.words import count, e_value, percent, points, strength

MOST_CATEGORIES = 40
"""Categories beyond which a label is an identifier rather than a category."""
MOST_SHOWN = 4
"""Categories that a message names, those that differ most first."""


class Categories:
    """Whole events of one track by category. A histogram's buckets are cumulative; what is in one is a difference."""

    def __init__(self, *, cumulative: bool) -> None:
        self._cumulative = cumulative
        self._whole: dict[str, Whole] = {}
        self.all: dict[str, int] = {}

    def add(self, gains: Mapping[str, float]) -> dict[str, int]:
        """Count a block's gains and return its whole events by category."""
        found = {}
        for name, gain in self._apart(gains).items():
            due = self._whole.setdefault(name, Whole()).add(gain)
            self.all[name] = self.all.get(name, 0) + due
            found[name] = due
        return found

    @property
    def total(self) -> int:
        """All events so far."""
        return sum(self.all.values())

    def _apart(self, gains: Mapping[str, float]) -> Mapping[str, float]:
        if not self._cumulative:
            return gains
        edges = sorted(gains, key=edge)
        lower = [0.0, *(gains[name] for name in edges)]
        return {name: gains[name] - below for name, below in zip(edges, lower, strict=False)}


class MixTrial:
    """Compares how both tracks' events divide into categories."""

    def __init__(self, terms: Terms) -> None:
        mix = terms.objective.indicator.mix
        if mix is None:
            raise ValueError(f"objective {terms.objective.name} is no mix")
        self._terms, self._mix = terms, mix
        self._histogram = mix.histogram is not None
        self._canary, self._stable = (Categories(cumulative=self._histogram) for _ in range(2))
        self._test = Staged(lambda: MixShift(float(mix.tolerated_shift), terms.dispersion), terms.steps)
        self._pace = Pace(terms.start)
        self._peak = 0.0

    def add(self, block: Block, step: int) -> None:
        """Take a block into account."""
        canary, stable = self._canary.add(block.canary), self._stable.add(block.stable)
        self._pace.add(sum(canary.values()), step, block.end)
        if not self._unfit():
            self._test.begin(step)
            for test in self._test.tests:
                test.add(canary, stable)
            self._peak = max(self._peak, self._test.log_evidence)

    def finding(self) -> Finding:
        """Say what the blocks so far mean."""
        outcome, reason, doubt = self._decide()
        shares = self._shares()
        shown = self._figures(shares)
        return Finding(
            outcome,
            reason,
            f"{shown}; {doubt}" if doubt else shown,
            TrackCounts(total=self._canary.total),
            TrackCounts(total=self._stable.total),
            tuple(shares[:MOST_CATEGORIES]),
            self._test.log_evidence,
            self._pace.wanting(self._terms.objective.canary.minimum_samples),
        )

    def _decide(self) -> tuple[Outcome, str, str]:
        unfit = self._unfit()
        if unfit:
            return Outcome.INCONCLUSIVE, *unfit
        if self._peak >= math.log(1 / self._terms.alpha) and self._shift > float(self._mix.tolerated_shift):
            if self._mix.on_shift is OnShift.HOLD:
                text = f"{self._proof()}; a person has to say whether this is meant: decide Promote or Abort"
                return Outcome.INCONCLUSIVE, "MixShiftAwaitsDecision", text
            return Outcome.FAIL, "MixShifted", self._proof()
        wanting = self._pace.wanting(self._terms.objective.canary.minimum_samples)
        if wanting:
            return Outcome.INCONCLUSIVE, "TooFewSamples", wanting
        if not self._stable.total:
            return (
                Outcome.INCONCLUSIVE,
                "NoData",
                "stable has no events to compare with: check that its pods are scraped",
            )
        if self._test.log_evidence > 0 and self._shift > float(self._mix.tolerated_shift):
            return (
                Outcome.INCONCLUSIVE,
                "NotEnoughEvidence",
                f"too far to pass, not sure enough to fail: {self._proof()}",
            )
        return Outcome.PASS, "WithinTolerance", ""

    @property
    def _shift(self) -> float:
        return self._test.tests[0].shift

    def _unfit(self) -> tuple[str, str] | None:
        names = {*self._canary.all, *self._stable.all}
        if len(names) > MOST_CATEGORIES:
            return "TooManyCategories", (
                f"{len(names)} categories are more than the {MOST_CATEGORIES} that can be compared: choose a label with "
                f"few values, or a histogram with fewer buckets"
            )
        if self._histogram and self._canary.all and self._stable.all and set(self._canary.all) != set(self._stable.all):
            return "CountsDisagree", (
                "the two versions' histograms have different buckets: a change of buckets needs another objective"
            )
        return None

    def _shares(self) -> list[CategoryShares]:
        """Return each category's share on both tracks: a histogram's in order, else those that differ most first."""
        canary, stable = self._canary, self._stable
        names = {*canary.all, *stable.all}

        def part(track: Categories, name: str) -> Fraction:
            return Fraction(track.all.get(name, 0), track.total) if track.total else Fraction(0)

        def order(name: str) -> tuple[float, float, str]:
            apart = abs(part(canary, name) - part(stable, name))
            return (edge(name), 0.0, name) if self._histogram else (0.0, -float(apart), name)

        return [
            CategoryShares(
                name=(name or "(none)")[:128], canary=percent(part(canary, name)), stable=percent(part(stable, name))
            )
            for name in sorted(names, key=order)
        ]

    def _figures(self, shares: list[CategoryShares]) -> str:
        if not self._canary.total or not self._stable.total:
            return f"canary {count(self._canary.total)} events, stable {count(self._stable.total)}"
        what = self._mix.label or "up to"
        ranked = sorted(shares, key=lambda one: -abs(number(one.canary) - number(one.stable)))
        named = ", ".join(
            f"{what} {one.name}: {one.canary} of the canary's, {one.stable} of stable's" for one in ranked[:MOST_SHOWN]
        )
        events = f"{count(self._canary.total)} and {count(self._stable.total)} events"
        tolerated = points(float(self._mix.tolerated_shift))
        return (
            f"{named}; {points(self._shift)} events fall elsewhere than on stable, {tolerated} are tolerated ({events})"
        )

    def _proof(self) -> str:
        return (
            f"{strength(self._peak, self._terms.alpha)}: a canary whose shift is tolerated gets this far at most once in "
            f"{e_value(self._peak)} releases"
        )


def edge(name: str) -> float:
    """Return a bucket's upper edge; what is none comes last."""
    try:
        return float(name)
    except ValueError:
        return math.inf


def number(percentage: str) -> float:
    """Return the number of `71.2%`."""
    return float(percentage.removesuffix("%"))
