"""Asks the metrics server about a canary and lets the evidence speak."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from feem.api.release import ObjectiveSnapshot, ObjectiveVerdict, Outcome, Release
from feem.core.digest import digest_of
from feem.core.evidence.samples import Evidence, SampleRequest
from feem.core.evidence.verdict import combine, evidence_digest, judge
from feem.core.rollout.snapshot import ReleaseSnapshot
from feem.core.rollout.status import status_of
from feem.ports import Clock, Measurements, Metrics


@dataclass(frozen=True)
class Judgement:
    """What the objectives say together, each of them, and the digest of the samples behind it."""

    outcome: Outcome = Outcome.INCONCLUSIVE
    verdicts: tuple[ObjectiveVerdict, ...] = ()
    digest: str = ""


class Judge:
    """Evaluates a release's objectives over its current step, not more often than twice an interval, whatever happens around it."""

    def __init__(self, metrics: Metrics, measurements: Measurements, clock: Clock, interval: float) -> None:
        self._metrics, self._measurements, self._clock = metrics, measurements, clock
        self._interval = interval
        self._last: dict[str, tuple[float, float, Judgement]] = {}

    async def evaluate(self, seen: ReleaseSnapshot) -> Judgement:
        """Fetch samples of all objectives at once and judge them; without canary traffic there is nothing to judge."""
        started = status_of(seen.release).step_started_at
        if started is None or seen.canary is None or seen.traffic is None or seen.traffic.weight == 0:
            return Judgement()
        begin, end = started.timestamp(), self._clock.now().timestamp()
        uid = seen.release.metadata.uid
        before = self._last.get(uid)
        if before is not None and before[0] == begin and 0 <= end - before[1] < self._interval / 2:
            return before[2]
        judgement = await self._ask(seen, seen.canary.replica_set, begin, end)
        self._last = {key: kept for key, kept in self._last.items() if end - kept[1] < self._interval}
        self._last[uid] = begin, end, judgement
        return judgement

    async def _ask(self, seen: ReleaseSnapshot, replica_set: str, begin: float, end: float) -> Judgement:
        objectives = seen.release.spec.objectives
        requests = (self._request(seen.release, item, replica_set, begin, end) for item in objectives)
        found = await asyncio.gather(*(self._metrics.samples(request) for request in requests))
        pairs = zip(objectives, found, strict=True)
        verdicts = tuple(judge(objective, evidence, start=begin, now=end) for objective, evidence in pairs)
        for verdict in verdicts:
            meta = seen.release.metadata
            self._measurements.verdict(meta.namespace, seen.release.spec.service, verdict.name, verdict.outcome)
        return Judgement(combine(verdicts), verdicts, _digest(found))

    def _request(
        self, release: Release, objective: ObjectiveSnapshot, replica_set: str, begin: float, end: float
    ) -> SampleRequest:
        ratio = objective.indicator.ratio
        return SampleRequest(
            bad=ratio.bad,
            total=ratio.total,
            namespace=release.metadata.namespace,
            canary_replica_set=replica_set,
            stable_replica_set=release.spec.stable.replica_set,
            start=begin,
            end=end,
        )


def _digest(found: list[Evidence]) -> str:
    return digest_of([evidence_digest(evidence) for evidence in found])
