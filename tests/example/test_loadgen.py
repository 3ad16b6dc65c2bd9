from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
from collections import Counter
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

import loadgen
import pytest
from limit_scoring.scoring import decide, parse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from limit_scoring.scoring import Application, Decision

    from tests.example.conftest import Start


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


class Switch:
    """Stands for a Service: new connections go to the pod of the moment, open ones stay where they are."""

    def __init__(self, port: int) -> None:
        self.backend = port
        self.port = 0

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[Switch]:
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield self
            server.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self.backend)
        await asyncio.gather(pipe(reader, to_writer), pipe(to_reader, writer))


async def test_a_version_switch_under_load_fails_no_request(start: Start) -> None:
    old, old_port = start(VERSION="1.0", DRAIN_SECONDS="1")
    _, new_port = start(VERSION="2.0")
    seen: list[loadgen.Response] = []
    async with Switch(old_port).serving() as service:
        load = loadgen.Load(f"http://127.0.0.1:{service.port}/decision", rate=150, seconds=4)
        running = asyncio.create_task(loadgen.run(load, seen.append))
        await asyncio.sleep(1.5)
        service.backend = new_port
        old.send_signal(signal.SIGTERM)
        summary = await running
    assert summary.failures == 0, summary.errors
    assert summary.requests == 600
    assert old.wait(timeout=5) == 0
    assert loadgen.shares(seen, until=seen[0].at + 1) == {"1.0": 1.0}
    assert loadgen.shares(seen, since=seen[-1].at - 1) == {"2.0": 1.0}
    last_old = max(response.at for response in seen if response.version == "1.0")
    first_new = min(response.at for response in seen if response.version == "2.0")
    assert last_old - first_new < 0.5  # every connection is told to close with its next answer


async def test_a_failing_version_is_seen_as_it_is(start: Start) -> None:
    _, port = start(VERSION="3.0", BEHAVIOUR="failing", ERROR_PERCENT="20")
    load = loadgen.Load(f"http://127.0.0.1:{port}/decision", rate=300, seconds=2)
    seen: list[loadgen.Response] = []
    summary = await loadgen.run(load, seen.append)
    assert summary.by_status.keys() == {"200", "500"}
    assert {response.decision for response in seen if response.failed} == {""}
    assert 0.13 < summary.failures / summary.requests < 0.27
    assert summary.first_failure_at is not None
    assert summary.by_version == Counter({"3.0": 600})


def test_the_command_writes_what_can_be_read_while_it_runs(start: Start, tmp_path: Path) -> None:
    _, port = start()
    out = tmp_path / "responses.jsonl"
    arguments = [f"http://127.0.0.1:{port}/decision", "--rate", "100", "--seconds", "1.5", "--out", str(out)]
    assert loadgen.main([*arguments, "--host", "limit-scoring.lending.example"]) == 0
    responses = loadgen.read(out)
    assert len(responses) == 150
    assert {(response.status, response.version, response.pod) for response in responses} == {(200, "1.0", "pod-1")}
    assert {response.decision for response in responses} == {"approved", "referred", "rejected"}
    with out.open("a") as file:
        file.write('{"at": 1')  # as if caught in the middle of a line
    assert loadgen.read(out) == responses


def test_the_summary_is_one_json_line(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    _, port = start(BEHAVIOUR="failing", ERROR_PERCENT="100")
    assert loadgen.main([f"http://127.0.0.1:{port}/decision", "--rate", "50", "--seconds", "1"]) == 1
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])["summary"]
    assert (summary["requests"], summary["failures"], summary["failure_share"]) == (50, 50, 1.0)
    assert summary["latency_ms"].keys() == {"p50", "p95", "p99", "max"}


async def test_a_refused_connection_is_a_failure_with_its_reason() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        load = loadgen.Load(f"http://127.0.0.1:{unused.getsockname()[1]}/", rate=20, seconds=0.5)
        summary = await loadgen.run(load, lambda _: None)
    assert (summary.requests, summary.failures, summary.reconnects) == (10, 10, 0)
    assert "ConnectionRefusedError" in next(iter(summary.errors))


@pytest.mark.parametrize(("answers", "failures", "reconnects"), [(1, 0, 9), (0, 10, 0)])
async def test_only_an_idle_connection_closed_by_the_server_is_tried_again(
    answers: int, failures: int, reconnects: int
) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(answers):
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        load = loadgen.Load(f"http://127.0.0.1:{port}/", rate=20, seconds=0.5, connections=1)
        summary = await loadgen.run(load, lambda _: None)
    assert (summary.failures, summary.reconnects) == (failures, reconnects)


async def test_a_stop_does_not_wait_for_the_next_rare_request(start: Start) -> None:
    _, port = start()
    stop = asyncio.Event()
    load = loadgen.Load(f"http://127.0.0.1:{port}/decision", rate=0.05, seconds=3600)
    running = asyncio.create_task(loadgen.run(load, lambda _: stop.set(), stop))
    async with asyncio.timeout(5):
        summary = await running
    assert (summary.requests, summary.failures) == (1, 0)


def test_a_wrong_url_is_said_plainly(capsys: pytest.CaptureFixture[str]) -> None:
    assert loadgen.main(["localhost:1"]) == 2
    assert "http://" in capsys.readouterr().err


def test_applicants_are_repeatable() -> None:
    bodies = list(islice(loadgen.applications(7), 500))
    assert bodies == list(islice(loadgen.applications(7), 500))


@pytest.mark.parametrize(
    ("score", "approved", "referred", "rejected"),
    [(decide, 55.6, 27.6, 16.8), (partial(decide, inverted=True), 83.9, 13.4, 2.8)],
    ids=["good", "inverted"],
)
def test_the_decisions_of_both_ways_to_score(
    score: Callable[[Application], Decision], approved: float, referred: float, rejected: float
) -> None:
    applicants = [parse(json.loads(body)) for body in islice(loadgen.applications(7), 10_000)]
    outcomes = Counter(score(applicant).outcome for applicant in applicants)
    assert outcomes["approved"] / 100 == pytest.approx(approved, abs=2)
    assert outcomes["referred"] / 100 == pytest.approx(referred, abs=2)
    assert outcomes["rejected"] / 100 == pytest.approx(rejected, abs=2)


def test_whoever_answers_the_applicants_are_drawn_alike() -> None:
    applicants = [parse(json.loads(body)) for body in islice(loadgen.applications(1), 20_000)]
    halves = [Counter(decide(applicant).outcome for applicant in applicants[part::2]) for part in (0, 1)]
    for outcome in halves[0]:
        assert halves[0][outcome] / 100 == pytest.approx(halves[1][outcome] / 100, abs=2)
