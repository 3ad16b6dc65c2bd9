"""The witness on HTTP, and the client that asks it."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest

from feem.adapters.audit.witness_desk import WitnessDesk
from feem.adapters.audit.witness_request import MAX_BODY
from feem.adapters.audit.witness_server import WitnessServer
from feem.adapters.audit.witness_state import Head, WitnessState
from feem.adapters.audit.witnesses import HttpWitness
from feem.core.tlog.signing import open_checkpoint
from feem.ports import Unavailable, WitnessAhead, WitnessDisagrees
from tests.witness.growing import NAME, ORIGIN, Log, desk


@pytest.fixture
def log() -> Log:
    return Log(20)


@pytest.fixture
def witness(tmp_path: Path, log: Log) -> WitnessDesk:
    return desk(tmp_path, log)


@pytest.fixture
async def server(witness: WitnessDesk) -> AsyncIterator[WitnessServer]:
    running = WitnessServer(witness, "127.0.0.1", 0)
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


def client(server: WitnessServer, witness: WitnessDesk, timeout: float = 5.0) -> HttpWitness:
    return HttpWitness("auditor", [key.key for key in witness.state.keys], server.url, timeout)


async def show(asking: HttpWitness, log: Log, size: int | None = None) -> tuple[str, ...]:
    checkpoint = log.checkpoint(size)
    return tuple(
        await asking.cosign(log.note(size), checkpoint, lambda old: log.tree.consistency(old, checkpoint.size))
    )


async def test_statuses_types_and_bodies(server: WitnessServer, session: aiohttp.ClientSession, log: Log) -> None:
    url = f"{server.url}/add-checkpoint"
    async with session.post(url, data=log.body(0, 10)) as answer:
        assert (answer.status, answer.content_type) == (200, "text/plain")
        lines = (await answer.text()).splitlines(keepends=True)
        assert len(lines) == 2
        assert all(line.startswith(f"\N{EM DASH} {NAME} ") and line.endswith("\n") for line in lines)
    async with session.post(url, data=log.body(3)) as answer:
        assert (answer.status, await answer.text()) == (409, "10\n")
        assert answer.headers["Content-Type"] == "text/x.tlog.size"
    for status, body in (
        (400, b"old ten"),
        (403, Log(20).body(0)),
        (404, Log(20, origin="feem.dev/audit/elsewhere").body(0)),
        (422, log.fork(9, 20).body(10)),
        (413, b"x" * (MAX_BODY + 1)),
    ):
        async with session.post(url, data=body) as answer:
            assert answer.status == status
    for method in ("GET", "PUT", "DELETE"):
        async with session.request(method, url) as answer:
            assert answer.status == 405


async def test_monitors_read_the_last_cosigned_head(
    server: WitnessServer, session: aiohttp.ClientSession, witness: WitnessDesk, log: Log
) -> None:
    place = f"{server.url}/checkpoints/{quote(ORIGIN, safe='')}"
    async with session.get(place) as answer:
        assert answer.status == 404
    async with session.post(f"{server.url}/add-checkpoint", data=log.body(0)):
        pass
    for url in (place, f"{server.url}/checkpoints/{ORIGIN}"):
        async with session.get(url) as answer:
            note = await answer.text()
        keys = [key.key for key in witness.state.keys]
        assert set(open_checkpoint(note, (*log.signer.keys, *keys)).witnesses) == set(keys)


async def test_the_status_says_what_it_watches_and_what_speaks_against_it(
    server: WitnessServer, session: aiohttp.ClientSession, witness: WitnessDesk, log: Log
) -> None:
    async def page(path: str) -> tuple[int, str]:
        async with session.get(server.url + path) as answer:
            return answer.status, await answer.text()

    assert "nothing seen yet" in (await page("/"))[1]
    witness.submit(log.body(0, 10))
    status, text = await page("/")
    assert status == 200
    assert all(key.key.vkey() in text for key in witness.state.keys)
    assert f"log {ORIGIN}\n  10 entries, root {log.tree.root(10).hex()}, at 2025-06-15T15:06:40Z\n" in text
    assert "TWO HISTORIES" not in text
    witness.submit(log.fork(5, 10).body(10))
    witness.submit(log.fork(5, 15).body(10))
    text = (await page("/"))[1]
    assert "TWO HISTORIES: 1 signed" in text
    assert "1 signed heads not shown to go on" in text
    assert await page("/healthz") == (200, "ok\n")


async def test_of_two_requests_at_once_one_is_told_to_ask_again(
    server: WitnessServer, session: aiohttp.ClientSession, log: Log
) -> None:
    async def post(size: int) -> int:
        async with session.post(f"{server.url}/add-checkpoint", data=log.body(old, size)) as answer:
            return answer.status

    old = 0
    for size in range(2, 20, 2):
        assert sorted(await asyncio.gather(post(size), post(size + 1))) == [200, 409]
        async with session.get(f"{server.url}/checkpoints/{ORIGIN}") as answer:
            old = int((await answer.text()).split("\n")[1])


async def test_a_full_disk_signs_nothing(
    server: WitnessServer,
    session: aiohttp.ClientSession,
    witness: WitnessDesk,
    log: Log,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(_state: WitnessState, _head: Head) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    asking = client(server, witness)
    await show(asking, log, 10)
    with monkeypatch.context() as patched:
        patched.setattr(WitnessState, "put", full)
        with pytest.raises(Unavailable, match="503"):
            await show(asking, log)
        async with session.get(f"{server.url}/healthz") as answer:
            assert answer.status == 503
            assert "No space left" in await answer.text()
    assert witness.state.heads[ORIGIN].checkpoint.size == 10
    assert len(await show(asking, log)) == 2
    async with session.get(f"{server.url}/healthz") as answer:
        assert answer.status == 200


async def test_the_client_gets_checked_lines_and_learns_sizes(
    server: WitnessServer, witness: WitnessDesk, log: Log
) -> None:
    asking, keys = client(server, witness), [key.key for key in witness.state.keys]
    for size in (0, 1, 5, 5, 20):
        lines = await show(asking, log, size)
        note = log.note(size) + "".join(line + "\n" for line in lines)
        assert set(open_checkpoint(note, (*log.signer.keys, *keys)).witnesses) == set(keys)
    log.grow(5)
    assert len(await show(client(server, witness), log)) == 2  # a new client is told the size and asks again


async def test_two_clients_of_one_witness_each_with_one_of_its_keys(
    server: WitnessServer, witness: WitnessDesk, log: Log
) -> None:
    asking = [HttpWitness(str(key.key.algorithm), [key.key], server.url) for key in witness.state.keys]
    for size in (3, 11, 20):
        answers = await asyncio.gather(*(show(one, log, size) for one in asking))
        assert [len(lines) for lines in answers] == [1, 1]


async def test_a_restored_log_hears_that_the_witness_is_ahead(
    server: WitnessServer, witness: WitnessDesk, log: Log
) -> None:
    asking = client(server, witness)
    await show(asking, log, 20)
    for one in (asking, client(server, witness)):
        with pytest.raises(WitnessAhead) as told:
            await show(one, log, 15)
        assert (told.value.witness, told.value.size) == ("auditor", 20)


@pytest.mark.parametrize(("at", "size"), [(5, 20), (5, 30), (19, 21)])
async def test_a_fork_hears_that_the_witness_disagrees(
    server: WitnessServer, witness: WitnessDesk, log: Log, at: int, size: int
) -> None:
    asking = client(server, witness)
    await show(asking, log, 20)
    for one in (asking, client(server, witness)):
        with pytest.raises(WitnessDisagrees):
            await show(one, log.fork(at, size))


async def test_an_unknown_log_and_a_dead_witness_are_unavailable(
    server: WitnessServer, witness: WitnessDesk, log: Log
) -> None:
    with pytest.raises(Unavailable, match="does not know this log"):
        await show(client(server, witness), Log(3, origin="feem.dev/audit/elsewhere"))
    with pytest.raises(Unavailable, match="does not trust these signatures"):
        await show(client(server, witness), Log(3))
    await server.stop()
    with pytest.raises(Unavailable, match="witness auditor at http://127"):
        await show(HttpWitness("auditor", [], server.url), log)


async def test_it_asks_the_url_it_was_given_with_or_without_a_slash(
    server: WitnessServer, witness: WitnessDesk, log: Log
) -> None:
    keys = [key.key for key in witness.state.keys]
    assert len(await show(HttpWitness("auditor", keys, server.url + "/"), log)) == 2


async def test_a_server_can_be_stopped_twice_and_its_port_is_refused(witness: WitnessDesk) -> None:
    first = WitnessServer(witness, "127.0.0.1", 0)
    await first.start()
    port = int(first.url.rpartition(":")[2])
    with pytest.raises(OSError):
        await WitnessServer(witness, "127.0.0.1", port).start()
    await first.stop()
    await first.stop()
    sizes: Sequence[int] = [head.checkpoint.size for head in witness.state.heads.values()]
    assert not sizes
