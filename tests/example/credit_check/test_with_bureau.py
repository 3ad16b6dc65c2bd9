"""The service and two replicas of the real example bureau, behind what stands for a Service."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from itertools import cycle
from typing import TYPE_CHECKING

import pytest
from bureau.server import BureauServer, record

if TYPE_CHECKING:
    from tests.example.credit_check.world import World


@contextlib.contextmanager
def replica() -> Iterator[int]:
    server = BureauServer("127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


class Turns:
    """Gives each new connection to the next replica; None is one that a partition cut off."""

    def __init__(self, *replicas: int | None) -> None:
        self.replicas = cycle(replicas)
        self.connections = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        port = next(self.replicas)
        if port is None:
            await reader.read(-1)
            writer.close()
            return
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_pipe(reader, to_writer), _pipe(to_reader, writer))


def get(port: int, path: str) -> tuple[int, dict[str, object]]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_the_bureau_says_the_same_of_one_person_at_each_replica_and_that_it_makes_it_up() -> None:
    with replica() as first, replica() as second:
        assert get(first, "/record?id=ada%20b") == get(second, "/record?id=ada%20b") == (200, record("ada b"))
        assert get(first, "/healthz")[0] == 200
        assert [get(first, path)[0] for path in ("/record", "/record?id=", f"/record?id={'x' * 129}", "/other")] == [
            400,
            400,
            400,
            404,
        ]
    assert record("ada b")["synthetic"] is True


def test_about_one_in_twelve_has_adverse_records() -> None:
    seen = Counter(record(f"person-{number}")["adverse_records"] for number in range(5000))
    assert 0.06 < 1 - seen[0] / 5000 < 0.10
    assert set(seen) == {0, 1, 2}


@pytest.mark.parametrize(
    ("version", "behaviour", "statuses"), [("1.0", "resilient", {200}), ("1.1", "trusting", {200, 504})]
)
async def test_a_replica_that_is_cut_off_costs_the_resilient_version_a_retry_and_the_other_its_requests(
    world: World, version: str, behaviour: str, statuses: set[int]
) -> None:
    with replica() as alive:
        turns = Turns(None, alive)
        listening = await asyncio.start_server(turns, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        service = await world.start(port=port, version=version, behaviour=behaviour, overdue_seconds=0.3)
        clients = []
        for number in range(6):
            if behaviour == "resilient":
                seen = await service.report(f"person-{number}")
                assert (seen.status, seen.document["source"]) == (200, "bureau")
                assert seen.document["record"] == (
                    "adverse" if record(f"person-{number}")["adverse_records"] else "clean"
                )
            else:
                clients.append(await service.hang(f"person-{number}"))
                await asyncio.sleep(0.05)
        if 504 in statuses:
            await service.until("504", 3)
        counted = {code for code in (200, 500, 504) if service.requests(str(code))}
        assert counted == statuses
        assert turns.connections == (12 if behaviour == "resilient" else 6)  # never one connection twice
        for client in clients:
            client.close()
        listening.close()
