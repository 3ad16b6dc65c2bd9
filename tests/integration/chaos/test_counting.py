"""Crash points are the writes that are carried out, whatever is refused in between: else a busy controller moves or adds some."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest
from kubernetes.aio.client.configuration import Configuration

from feem.adapters.kubernetes.client import Client
from feem.adapters.kubernetes.request import Request
from feem.adapters.kubernetes.resources import DEPLOYMENTS
from feem.ports import Body, Conflict
from tests.integration.chaos.counting import MOMENTS, CountingClient, Crash, Moment

WRITES = 3
Way = Callable[[CountingClient], Awaitable[None]]


class Server:
    """Carries writes out, but refuses the ones of these places, counted from 1."""

    def __init__(self, refused: Sequence[int]) -> None:
        self.refused = refused
        self.seen = 0
        self.carried_out = 0

    async def send(self, _: Request) -> Body:
        self.seen += 1
        seen = self.seen
        await asyncio.sleep(0)
        if seen in self.refused:
            raise Conflict("the object is not as it was when it was read")
        self.carried_out += 1
        return {}


@pytest.fixture(params=[(), (1,), (2,), (3,), (1, 2), (2, 3, 4)], ids=str)
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Server:
    made = Server(request.param)
    monkeypatch.setattr(Client, "send", lambda _, request: made.send(request))
    return made


async def written(client: CountingClient) -> None:
    """Write once, again and again until it is carried out."""
    while True:
        try:
            await client.patch(DEPLOYMENTS, "default", "scoring", [])
        except Conflict:
            continue
        return


async def one_by_one(client: CountingClient) -> None:
    for _ in range(WRITES):
        await written(client)


async def at_once(client: CountingClient) -> None:
    outcomes = await asyncio.gather(*(written(client) for _ in range(WRITES)), return_exceptions=True)
    for outcome in outcomes:
        if outcome is not None:
            raise outcome


@pytest.mark.parametrize("way", [one_by_one, at_once])
async def test_a_refused_write_is_not_counted(server: Server, way: Way) -> None:
    async with CountingClient(Configuration()) as client:
        await way(client)
        assert client.asked == len(client.written) == server.carried_out == WRITES
        assert server.seen == WRITES + len(server.refused)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("number", range(1, WRITES + 1))
@pytest.mark.parametrize("way", [one_by_one, at_once])
async def test_it_crashes_at_every_write_whatever_is_refused(
    server: Server, way: Way, number: int, moment: Moment
) -> None:
    async with CountingClient(Configuration()) as client:
        client.crash_at(number, moment)
        with pytest.raises(Crash):
            await way(client)
        if way is one_by_one:
            assert server.carried_out == (number if moment == "after" else number - 1)
        with pytest.raises(Crash):
            await client.patch(DEPLOYMENTS, "default", "scoring", [])


@pytest.mark.parametrize("moment", MOMENTS)
async def test_it_goes_on_beyond_the_last_one(server: Server, moment: Moment) -> None:
    async with CountingClient(Configuration()) as client:
        client.crash_at(WRITES + 1, moment)
        await one_by_one(client)
        assert server.carried_out == WRITES
