"""Version 1.1 hangs with its bureau, and the figures say so while it does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from credit_check.counting import OVERDUE_SECONDS
from credit_check.metrics import SECONDS

from tests.example.credit_check.world import cut_off, refusing, until

if TYPE_CHECKING:
    from tests.example.credit_check.world import Way, World

TRUSTING: dict[str, Any] = {"version": "1.1", "behaviour": "trusting"}


async def test_it_answers_as_the_other_one_while_the_bureau_does(world: World) -> None:
    service = await world.start(**TRUSTING)
    seen = await service.report()
    assert (seen.status, seen.document["record"], seen.document["version"]) == (200, "clean", "1.1")
    assert service.calls() == {"ok": 1, "timeout": 0, "error": 0}


@pytest.mark.parametrize("way", ["fails", "breaks off", "lies"])
async def test_an_error_of_the_bureau_is_one_of_its_own_without_a_second_try(world: World, way: Way) -> None:
    world.bureau.ways = ["answers", way, "answers"]
    service = await world.start(**TRUSTING)
    assert (await service.report()).status == 200
    assert (await service.report()).status == 500  # and no cache
    assert len(world.bureau.asked) == 2
    assert (service.requests("200"), service.requests("500")) == (1, 1)
    assert service.calls() == {"ok": 1, "timeout": 0, "error": 1}


async def test_a_refused_connection_is_an_error_too(world: World) -> None:
    service = await world.start(port=refusing(), **TRUSTING)
    assert (await service.report()).status == 500


async def test_a_request_whose_client_gives_up_counts_as_504_at_once_and_ends(world: World) -> None:
    world.bureau.ways = ["hangs"]
    service = await world.start(**TRUSTING)
    client = await service.hang()
    await asyncio.sleep(0.6)
    assert (service.requests("504"), world.bureau.gone) == (0, 0)  # much longer than 1.0 would wait, and still hanging
    client.close()
    await service.until("504", 1, seconds=1)
    assert service.value("credit_report_duration_seconds_bucket", le="0.5") == 0
    assert service.value("credit_report_duration_seconds_count") == 1
    assert service.calls() == {"ok": 0, "timeout": 1, "error": 0}
    await until(lambda: world.bureau.gone == 1)


async def test_a_request_whose_packets_vanish_hangs_and_ends_with_its_client(world: World) -> None:
    with cut_off() as port:
        service = await world.start(port=port, **TRUSTING)
        client = await service.hang()
        await asyncio.sleep(0.6)
        assert service.requests("504") == 0
        client.close()
        await service.until("504", 1, seconds=1)


async def test_an_overdue_request_is_counted_while_it_hangs_once_and_is_not_ended(world: World) -> None:
    world.bureau.ways = ["hangs"]
    service = await world.start(overdue_seconds=0.3, **TRUSTING)
    client = await service.hang()
    await service.until("504", 1, seconds=2)
    assert world.bureau.gone == 0
    client.close()
    await until(lambda: world.bureau.gone == 1)
    await asyncio.sleep(0.05)
    assert service.requests("504") == 1
    assert service.value("credit_report_duration_seconds_count") == 1


async def test_an_answer_that_comes_after_all_is_sent_and_stays_bad(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve = world.bureau.serve

    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.6)
        await serve(reader, writer)

    listening = await asyncio.start_server(late, "127.0.0.1", 0)
    service = await world.start(port=listening.sockets[0].getsockname()[1], overdue_seconds=0.2, **TRUSTING)
    seen = await service.report()
    listening.close()
    assert (seen.status, seen.document["record"]) == (200, "clean")
    assert seen.seconds >= 0.6
    assert (service.requests("200"), service.requests("504")) == (0, 1)


def test_the_overdue_time_is_longer_than_the_gateways_and_short_enough_to_be_seen() -> None:
    assert 2 < OVERDUE_SECONDS <= 3
    assert OVERDUE_SECONDS in SECONDS


async def test_many_hanging_requests_leave_probes_alone_and_all_end_with_their_clients(world: World) -> None:
    world.bureau.ways = ["hangs"]
    service = await world.start(**TRUSTING)
    clients = [await service.hang(str(number)) for number in range(100)]
    await until(lambda: len(world.bureau.asked) == 100, 10)
    ready = await service.ask("GET /readyz")
    assert ready.status == 200
    assert ready.seconds < 1
    for client in clients:
        client.close()
    await service.until("504", 100)
    await until(lambda: world.bureau.gone == 100)
