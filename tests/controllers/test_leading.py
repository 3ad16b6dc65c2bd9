"""What a leader runs side by side: measuring budgets must not keep anything else, and ends with the leadership."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

import pytest

from feem import leading
from feem.api.audit import AuditSpec
from feem.api.objective import Indicator
from feem.controllers.chaos.neighbours import Allowed
from feem.controllers.leadership import Term
from feem.controllers.objective import ObjectiveController
from feem.controllers.retention import Keep
from feem.controllers.routing import OBJECTIVE
from feem.observe.metrics import OperatorMetrics
from feem.ports import Archive, Authority, Cluster, Entry, Fenced, QueryProblem, Records, Tickets, Unavailable
from feem.ports.chaos import Faults, Probing
from feem.runtime.loop import Key
from feem.runtime.queue import Queue
from feem.world import Chaos, World
from tests.controllers.facts import Facts
from tests.controllers.test_objective import NAME, NAMESPACE, RATIO, Clock, MetricsServer, Notes, Objects
from tests.world.rights import SimulatedPolicies


class Slow(MetricsServer):
    """Never answers; counts how many wait."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = 0

    async def exists(self, indicator: Indicator, namespace: str) -> QueryProblem | None:
        self.waiting += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.waiting -= 1
        return await super().exists(indicator, namespace)


TERM = Term("feem-system", "feem", 3, "feem-1_ab", "feem-0_cd")
PACE = leading.Pace(5.0, 60.0, 4)


def unpublished() -> leading.Auditing:
    return leading.Auditing(cast("Records", None), None, Keep(), 900)


def of(objects: Objects, server: MetricsServer, figures: OperatorMetrics) -> World:
    """A world in which nothing but objectives is looked at."""
    authority, tickets = cast("Authority", None), cast("Tickets", None)
    cluster, archive = cast("Cluster", objects), cast("Archive", None)
    policies = SimulatedPolicies()
    chaos = Chaos(cast("Faults", None), cast("Probing", None), Allowed(frozenset(), "feem-system"))
    return World(cluster, server, Notes(), archive, Clock(), figures, authority, tickets, policies, chaos)


@asynccontextmanager
async def leader(objects: Objects, server: MetricsServer, figures: OperatorMetrics) -> AsyncIterator[Queue[Key]]:
    queue = Queue[Key]()
    world = of(objects, server, figures)
    running = asyncio.create_task(leading.lead(world, Facts(), queue, PACE, unpublished(), TERM))
    try:
        yield queue
    finally:
        running.cancel()
        await asyncio.wait({running})


async def until(what: str, probe: Callable[[], bool]) -> None:
    for _ in range(200):
        if probe():
            return
        await asyncio.sleep(0.01)
    pytest.fail(f"{what} did not come")


def many(objects: Objects, count: int) -> list[str]:
    objects.put(RATIO)
    body = objects.bodies.pop(NAME)
    names = [f"{NAME}-{number}" for number in range(count)]
    for name in names:
        objects.bodies[name] = {**body, "metadata": {**body["metadata"], "name": name, "uid": name}}
    return names


async def test_an_event_leads_to_a_check_and_a_measurement() -> None:
    objects, figures = Objects(), OperatorMetrics()
    objects.put(RATIO)
    async with leader(objects, MetricsServer(), figures) as queue:
        queue.add(Key(OBJECTIVE, NAMESPACE, NAME))
        await until("the budget", lambda: "budget" in objects.bodies[NAME].get("status", {}))
    left = figures.registry.get_sample_value(
        "feem_slo_error_budget_left_ratio", {"namespace": NAMESPACE, "objective": NAME}
    )
    assert left == pytest.approx(0.8)


async def test_a_silent_metrics_server_keeps_no_objective_from_being_accepted() -> None:
    objects, server = Objects(), Slow()
    names = many(objects, 40)
    async with leader(objects, server, OperatorMetrics()) as queue:
        for name in names:
            queue.add(Key(OBJECTIVE, NAMESPACE, name))
        await until("acceptance", lambda: len(objects.writes) == 40)
        await asyncio.sleep(0.05)
        assert server.waiting == 2
    assert server.waiting == 0


async def test_fencing_ends_both_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    objects, server = Objects(), Slow()
    objects.put(RATIO)

    async def fenced(*_: object) -> bool:
        if not server.waiting:
            return True
        raise Fenced("another operator leads")

    queue = Queue[Key]()
    world = of(objects, server, OperatorMetrics())
    objects.bodies[NAME]["status"] = {
        "conditions": [
            {
                "type": "Accepted",
                "status": "True",
                "reason": "Accepted",
                "lastTransitionTime": "2026-03-02T09:30:00Z",
                "observedGeneration": 1,
            }
        ]
    }
    monkeypatch.setattr(ObjectiveController, "check", fenced)
    running = asyncio.create_task(leading.lead(world, Facts(), queue, PACE, unpublished(), TERM))
    queue.add(Key(OBJECTIVE, NAMESPACE, NAME))
    await until("the query", lambda: server.waiting == 1)
    queue.add(Key(OBJECTIVE, NAMESPACE, NAME))
    with pytest.raises(Fenced):
        await asyncio.wait_for(running, 5)
    assert server.waiting == 0


@pytest.mark.parametrize(
    ("before", "reason", "words"),
    [
        ("feem-0_cd", "LeaseExpired", "feem-1_ab leads in epoch 3: feem-0_cd no longer renewed the Lease"),
        ("", "LeaseFree", "feem-1_ab leads in epoch 3: nobody held the Lease"),
    ],
)
async def test_the_first_entry_of_an_epoch_says_who_leads(before: str, reason: str, words: str) -> None:
    ledger = Facts()
    world = of(Objects(), MetricsServer(), OperatorMetrics())
    term = Term("feem-system", "feem", 3, "feem-1_ab", before)
    running = asyncio.create_task(leading.lead(world, ledger, Queue[Key](), PACE, unpublished(), term))
    await until("the entry", lambda: bool(ledger.records))
    running.cancel()
    await asyncio.wait({running})
    first = ledger.records[0]
    assert (first.action, first.reason, first.message) == ("LeaderChanged", reason, words)
    assert (first.subject.kind, first.subject.namespace, first.subject.name) == ("Lease", "feem-system", "feem")


async def test_a_leader_whose_first_entry_is_not_taken_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger, failures = Facts(), [Unavailable("no answer")]
    append = ledger.append

    async def once(entry: Entry) -> AuditSpec:
        if failures:
            raise failures.pop()
        return await append(entry)

    monkeypatch.setattr(ledger, "append", once)
    monkeypatch.setattr(leading, "_ORPHANS_AGAIN", 0.01)
    world = of(Objects(), MetricsServer(), OperatorMetrics())
    running = asyncio.create_task(leading.lead(world, ledger, Queue[Key](), PACE, unpublished(), TERM))
    await until("the entry", lambda: bool(ledger.records))
    running.cancel()
    await asyncio.wait({running})
    assert ledger.told[0] == ("LeaderChanged", "LeaseExpired")
