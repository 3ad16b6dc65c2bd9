"""Asks the metrics server whether the objectives of a run hold: before its fault, while it is in place, and after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from feem.api.release import ObjectiveVerdict
from feem.api.run import ChaosRun, RunTerms, Track
from feem.controllers.case import Case, Charge
from feem.core.chaos.snapshot import Judged
from feem.core.chaos.status import status_of
from feem.core.evidence.finding import inconclusive
from feem.core.evidence.tape import Tape
from feem.core.evidence.terms import Terms, alphas
from feem.core.evidence.trial import Trial, combine, worded
from feem.ports import Clock, Metrics

LATE = 15.0
"""Seconds after the fault in which scrapes still bring events of its time."""
FORGOTTEN = 600.0
"""Seconds after which a case nobody asks about is dropped; it is opened again from the metrics server."""


@dataclass
class _Open:
    case: Case
    judged: Judged
    looked: float
    end: float


class RunJudge:
    """On stable the service as a whole is held against its objectives; a canary is compared with stable, as in its release."""

    def __init__(self, metrics: Metrics, clock: Clock, interval: float) -> None:
        self._metrics, self._clock, self._interval = metrics, clock, interval
        self._open: dict[str, _Open] = {}

    async def before(self, run: ChaosRun, terms: RunTerms, tracks: tuple[str, str]) -> Judged:
        """Judge the time just before; `tracks` are the ReplicaSet that will be hit and the one it is compared with."""
        now = self._now
        return await self._once(run, terms, tracks, now - terms.hypothesis.steady_seconds, now)

    async def after(self, run: ChaosRun, terms: RunTerms) -> Judged:
        """Judge the time since the fault was taken back, or the last `recoveryWindowSeconds` of it."""
        now, undone = self._now, _seconds(status_of(run).undone_at)
        start = max(undone, now - terms.hypothesis.recovery_window_seconds)
        return await self._once(run, terms, _tracks(run), start, now)

    async def during(self, run: ChaosRun, terms: RunTerms) -> Judged:
        """Judge the time of the fault; what the last scrapes of it bring is waited for."""
        status, now, uid = status_of(run), self._now, run.metadata.uid
        start = _seconds(status.injected_at)
        end = min(now, _seconds(status.undone_at) + LATE) if status.undone_at is not None else now
        known = self._open.get(uid)
        if known is not None and (now - known.looked < self._interval / 2 or known.end >= end):
            return known.judged
        charge = _charge(run, terms, _tracks(run), start)
        case = known.case if known is not None else await Case.open(self._metrics, charge)
        if isinstance(case, str):
            return _nothing_known(charge, case)
        judged = _judged(await case.look(charge, end), case.tape)
        self._open = {other: kept for other, kept in self._open.items() if now - kept.looked < FORGOTTEN}
        self._open[uid] = _Open(case, judged, now, end)
        return judged

    def document(self, run: ChaosRun, action: str) -> bytes | None:
        """Return the samples of the time of the fault as a file; None when there are none, or too many to keep."""
        known = self._open.get(run.metadata.uid)
        return known.case.tape.document(action, known.end, known.judged.verdicts) if known is not None else None

    def forget(self, uid: str) -> None:
        """The run is over."""
        self._open.pop(uid, None)

    async def _once(self, run: ChaosRun, terms: RunTerms, tracks: tuple[str, str], start: float, end: float) -> Judged:
        charge = _charge(run, terms, tracks, start)
        parts = alphas(charge.alpha, charge.objectives)
        settled = tuple(
            Terms(one, start, alpha, steps=1, fault=charge.fault)
            for one, alpha in zip(charge.objectives, parts, strict=True)
        )
        case = Case(self._metrics, [Trial(one) for one in settled], Tape(charge.release, settled))
        return _judged(await case.look(charge, end), case.tape)

    @property
    def _now(self) -> float:
        return self._clock.now().timestamp()


def _judged(verdicts: tuple[ObjectiveVerdict, ...], tape: Tape) -> Judged:
    return Judged(combine(verdicts), verdicts, tape.digest)


def _nothing_known(charge: Charge, problem: str) -> Judged:
    unknown = inconclusive("MetricsUnavailable", problem)
    verdicts = tuple(worded(Terms(one, charge.start, 0.0), unknown, ()) for one in charge.objectives)
    return Judged(combine(verdicts), verdicts)


def _charge(run: ChaosRun, terms: RunTerms, tracks: tuple[str, str], start: float) -> Charge:
    whole = run.spec.track is Track.STABLE
    return Charge(
        release=run.metadata.name,
        namespace=run.metadata.namespace,
        objectives=tuple(terms.measured),
        alpha=terms.hypothesis.alpha,
        canary="" if whole else tracks[0],
        stable="" if whole else tracks[1],
        start=start,
        began=start,
        step=1,
        stepped=start,
        steps=1,
        fault=whole,
    )


def _tracks(run: ChaosRun) -> tuple[str, str]:
    status = status_of(run)
    return status.replica_set, status.compared_with


def _seconds(moment: datetime | None) -> float:
    return moment.timestamp() if moment is not None else 0.0
