"""Asks the metrics server about a canary and lets the evidence speak."""

from __future__ import annotations

from dataclasses import dataclass

from feem.api.release import ObjectiveVerdict, Outcome, Release
from feem.controllers.case import Case, Charge
from feem.core.evidence.finding import inconclusive
from feem.core.evidence.tape import Tape
from feem.core.evidence.terms import Terms
from feem.core.evidence.trial import combine, worded
from feem.core.rollout.snapshot import ReleaseSnapshot
from feem.core.rollout.status import status_of
from feem.ports import Clock, Measurements, Metrics

FORGOTTEN = 600.0
"""Seconds after which a case nobody asks about is dropped; it is opened again from the metrics server when somebody does."""


@dataclass(frozen=True)
class Judgement:
    """What the objectives say together, each of them, and the tape of the samples behind it."""

    outcome: Outcome = Outcome.INCONCLUSIVE
    verdicts: tuple[ObjectiveVerdict, ...] = ()
    tape: Tape | None = None
    at: float = 0.0
    """When it was made (Unix seconds)."""

    @property
    def digest(self) -> str:
        """The digest of everything that led here, empty before anything did."""
        return self.tape.digest if self.tape is not None else ""


@dataclass
class _Open:
    """A case under way: since when it counts, when it was looked at last, and what came of it (Unix seconds)."""

    start: float
    looked: float
    case: Case | None
    judgement: Judgement


class Judge:
    """Evaluates a release's objectives, not more often than twice an interval, whatever happens around it.

    A case lives in memory and takes in only what is new, so a long release costs no more a look than a short one. After
    a restart it is opened again from its beginning.
    """

    def __init__(self, metrics: Metrics, measurements: Measurements, clock: Clock, interval: float) -> None:
        self._metrics, self._measurements, self._clock = metrics, measurements, clock
        self._interval = interval
        self._open: dict[tuple[str, bool], _Open] = {}

    async def evaluate(self, seen: ReleaseSnapshot) -> Judgement:
        """Look at what is new and judge; without canary traffic there is nothing to judge."""
        charge, now = charge_of(seen), self._clock.now().timestamp()
        if charge is None:
            return Judgement()
        key = seen.release.metadata.uid, charge.watch
        before = self._open.get(key)
        same = before is not None and before.start == charge.start
        if before is not None and same and 0 <= now - before.looked < self._interval / 2:
            return before.judgement
        case = before.case if before is not None and same else None
        case, judgement = await self._look(charge, case, now)
        self._open = {other: kept for other, kept in self._open.items() if now - kept.looked < FORGOTTEN}
        self._open[key] = _Open(charge.start, now, case, judgement)
        self._measure(seen.release, judgement)
        return judgement

    async def _look(self, charge: Charge, case: Case | None, now: float) -> tuple[Case | None, Judgement]:
        if case is None:
            opened = await Case.open(self._metrics, charge)
            if isinstance(opened, str):
                return None, _nothing_known(charge, opened)
            case = opened
        verdicts = await case.look(charge, now)
        return case, Judgement(combine(verdicts), verdicts, case.tape, now)

    def _measure(self, release: Release, judgement: Judgement) -> None:
        meta = release.metadata
        for verdict in judgement.verdicts:
            self._measurements.verdict(meta.namespace, release.spec.service, verdict.name, verdict.outcome)


def charge_of(seen: ReleaseSnapshot) -> Charge | None:
    """Return what is to be judged now: the canary, or the promoted version that is being watched; None when nothing is."""
    release, status = seen.release, status_of(seen.release)
    spec, meta = release.spec, release.metadata
    began = status.started_at
    if began is None:
        return None
    if seen.watched and status.promoted_at is not None:
        watched = status.promoted_at.timestamp()
        return Charge(
            release=meta.name,
            namespace=meta.namespace,
            objectives=tuple(spec.objectives),
            alpha=spec.plan.alpha,
            canary=seen.watched,
            stable=spec.stable.replica_set,
            start=watched,
            began=began.timestamp(),
            step=len(spec.plan.steps) + 1,
            stepped=watched,
            steps=1,
            watch=True,
        )
    if seen.canary is None or not seen.canary.replica_set or seen.traffic is None or seen.traffic.weight == 0:
        return None
    return Charge(
        release=meta.name,
        namespace=meta.namespace,
        objectives=tuple(spec.objectives),
        alpha=spec.plan.alpha,
        canary=seen.canary.replica_set,
        stable=spec.stable.replica_set,
        start=began.timestamp(),
        began=began.timestamp(),
        step=status.step,
        stepped=(status.step_started_at or began).timestamp(),
        steps=len(spec.plan.steps),
        unaccompanied=any(step.weight == 100 for step in spec.plan.steps),
    )


def _nothing_known(charge: Charge, problem: str) -> Judgement:
    """Return that nothing is known yet about any objective, because stable's history cannot be read."""
    verdicts = tuple(
        worded(Terms(one, charge.start, 0.0), inconclusive("MetricsUnavailable", problem), ()) for one in charge.tried
    )
    return Judgement(Outcome.INCONCLUSIVE, verdicts)
