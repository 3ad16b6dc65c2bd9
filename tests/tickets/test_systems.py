"""Look-ups beside the event loop: remembered, shared, bounded in time."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from feem.adapters.tickets import TicketSystems
from feem.adapters.tickets.systems import MOST
from feem.api.gate import TicketSystem
from feem.core.gates.facts import TicketAnswer
from feem.ports import Tickets as Port
from tests.tickets.conftest import jira_access, webhook_access
from tests.tickets.server import TOKEN, Tickets, page

JIRA, WEBHOOK = TicketSystem.JIRA, TicketSystem.WEBHOOK


class Watch:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def systems(address: str, token_file: Path, watch: Watch) -> Iterator[TicketSystems]:
    more: dict[str, Any] = {"token_file": token_file, "timeout": 0.5}
    made = TicketSystems(jira_access(address, **more), webhook_access(address, **more), monotonic=watch)
    yield made
    made.close()


async def test_each_system_is_asked_its_own_way(systems: TicketSystems, tickets: Tickets) -> None:
    port: Port = systems
    assert await port.look_up(JIRA, "PAY-7") == TicketAnswer(status="Approved")
    assert await port.look_up(WEBHOOK, "PAY-8") == TicketAnswer(status="In Review")
    assert [asked.split("/")[1] for asked in tickets.asked] == ["jira", "zentao"]


async def test_a_system_that_was_not_given_says_what_to_set() -> None:
    systems = TicketSystems()
    jira = await systems.look_up(JIRA, "PAY-7")
    assert jira == TicketAnswer(problem="FEEM has no Jira: set tickets.jira.url in the chart's values")
    webhook = await systems.look_up(WEBHOOK, "PAY-7")
    assert webhook.problem == "FEEM has no ticket webhook: set tickets.webhook.url in the chart's values"


async def test_an_answer_is_remembered_half_a_minute(systems: TicketSystems, tickets: Tickets, watch: Watch) -> None:
    assert (await systems.look_up(JIRA, "PAY-8")).status == "In Review"
    tickets.issues["PAY-8"] = "Approved"
    watch.now += 29
    assert (await systems.look_up(JIRA, "PAY-8")).status == "In Review"
    watch.now += 2
    assert (await systems.look_up(JIRA, "PAY-8")).status == "Approved"
    assert len(tickets.asked) == 2


async def test_a_problem_is_forgotten_after_five_seconds(
    systems: TicketSystems, tickets: Tickets, watch: Watch
) -> None:
    tickets.broken = lambda: page(500)
    assert (await systems.look_up(JIRA, "PAY-7")).problem
    tickets.broken = None
    watch.now += 4
    assert (await systems.look_up(JIRA, "PAY-7")).problem
    watch.now += 2
    assert (await systems.look_up(JIRA, "PAY-7")).status == "Approved"


async def test_the_same_ticket_is_asked_once_by_many(systems: TicketSystems, tickets: Tickets) -> None:
    tickets.delay = 0.1
    answers = await asyncio.gather(*(systems.look_up(JIRA, "PAY-7") for _ in range(20)))
    assert {answer.status for answer in answers} == {"Approved"}
    assert len(tickets.asked) == 1


async def test_who_gives_up_does_not_end_it_for_the_others(systems: TicketSystems, tickets: Tickets) -> None:
    tickets.delay = 0.1
    first = asyncio.create_task(systems.look_up(JIRA, "PAY-7"))
    second = asyncio.create_task(systems.look_up(JIRA, "PAY-7"))
    await asyncio.sleep(0.02)
    first.cancel()
    assert (await second).status == "Approved"


async def test_a_silent_system_stops_neither_the_loop_nor_the_caller(systems: TicketSystems, tickets: Tickets) -> None:
    tickets.delay = 5
    started, ticks = time.monotonic(), 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.02)
            ticks += 1

    ticking = asyncio.create_task(tick())
    answers = await asyncio.gather(*(systems.look_up(JIRA, f"PAY-{number}") for number in range(12)))
    ticking.cancel()
    assert all("did not answer within 0.5 s" in answer.problem for answer in answers)
    assert time.monotonic() - started < 1.5, "twelve look-ups, four threads, one limit for all"
    assert ticks >= 10
    tickets.ended.set()


async def test_what_nobody_foresaw_holds_one_gate(
    systems: TicketSystems, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(_: str) -> TicketAnswer:
        raise ZeroDivisionError(TOKEN)

    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(systems._providers[JIRA], "ask", fails)
    answer = await systems.look_up(JIRA, "PAY-7")
    assert "could not be asked (ZeroDivisionError)" in answer.problem
    assert TOKEN not in answer.problem + caplog.text


async def test_memory_is_bounded(systems: TicketSystems, watch: Watch) -> None:
    for number in range(MOST + 50):
        systems._remember((JIRA, f"PAY-{number}"), TicketAnswer(missing=True))
    assert len(systems._known) == MOST
    watch.now += 60
    systems._remember((JIRA, "PAY-X"), TicketAnswer(missing=True))
    assert len(systems._known) == 1
