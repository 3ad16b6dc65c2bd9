"""A trial: one objective's samples in, its verdict out. The same rounds always give the same verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from feem.api.release import ObjectiveVerdict, Outcome
from feem.core.evidence.fault_trial import FaultTrial
from feem.core.evidence.finding import Finding, inconclusive
from feem.core.evidence.gauge_trial import GaugeTrial
from feem.core.evidence.mix_trial import MixTrial
from feem.core.evidence.ratio_trial import RatioTrial
from feem.core.evidence.rounds import Round, rounds
from feem.core.evidence.samples import Evidence
from feem.core.evidence.tally import Tally
from feem.core.evidence.terms import Terms
from feem.core.evidence.watch_trial import WatchTrial
from feem.core.evidence.words import e_value

STALE_AFTER = 30.0
"""Seconds without a new sample of the canary after which nothing is known about it."""
MESSAGE_LENGTH = 1024
MOST_QUERIES, QUERY_LENGTH = 8, 8192


class Trial:
    """Follows one objective through one release. `rounds` cuts what was fetched, `take` counts it, `verdict` says what it means."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.last = terms.start
        indicator = terms.objective.indicator
        self._gauge = GaugeTrial(terms) if indicator.gauge is not None else None
        warm_up = 0.0 if terms.fault else float(terms.objective.canary.warm_up_seconds)
        self._tally = Tally(indicator, start=terms.start, warm_up=warm_up, waits=not terms.fault)
        self._blocks: RatioTrial | MixTrial | WatchTrial | FaultTrial | None = None
        if self._gauge is None:
            self._blocks = _of_blocks(terms)

    def rounds(self, evidence: Evidence, *, end: float, step: int, stepped: float = -math.inf) -> tuple[Round, ...]:
        """Return the rounds of what is new in fetched samples until `end` (Unix seconds); `take` them in this order.

        Rounds that ended before the step began (`stepped`) belong to the one before.
        """
        if self._gauge is not None:
            canary, stable = self._gauge.fresh(evidence.canary, evidence.stable)
        else:
            canary, stable = self._tally.canary.fresh(evidence.canary), self._tally.stable.fresh(evidence.stable)
        cut = rounds(canary, stable, last=self.last, end=end, step=step)
        return tuple(replace(one, step=max(1, step - 1)) if one.end <= stepped else one for one in cut)

    def take(self, one: Round) -> None:
        """Count one round."""
        self.last = one.end
        if self._gauge is not None:
            self._gauge.take(one)
            return
        block = self._tally.take(one)
        if block is not None and self._blocks is not None:
            self._blocks.add(block, one.step)

    def verdict(self, *, now: float, problem: str = "", queries: Sequence[str] = ()) -> ObjectiveVerdict:
        """Say what all rounds so far mean; `problem` is why there are no newer ones."""
        return worded(self.terms, self._finding(now, problem), queries)

    def _finding(self, now: float, problem: str) -> Finding:
        if problem:
            return inconclusive("MetricsUnavailable", problem)
        newest = self._gauge.newest if self._gauge is not None else self._tally.canary.newest
        if math.isinf(newest):
            return inconclusive(
                "NoData", "no samples of the canary's pods: check the queries, and that Prometheus scrapes them"
            )
        if now - newest > STALE_AFTER:
            return inconclusive(
                "StaleData",
                f"the canary's newest sample is {now - newest:.0f} s old, {STALE_AFTER:.0f} s at most can be judged: check "
                f"that Prometheus still scrapes its pods, every 15 s or more often",
            )
        if self._gauge is not None:
            return self._gauge.finding()
        if self._blocks is None:
            raise ValueError("a trial is of blocks or of a gauge")
        return self._blocks.finding()


def _of_blocks(terms: Terms) -> RatioTrial | MixTrial | WatchTrial | FaultTrial:
    if terms.fault:
        return FaultTrial(terms)
    if terms.watch:
        return WatchTrial(terms)
    return MixTrial(terms) if terms.objective.indicator.mix is not None else RatioTrial(terms)


def worded(terms: Terms, finding: Finding, queries: Sequence[str]) -> ObjectiveVerdict:
    """Put a verdict together; a message that is too long for the status loses its end."""
    message = finding.message
    if len(message) > MESSAGE_LENGTH:
        message = message[: MESSAGE_LENGTH - 1] + "…"
    tested = finding.log_evidence is not None and terms.alpha > 0
    return ObjectiveVerdict(
        name=terms.objective.name,
        outcome=finding.outcome,
        reason=finding.reason,
        message=message,
        canary=finding.canary,
        stable=finding.stable,
        category=terms.objective.category,
        shares=list(finding.shares),
        evidence=e_value(finding.log_evidence) if tested and finding.log_evidence is not None else "",
        threshold=e_value(math.log(1 / terms.alpha)) if tested else "",
        dispersion=f"{terms.dispersion:.3g}" if tested else "",
        decides=finding.decides[:256],
        queries=[query[:QUERY_LENGTH] for query in queries[:MOST_QUERIES]],
    )


def combine(verdicts: Sequence[ObjectiveVerdict]) -> Outcome:
    """Return what all objectives say together: the worst one speaks, and no objective is no proof."""
    outcomes = {one.outcome for one in verdicts}
    if Outcome.FAIL in outcomes:
        return Outcome.FAIL
    return Outcome.PASS if outcomes == {Outcome.PASS} else Outcome.INCONCLUSIVE
