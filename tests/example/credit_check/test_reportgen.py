from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
import reportgen

from tests.example.credit_check.conftest import FACTORY
from tests.example.credit_check.world import refusing, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.example.credit_check.world import World


async def test_it_tells_what_clients_saw_and_people_come_again(world: World) -> None:
    service = await world.start()
    seen: list[reportgen.Response] = []
    load = reportgen.Load(f"http://127.0.0.1:{service.port}/credit-report", rate=100, seconds=1, applicants=5)
    assert await reportgen.run(load, seen.append) == {"200": 100}
    assert {(one.status, one.version, one.pod, one.record, one.error) for one in seen} == {
        (200, "1.0", "pod-1", "clean", None)
    }
    assert len(set(world.bureau.asked)) == 5
    assert all(0 < one.seconds < 10 for one in seen)


async def test_requests_that_hang_do_not_keep_the_others_from_leaving_on_time(world: World) -> None:
    world.bureau.ways = ["hangs"]
    service = await world.start(behaviour="trusting")
    seen: list[reportgen.Response] = []
    load = reportgen.Load(f"http://127.0.0.1:{service.port}/credit-report", rate=40, seconds=1, timeout=0.7)
    began = time.monotonic()
    assert await reportgen.run(load, seen.append) == {"0": 40}
    assert time.monotonic() - began < 4  # one after the other they would take 28 s
    assert {one.error for one in seen} == {"TimeoutError"}
    assert all(one.failed and one.seconds >= 0.7 for one in seen)
    await service.until("504", 40)


async def test_a_refused_connection_is_a_failure_with_its_reason_and_count_is_a_bound() -> None:
    seen: list[reportgen.Response] = []
    load = reportgen.Load(f"http://127.0.0.1:{refusing()}/", rate=50, seconds=60, count=3)
    assert await reportgen.run(load, seen.append) == {"0": 3}
    assert all("refused" in (one.error or "").lower() or "ConnectionRefused" in (one.error or "") for one in seen)


async def test_half_an_answer_is_none() -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 200 OK\r\nX-Version: 1.0\r\nContent-Length: 99\r\n\r\n{"record": "clean"}')
        writer.close()

    server = await asyncio.start_server(half, "127.0.0.1", 0)
    load = reportgen.Load(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", timeout=5)
    seen = await reportgen.ask(load, b"{}")
    server.close()
    assert seen.failed
    assert (seen.status, seen.record) == (0, "")
    assert "IncompleteReadError" in (seen.error or "")


@pytest.mark.parametrize(
    "wrong",
    [["--rate", "201"], ["--seconds", "3601"], ["--count", "0"], ["--rate", "200", "--timeout", "60"]],
)
def test_a_load_outside_its_bounds_is_not_sent(
    wrong: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "seen.jsonl"
    assert reportgen.main([f"http://127.0.0.1:{refusing()}/", "--out", str(out), *wrong]) == 2
    assert "at most" in capsys.readouterr().err
    assert not out.exists()


def test_only_plain_http_is_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert reportgen.main(["ftp://127.0.0.1/", "--out", str(tmp_path / "seen.jsonl")]) == 2
    assert "http://" in capsys.readouterr().err


async def test_the_command_writes_while_it_runs_and_ends_when_told(world: World, tmp_path: Path) -> None:
    service = await world.start()
    out = tmp_path / "seen.jsonl"
    words = [sys.executable, str(FACTORY / "credit-check" / "reportgen.py")]
    words += [f"http://127.0.0.1:{service.port}/credit-report", "--rate", "50", "--seconds", "600", "--out", str(out)]
    process = await asyncio.create_subprocess_exec(*words, stdout=subprocess.PIPE)
    await until(lambda: out.exists() and out.read_text().count("\n") >= 20, 20)
    process.send_signal(signal.SIGTERM)
    printed, _ = await process.communicate()
    assert process.returncode == 0
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert json.loads(printed)["requests"] == len(lines) >= 20
    assert lines[0].keys() >= {"at", "status", "version", "error", "seconds", "record"}
