"""Reads a ServiceLevelObjective's queries as soon as it is written, and measures its error budget from then on."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Protocol

from feem.api.objective import ObjectiveStatus, ServiceLevelObjective
from feem.controllers.resources import OBJECTIVES
from feem.core.conditions import find, is_true, said
from feem.core.slo.health import (
    ACCEPTED,
    MEASURED,
    Findings,
    Standing,
    alarm,
    checked,
    has_budget,
    measured,
    standing,
    windows,
    worth_writing,
)
from feem.ports import Burn, Clock, Cluster, Metrics, Notes


class Figures(Protocol):
    """What the operator exports about objectives."""

    def objective_seen(
        self,
        namespace: str,
        objective: str,
        *,
        measured: bool,
        left: float | None,
        burn: Mapping[str, float],
        burning: Collection[str],
    ) -> None:
        """Set an objective's figures."""
        ...

    def objective_gone(self, namespace: str, objective: str) -> None:
        """Drop an objective's figures."""
        ...


class ObjectiveController:
    """Writes `Accepted`, `Measured`, `BudgetHealthy` and the budget.

    Checking never waits for the metrics server, because ManagedServices wait for `Accepted`; measuring does.
    """

    def __init__(
        self, cluster: Cluster, metrics: Metrics, notes: Notes, figures: Figures, clock: Clock, interval: float
    ) -> None:
        self._cluster, self._metrics, self._notes, self._figures = cluster, metrics, notes, figures
        self._clock, self._interval = clock, interval
        self._last: dict[tuple[str, str], tuple[str, int, float]] = {}

    async def check(self, namespace: str, name: str) -> bool:
        """Read the queries of one objective; returns whether it can be measured."""
        objective = self._read(namespace, name)
        if objective is None:
            self._forget(namespace, name)
            return False
        problem = self._metrics.check(objective.spec.indicator)
        words = (problem.reason, problem.message) if problem else None
        status = checked(objective, words, self._clock.now())
        old = objective.status or ObjectiveStatus()
        if said(status.conditions) != said(old.conditions):
            await self._write(objective, status)
        if problem is not None:
            self._last.pop((namespace, name), None)
            self._show(objective, Standing(), measured=False)
        return problem is None

    async def measure(self, namespace: str, name: str) -> float | None:
        """Measure one accepted objective; returns the seconds until the next time, or None when there is none.

        Events may ask for it at any time: what was measured less than half an interval ago is not measured anew.
        """
        objective = self._read(namespace, name)
        if objective is None or not _is_accepted(objective):
            return None
        meta, now = objective.metadata, self._clock.now().timestamp()
        uid, generation, at = self._last.get((namespace, name), ("", 0, 0.0))
        if (uid, generation) == (meta.uid, meta.generation) and 0 <= now - at < self._interval / 2:
            return self._interval - (now - at)
        findings = await self._ask(objective)
        seen = self._read(namespace, name)
        if seen is None or (seen.metadata.uid, seen.metadata.generation) != (meta.uid, meta.generation):
            return None  # whoever changed it caused an event, and the next visit
        await self._tell(seen, findings)
        self._last[namespace, name] = (
            meta.uid,
            meta.generation,
            now,
        )  # after the write, so that one that fails is tried again
        return self._interval

    async def _ask(self, objective: ServiceLevelObjective) -> Findings:
        indicator, namespace = objective.spec.indicator, objective.metadata.namespace
        counting = self._metrics.burn(indicator, namespace, windows(objective)) if has_budget(objective) else _nothing()
        missing, burn = await asyncio.gather(self._metrics.exists(indicator, namespace), counting)
        words = (missing.reason, missing.message) if missing else None
        return Findings(words, burn.counts, burn.problem)

    async def _tell(self, objective: ServiceLevelObjective, findings: Findings) -> None:
        meta, now = objective.metadata, self._clock.now()
        old, found = objective.status or ObjectiveStatus(), standing(objective, findings)
        new = measured(objective, findings, now)
        self._show(objective, found, measured=is_true(new.conditions, MEASURED))
        if not worth_writing(old, new, now):
            return
        await self._write(objective, new)
        news, body = alarm(old, new), self._cluster.get(OBJECTIVES, meta.namespace, meta.name)
        if news is not None and body is not None:
            await self._notes.publish(body, reason=news.reason, message=news.message, warning=True)

    def _show(self, objective: ServiceLevelObjective, found: Standing, *, measured: bool) -> None:
        meta, burning = objective.metadata, {alert.pair.severity.value for alert in found.alerts}
        self._figures.objective_seen(
            meta.namespace, meta.name, measured=measured, left=found.left, burn=found.rates, burning=burning
        )

    async def _write(self, objective: ServiceLevelObjective, status: ObjectiveStatus) -> None:
        meta = objective.metadata
        await self._cluster.write_status(OBJECTIVES, meta.namespace, meta.name, status.wire(), meta.resource_version)

    def _read(self, namespace: str, name: str) -> ServiceLevelObjective | None:
        body = self._cluster.get(OBJECTIVES, namespace, name)
        return ServiceLevelObjective.read(body) if body is not None else None

    def _forget(self, namespace: str, name: str) -> None:
        self._last.pop((namespace, name), None)
        self._figures.objective_gone(namespace, name)


async def _nothing() -> Burn:
    return Burn()


def _is_accepted(objective: ServiceLevelObjective) -> bool:
    """Whether the queries as they are now can be used."""
    conditions = objective.status.conditions if objective.status else []
    found = find(conditions, ACCEPTED)
    return (
        is_true(conditions, ACCEPTED)
        and found is not None
        and (found.observed_generation == objective.metadata.generation)
    )
