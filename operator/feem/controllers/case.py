"""One release before the judge: its trials, and the tape of everything they were shown."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from feem.api.release import ObjectiveSnapshot, ObjectiveVerdict
from feem.core.evidence.history import HISTORY, dispersion, needs_history
from feem.core.evidence.samples import Evidence, SampleRequest, TrackSamples
from feem.core.evidence.tape import Tape
from feem.core.evidence.terms import Terms, alphas
from feem.core.evidence.trial import Trial
from feem.ports import Metrics

LOOKBACK = 60.0
"""Seconds before the start for which samples are asked too, so that there is one to count from."""
OVERLAP = 30.0
"""Seconds that are asked for again in the next look, for samples that a slow scrape brings late."""


@dataclass(frozen=True)
class Charge:
    """What is to be judged: whose pods, against whose, since when (Unix seconds), in which step."""

    release: str
    namespace: str
    objectives: tuple[ObjectiveSnapshot, ...]
    alpha: str
    canary: str
    """The ReplicaSet on trial."""
    stable: str
    """The ReplicaSet it is compared with; in a watch only the one whose history counts."""
    start: float
    began: float
    """When the release began: what stable did before that is history."""
    step: int
    stepped: float
    """When this step began (Unix seconds)."""
    steps: int
    unaccompanied: bool = False
    watch: bool = False
    fault: bool = False
    """Whether a whole service is looked at, and not the pods of ReplicaSets."""

    @property
    def tried(self) -> tuple[ObjectiveSnapshot, ...]:
        """The objectives that are on trial: a watch has no stable, so it needs an objective in percent."""
        return tuple(one for one in self.objectives if not self.watch or one.objective is not None)


class Case:
    """Fetches what is new, shows it to the trials and writes it on the tape."""

    def __init__(self, metrics: Metrics, trials: list[Trial], tape: Tape) -> None:
        self._metrics, self._trials = metrics, trials
        self.tape = tape

    @classmethod
    async def open(cls, metrics: Metrics, charge: Charge) -> Case | str:
        """Settle the terms by what stable did before; returns why that is not possible now, when it is not."""
        objectives = charge.tried
        histories = await asyncio.gather(*(_history(metrics, charge, one) for one in objectives))
        problem = next((found.problem for found in histories if found.problem), "")
        if problem:
            return problem
        start, end = charge.began - HISTORY, charge.began
        terms = []
        for objective, alpha, found in zip(objectives, alphas(charge.alpha, objectives), histories, strict=True):
            factor, words = dispersion(objective, found.canary, start=start, end=end)
            terms.append(
                Terms(
                    objective,
                    charge.start,
                    alpha,
                    factor,
                    words,
                    charge.steps,
                    unaccompanied=charge.unaccompanied,
                    watch=charge.watch,
                    fault=charge.fault,
                )
            )
        return cls(metrics, [Trial(one) for one in terms], Tape(charge.release, tuple(terms)))

    async def look(self, charge: Charge, now: float) -> tuple[ObjectiveVerdict, ...]:
        """Take in what is new until `now` and say what it means; objectives whose samples cannot be had stay where they were."""
        found = await asyncio.gather(*(self._fetch(charge, trial, now) for trial in self._trials))
        verdicts = []
        for number, (trial, evidence) in enumerate(zip(self._trials, found, strict=True)):
            if evidence.problem:
                self.tape.problem(number, now, evidence.problem)
            else:
                for one in trial.rounds(evidence, end=now, step=charge.step, stepped=charge.stepped):
                    self.tape.note(number, one)
                    trial.take(one)
            verdicts.append(trial.verdict(now=now, problem=evidence.problem, queries=evidence.queries))
        return tuple(verdicts)

    async def _fetch(self, charge: Charge, trial: Trial, now: float) -> Evidence:
        first = trial.last == trial.terms.start
        lookback = max(LOOKBACK, trial.terms.objective.canary.warm_up_seconds + OVERLAP) if first else OVERLAP
        return await self._metrics.samples(
            SampleRequest(
                trial.terms.objective.indicator,
                charge.namespace,
                charge.canary,
                "" if charge.watch else charge.stable,
                trial.last - lookback,
                now,
                whole=charge.fault,
            )
        )


async def _history(metrics: Metrics, charge: Charge, objective: ObjectiveSnapshot) -> Evidence:
    """Fetch what stable did in the hour before the release, as if it were the canary."""
    if not needs_history(objective):
        return Evidence(TrackSamples(), TrackSamples())
    stable = charge.stable
    start = charge.began - HISTORY - LOOKBACK
    request = SampleRequest(objective.indicator, charge.namespace, stable, "", start, charge.began, whole=charge.fault)
    return await metrics.samples(request)
