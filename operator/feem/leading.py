"""What a leading operator runs: the controllers over one ledger, and the loop that feeds them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from feem.api.audit import Subject
from feem.controllers.acceptance import AcceptanceController
from feem.controllers.closer import Closer
from feem.controllers.decision import DecisionController
from feem.controllers.door import Door
from feem.controllers.examiner import Examiner
from feem.controllers.gather import Gatherer
from feem.controllers.guarding import GuardController, GuardWatch
from feem.controllers.heartbeat import Heartbeat
from feem.controllers.judge import Judge
from feem.controllers.leadership import Term, record_leader
from feem.controllers.objective import ObjectiveController
from feem.controllers.profile import ProfileController
from feem.controllers.publisher import Publisher, Publishing
from feem.controllers.release import ReleaseController
from feem.controllers.resources import EXPERIMENTS, RELEASES, RUNS, SERVICES_MANAGED
from feem.controllers.retention import Keep, Retention
from feem.controllers.routing import DECISION, GUARD, OBJECTIVE, PLAN, PROFILE, SERVICE, WINDOW
from feem.controllers.sealing import Sealer
from feem.controllers.service import ServiceController
from feem.controllers.window import WindowController
from feem.observe.metrics import OperatorMetrics
from feem.ports import (
    Archive,
    Authority,
    Clock,
    Cluster,
    Conflict,
    Ledger,
    Metrics,
    Notes,
    NumberedLedger,
    Policies,
    Records,
    Signer,
    Tickets,
    Unavailable,
)
from feem.runtime.loop import Key, Loop, Reconcile
from feem.runtime.queue import Queue
from feem.trying import Chaos, Lab, controllers_of, handed_to

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
class World:
    """The ports, bound to something."""

    cluster: Cluster
    metrics: Metrics
    notes: Notes
    archive: Archive
    clock: Clock
    measurements: OperatorMetrics
    authority: Authority
    tickets: Tickets
    policies: Policies
    chaos: Chaos
    signer: Signer | None = None
    """The audit log's keys; None: nothing is signed."""
    origin: str = ""
    """The audit log's name."""


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


def controllers(
    world: World,
    ledger: Ledger,
    pace: Pace,
    objectives: ObjectiveController,
    measuring: Queue[Key],
    publisher: Publisher | None = None,
) -> tuple[dict[str, Reconcile], Door]:
    """Wire the controllers; returns them by kind of key, and the door they act through."""
    watch = GuardWatch(world.cluster, world.policies)
    gatherer = Gatherer(world.cluster, world.clock, pace.interval, watch)
    examiner = Examiner(world.cluster, world.clock, gatherer, authority=world.authority, tickets=world.tickets)
    closer = Closer(world.cluster, ledger, world.notes, world.clock, examiner)
    door = Door(world.cluster, ledger, publisher)
    judge = Judge(world.metrics, world.measurements, world.clock, pace.interval)
    releases = ReleaseController(
        world.cluster,
        ledger,
        world.notes,
        world.measurements,
        world.clock,
        gatherer=gatherer,
        judge=judge,
        door=door,
        archive=world.archive,
        examiner=examiner,
        sealer=Sealer(world.cluster, world.origin, world.signer),
    )
    services = ServiceController(world.cluster, ledger, world.notes, gatherer, releases, door, closer)
    acceptance = AcceptanceController(world.cluster, world.clock)
    decisions = DecisionController(world.cluster, ledger, world.clock, gatherer, examiner)
    profiles, windows = (
        ProfileController(world.cluster, ledger, world.clock),
        WindowController(world.cluster, ledger, world.notes, world.clock),
    )
    guard = GuardController(ledger, watch)

    async def service(key: Key) -> float | None:
        return await services.reconcile(key.namespace, key.name)

    async def objective(key: Key) -> None:
        if await objectives.check(key.namespace, key.name):
            measuring.add(key)

    async def plan(key: Key) -> None:
        await acceptance.reconcile(key.namespace, key.name)

    async def decision(key: Key) -> None:
        await decisions.reconcile(key.namespace, key.name)

    async def profile(key: Key) -> None:
        await profiles.reconcile(key.name)

    async def window(key: Key) -> float | None:
        return await windows.reconcile(key.name)

    async def guarded(_: Key) -> None:
        await guard.reconcile()

    by_kind: dict[str, Reconcile] = {
        SERVICE: service,
        OBJECTIVE: objective,
        PLAN: plan,
        DECISION: decision,
        PROFILE: profile,
        WINDOW: window,
        GUARD: guarded,
    }
    return by_kind, door


async def lead(
    world: World, ledger: NumberedLedger, queue: Queue[Key], pace: Pace, auditing: Auditing, term: Term
) -> None:
    """Settle what a predecessor left open, then work until cancelled. Raises Fenced when another operator leads."""
    measuring = Queue[Key]()
    objectives = ObjectiveController(
        world.cluster, world.metrics, world.notes, world.measurements.objectives, world.clock, pace.budget_interval
    )
    publisher = _publisher(world, ledger, auditing)
    by_kind, door = controllers(world, ledger, pace, objectives, measuring, publisher)
    trying = Queue[Key]()
    by_kind |= handed_to(trying)
    figures = world.measurements.chaos
    lab = Lab(world.cluster, ledger, world.notes, world.metrics, figures, world.clock, door, pace.interval)
    await _take_over(world.cluster, ledger, door, term)
    await _together(
        Loop(queue, by_kind, world.measurements, pace.workers),
        Loop(trying, controllers_of(lab, world.chaos), world.measurements, pace.chaos_workers),
        Loop(measuring, {OBJECTIVE: _measure(objectives)}, world.measurements, _MEASURING),
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


def _measure(objectives: ObjectiveController) -> Reconcile:
    async def measure(key: Key) -> float | None:
        return await objectives.measure(key.namespace, key.name)

    return measure


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
