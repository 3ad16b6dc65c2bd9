"""What a leading operator runs: the controllers over one ledger, and the loop that feeds them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from feem.api.audit import Subject
from feem.controllers.acceptance import AcceptanceController
from feem.controllers.decision import DecisionController
from feem.controllers.door import Door
from feem.controllers.gather import RELEASES, SERVICES_MANAGED, Gatherer
from feem.controllers.judge import Judge
from feem.controllers.release import ReleaseController
from feem.controllers.routing import DECISION, OBJECTIVE, PLAN, SERVICE
from feem.controllers.service import ServiceController
from feem.observe.metrics import OperatorMetrics
from feem.ports import Clock, Cluster, Conflict, Ledger, Metrics, Notes, Unavailable
from feem.runtime.loop import Key, Loop, Reconcile
from feem.runtime.queue import Queue

_RESOURCES = {"Release": RELEASES, "ManagedService": SERVICES_MANAGED}
_ORPHANS_AGAIN = 2.0


@dataclass(frozen=True)
class World:
    """The ports, bound to something."""

    cluster: Cluster
    metrics: Metrics
    notes: Notes
    clock: Clock
    measurements: OperatorMetrics


def controllers(world: World, ledger: Ledger, interval: float) -> tuple[dict[str, Reconcile], Door]:
    """Wire the controllers; returns them by kind of key, and the door they act through."""
    gatherer = Gatherer(world.cluster, world.clock, interval)
    door = Door(world.cluster, ledger)
    judge = Judge(world.metrics, world.measurements, world.clock, interval)
    releases = ReleaseController(
        world.cluster, ledger, world.notes, world.measurements, world.clock, gatherer=gatherer, judge=judge, door=door
    )
    services = ServiceController(world.cluster, ledger, world.notes, gatherer, releases, door)
    acceptance = AcceptanceController(world.cluster, world.metrics, world.clock)
    decisions = DecisionController(world.cluster, ledger, world.clock, gatherer)

    async def service(key: Key) -> float | None:
        return await services.reconcile(key.namespace, key.name)

    async def objective(key: Key) -> None:
        await acceptance.reconcile_objective(key.namespace, key.name)

    async def plan(key: Key) -> None:
        await acceptance.reconcile_plan(key.namespace, key.name)

    async def decision(key: Key) -> None:
        await decisions.reconcile(key.namespace, key.name)

    return {SERVICE: service, OBJECTIVE: objective, PLAN: plan, DECISION: decision}, door


async def lead(world: World, ledger: Ledger, queue: Queue[Key], *, interval: float, workers: int) -> None:
    """Settle what a predecessor left open, then work until cancelled. Raises Fenced when another operator leads."""
    by_kind, door = controllers(world, ledger, interval)
    await _close_orphans(world.cluster, door)
    await Loop(queue, by_kind, world.measurements, workers).run()


async def _close_orphans(cluster: Cluster, door: Door) -> None:
    def exists(subject: Subject) -> bool:
        body = cluster.get(_RESOURCES.get(subject.kind, ""), subject.namespace, subject.name)
        return body is not None and body["metadata"]["uid"] == subject.uid

    while True:
        try:
            await door.close_orphans(exists)
        except (Conflict, Unavailable):
            await asyncio.sleep(_ORPHANS_AGAIN)
        else:
            return
