from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from credit_check.settings import SettingError, read

from tests.example.credit_check.conftest import FACTORY
from tests.example.credit_check.world import refusing, until

if TYPE_CHECKING:
    from tests.example.credit_check.world import World

GOOD = json.dumps({"application_id": "a", "applicant_id": "ada"}).encode()


async def test_the_metrics_have_the_names_and_labels_of_the_other_services(world: World) -> None:
    service = await world.start()
    await service.report()
    text = (await service.ask("GET /metrics")).body.decode()
    for line in (
        'http_requests_total{code="200",method="POST",path="/credit-report",version="1.0"} 1.0',
        'http_requests_total{code="500",method="POST",path="/credit-report",version="1.0"} 0.0',
        'http_requests_total{code="504",method="POST",path="/credit-report",version="1.0"} 0.0',
        'bureau_requests_total{result="ok",version="1.0"} 1.0',
        'bureau_requests_total{result="timeout",version="1.0"} 0.0',
        'bureau_requests_total{result="error",version="1.0"} 0.0',
        'bureau_cache_hits_total{version="1.0"} 0.0',
        'credit_reports_total{record="unknown",version="1.0"} 0.0',
        'credit_report_duration_seconds_bucket{le="0.5",version="1.0"} 1.0',
        'credit_report_duration_seconds_count{version="1.0"} 1.0',
    ):
        assert line in text
    assert "_created" not in text
    assert "metrics" not in text


async def test_every_answer_says_who_gave_it_and_closes_its_connection(world: World) -> None:
    service = await world.start()
    for line, body in (("POST /credit-report", GOOD), ("GET /healthz", b""), ("GET /nothing", b"")):
        seen = await service.ask(line, body)  # returns when the server has closed
        assert (seen.headers["x-version"], seen.headers["x-pod"]) == ("1.0", "pod-1")
        assert seen.headers["connection"] == "close"
        assert int(seen.headers["content-length"]) == len(seen.body)


async def test_probes_do_not_ask_the_bureau(world: World) -> None:
    for behaviour in ("resilient", "trusting"):
        service = await world.start(port=refusing(), behaviour=behaviour)
        assert [(await service.ask(f"GET {path}")).status for path in ("/healthz", "/readyz")] == [200, 200]
        assert service.calls() == {"ok": 0, "timeout": 0, "error": 0}


@pytest.mark.parametrize(
    ("line", "body", "status", "text"),
    [
        ("GET /nothing", b"", 404, "no such resource"),
        ("POST /nothing", GOOD, 404, "no such resource"),
        ("GET /credit-report", b"", 405, "takes POST"),
        ("POST /credit-report", b'{"application_id": "a"}', 422, "applicant_id"),
        ("POST /credit-report", b'{"application_id": "a", "applicant_id": "\\ud800"}', 422, "applicant_id"),
        ("POST /credit-report", b"[]", 422, "applicant_id"),
        ("POST /credit-report", b"no", 400, "not JSON"),
    ],
)
async def test_wrong_requests_get_an_answer_that_says_what_is_wrong(
    world: World, line: str, body: bytes, status: int, text: str
) -> None:
    service = await world.start()
    seen = await service.ask(line, body)
    assert seen.status == status
    assert text in seen.document["error"]
    assert world.bureau.asked == []


@pytest.mark.parametrize(
    ("line", "length"), [("POST /credit-report", "much"), ("POST /credit-report", "99999999"), ("odd", None)]
)
async def test_what_is_no_request_is_refused(world: World, line: str, length: str | None) -> None:
    service = await world.start()
    assert (await service.ask(line, length=length)).status == 400


async def test_clients_that_leave_early_or_send_half_a_request_are_no_errors(world: World) -> None:
    service = await world.start()
    for words in (b"", b"POST /credit-report HT", b"POST /credit-report HTTP/1.1\r\nContent-Length: 99\r\n\r\nhalf"):
        _, writer = await asyncio.open_connection("127.0.0.1", service.port)
        writer.write(words)
        writer.close()
    await asyncio.sleep(0.1)
    assert (await service.report()).status == 200
    assert [service.requests(code) for code in ("200", "500", "504")] == [1, 0, 0]


async def test_a_request_that_the_end_of_the_process_cuts_off_is_counted(world: World) -> None:
    world.bureau.ways = ["hangs"]
    service = await world.start(behaviour="trusting")
    client = await service.hang()
    await until(lambda: len(world.bureau.asked) == 1)
    await service.server.stop(0.1)
    assert (service.requests("500"), service.requests("504")) == (1, 0)
    client.close()


@pytest.mark.parametrize(
    "wrong",
    [
        {"BEHAVIOUR": "odd"},
        {"BUREAU_URL": "bureau"},
        {"BUREAU_URL": "https://bureau"},
        {"BUREAU_URL": "http://bureau:port"},
        {"BUREAU_SECONDS": "soon"},
        {"STRETCH_ROUNDS": "0"},
        {"PORT": "70000"},
    ],
)
def test_a_wrong_setting_is_named(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingError, match=next(iter(wrong))):
        read(wrong)


def test_settings_come_from_the_environment() -> None:
    given = read({"BUREAU_URL": "http://bureau.lending:8081/", "BUREAU_SECONDS": "0.2", "VERSION": "1.1"})
    assert (given.bureau_host, given.bureau_port, given.bureau_seconds) == ("bureau.lending", 8081, 0.2)
    assert (given.version, given.behaviour) == ("1.1", "resilient")


@pytest.mark.parametrize(("module", "app"), [("credit_check", "credit-check"), ("bureau", "bureau")])
def test_a_process_that_is_told_to_end_serves_on_for_its_drain_time_and_ends_well(module: str, app: str) -> None:
    given = {"ADDRESS": "127.0.0.1", "PORT": "0", "DRAIN_SECONDS": "1", "PYTHONPATH": str(FACTORY / app / "app")}
    words = [sys.executable, "-m", module]
    with subprocess.Popen(words, env={**os.environ, **given}, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            port = int(process.stdout.readline().split()[-1])
            process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            client.request("GET", "/readyz" if module == "credit_check" else "/healthz")
            assert client.getresponse().status == (503 if module == "credit_check" else 200)
            assert process.wait(timeout=10) == 0
        finally:
            process.kill()


def test_a_wrong_setting_ends_the_process_before_it_serves() -> None:
    given = {"BEHAVIOUR": "odd", "PYTHONPATH": str(FACTORY / "credit-check" / "app")}
    words = [sys.executable, "-m", "credit_check"]
    done = subprocess.run(words, env={**os.environ, **given}, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 2
    assert "BEHAVIOUR='odd'" in done.stderr
