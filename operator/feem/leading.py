"""What a leading operator runs: the controllers over one ledger, and the loop that feeds them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from feem import releasing, trying
from feem.api.audit import Subject
from feem.controllers.door import Door
from feem.controllers.heartbeat import Heartbeat
from feem.controllers.leadership import Term, record_leader
from feem.controllers.objective import ObjectiveController
from feem.controllers.publisher import Publisher, Publishing
from feem.controllers.resources import EXPERIMENTS, RELEASES, RUNS, SERVICES_MANAGED
from feem.controllers.retention import Keep, Retention
from feem.controllers.routing import OBJECTIVE
from feem.ports import Cluster, Conflict, Ledger, NumberedLedger, Records, Unavailable
from feem.runtime.loop import Key, Loop, Reconcile, by_name
from feem.runtime.queue import Queue
from feem.world import World

_RESOURCES = {
    "Release": RELEASES,
    "ManagedService": SERVICES_MANAGED,
    "ChaosRun": RUNS,
    "ChaosExperiment": EXPERIMENTS,
}
_ORPHANS_AGAIN = 2.0
_MEASURING = 2
"""Error budgets measured at once: when the metrics server is slow, they must not take the canaries' workers and queries."""


@dataclass(frozen=True)
class Auditing:
    """Where the log is kept and published, how long its store keeps entries, and after how many silent seconds it shows life.

    Without `publishing` (no keys were given) nothing is signed.
    """

    records: Records
    publishing: Publishing | None
    keep: Keep
    heartbeat: float


@dataclass(frozen=True)
class Pace:
    """How often canaries and error budgets are looked at (seconds), and how many services, and services' experiments, at once."""

    interval: float
    budget_interval: float
    workers: int
    chaos_workers: int = 8


async def lead(
    world: World, ledger: NumberedLedger, queue: Queue[Key], pace: Pace, auditing: Auditing, term: Term
) -> None:
    """Settle what a predecessor left open, then work until cancelled. Raises Fenced when another operator leads."""
    measuring, trials = Queue[Key](), Queue[Key]()
    objectives = ObjectiveController(
        world.cluster, world.metrics, world.notes, world.measurements.objectives, world.clock, pace.budget_interval
    )
    publisher = _publisher(world, ledger, auditing)
    door = Door(world.cluster, ledger, publisher)
    by_kind = releasing.controllers_of(world, ledger, door, pace.interval)
    by_kind[OBJECTIVE] = _check(objectives, measuring)
    experiments = trying.controllers_of(world, ledger, door, pace.interval)
    by_kind |= _handed_to(trials, experiments)
    await _take_over(world.cluster, ledger, door, term)
    await _together(
        Loop(queue, by_kind, world.measurements, pace.workers),
        Loop(trials, experiments, world.measurements, pace.chaos_workers),
        Loop(measuring, {OBJECTIVE: by_name(objectives.measure)}, world.measurements, _MEASURING),
        _audit_loop(world, ledger, auditing, publisher),
    )


def _publisher(world: World, ledger: NumberedLedger, auditing: Auditing) -> Publisher | None:
    if auditing.publishing is None:
        return None
    retention = Retention(auditing.records, ledger, world.clock, auditing.keep)
    figures = world.measurements.audit
    return Publisher(auditing.publishing, auditing.records, ledger, world.clock, figures, retention)


def _audit_loop(world: World, ledger: NumberedLedger, auditing: Auditing, publisher: Publisher | None) -> Loop:
    """Return the loop that shows the log alive and publishes it."""
    kinds = {"Heartbeat": _regular(Heartbeat(ledger, world.clock, auditing.heartbeat).visit)}
    if publisher is not None:
        kinds["Publish"] = _regular(publisher.visit)
    queue = Queue[Key]()
    for kind in kinds:
        queue.add(Key(kind, "", "feem"))
    return Loop(queue, kinds, world.measurements, len(kinds))


def _regular(visit: Callable[[], Awaitable[float]]) -> Reconcile:
    async def again(_: Key) -> float | None:
        return await visit()

    return again


def _handed_to(other: Queue[Key], kinds: Iterable[str]) -> dict[str, Reconcile]:
    """Return what moves keys to a queue of their own: a slow metrics server of experiments must keep no release."""

    async def move(key: Key) -> None:
        other.add(key)

    return dict.fromkeys(kinds, move)


def _check(objectives: ObjectiveController, measuring: Queue[Key]) -> Reconcile:
    async def check(key: Key) -> None:
        if await objectives.check(key.namespace, key.name):
            measuring.add(key)

    return check


async def _together(*loops: Loop) -> None:
    """Run loops until one of them ends, which takes the others with it."""
    running = [asyncio.create_task(loop.run()) for loop in loops]
    try:
        ended, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.result()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _take_over(cluster: Cluster, ledger: Ledger, door: Door, term: Term) -> None:
    """Record who leads, then close the intents whose subject is gone; until the API server lets us."""

    def exists(subject: Subject) -> bool:
        body = cluster.get(_RESOURCES.get(subject.kind, ""), subject.namespace, subject.name)
        return body is not None and body["metadata"]["uid"] == subject.uid

    steps: tuple[Callable[[], Awaitable[None]], ...] = (
        lambda: record_leader(ledger, term),
        lambda: door.close_orphans(exists),
    )
    for step in steps:
        while True:
            try:
                await step()
            except (Conflict, Unavailable):
                await asyncio.sleep(_ORPHANS_AGAIN)
            else:
                break
