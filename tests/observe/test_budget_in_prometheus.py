"""A whole round with a real Prometheus: it scrapes a service, FEEM measures its budget there, and its rules see FEEM's figures."""

from __future__ import annotations

import asyncio
import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
import requests
from prometheus_client import CollectorRegistry, Counter, make_wsgi_app

from e2e.cluster import binaries
from e2e.cluster.paths import cache_root
from e2e.cluster.ports import free_port
from feem.adapters.prometheus.metrics import PrometheusMetrics
from feem.controllers.objective import ObjectiveController
from feem.observe.metrics import OperatorMetrics
from tests.controllers.test_objective import NAME, NAMESPACE, RATIO, Notes, Objects

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

ALERTS = Path(__file__).parents[2] / "charts" / "feem" / "files" / "alerts" / "feem.yaml"


class Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Keep the tests' output to the tests."""


@contextmanager
def exporter(registry: CollectorRegistry) -> Iterator[int]:
    with make_server("127.0.0.1", 0, make_wsgi_app(registry), handler_class=Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@contextmanager
def prometheus(folder: Path, service: int, operator: int) -> Iterator[str]:
    program = binaries.ensure(("prometheus",), cache_root(), print)["prometheus"]
    pod = {"namespace": NAMESPACE, "pod": "answers-5f-aaaaa"}
    jobs = [
        {"job_name": "service", "static_configs": [{"targets": [f"127.0.0.1:{service}"], "labels": pod}]},
        {"job_name": "feem", "honor_labels": True, "static_configs": [{"targets": [f"127.0.0.1:{operator}"]}]},
    ]
    pace = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    config = folder / "prometheus.yml"
    config.write_text(json.dumps({"global": pace, "rule_files": [str(ALERTS)], "scrape_configs": jobs}))
    address = f"127.0.0.1:{free_port()}"
    arguments = [f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address={address}"]
    with (folder / "log").open("wb") as log, subprocess.Popen([program, *arguments], stdout=log, stderr=log) as process:
        try:
            until("Prometheus", lambda: ready(f"http://{address}") or process.poll() is not None)
            assert process.poll() is None, (folder / "log").read_text()[-2000:]
            yield f"http://{address}"
        finally:
            process.terminate()
            process.wait(20)


def ready(url: str) -> bool:
    try:
        return requests.get(f"{url}/-/ready", timeout=1).ok
    except requests.RequestException:
        return False


def until(what: str, probe: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = probe()
        if found:
            return found
        time.sleep(0.2)
    pytest.fail(f"{what} did not come within {seconds:.0f} s")


def alerts(url: str) -> set[str]:
    return {
        item["labels"]["alertname"] for item in requests.get(f"{url}/api/v1/alerts", timeout=5).json()["data"]["alerts"]
    }


async def test_a_burning_budget_is_measured_and_alerted(tmp_path: Path) -> None:
    service, figures, objects, notes = CollectorRegistry(), OperatorMetrics(), Objects(), Notes()
    answers = Counter("answers", "Answers.", ("code",), registry=service)
    answers.labels("200").inc(1000)
    figures.leading(True)
    objects.put(RATIO)
    with exporter(service) as one, exporter(figures.registry) as other, prometheus(tmp_path, one, other) as url:
        metrics = PrometheusMetrics(url)
        controller = ObjectiveController(objects, metrics, notes, figures.objectives, Clock(), interval=0.01)

        async def said(kind: str) -> str:
            assert await controller.check(NAMESPACE, NAME)
            await controller.measure(NAMESPACE, NAME)
            conditions: list[dict[str, str]] = objects.bodies[NAME]["status"]["conditions"]
            return next(item["reason"] for item in conditions if item["type"] == kind)

        async def comes(kind: str, *reasons: str) -> None:
            deadline = time.monotonic() + 60
            while await said(kind) not in reasons:
                assert time.monotonic() < deadline, objects.bodies[NAME]["status"]
                answers.labels("200").inc(50)
                await asyncio.sleep(0.3)

        await comes("Measured", "SeriesFound")
        await comes("BudgetHealthy", "BudgetHealthy")
        assert objects.bodies[NAME]["status"]["budget"]["left"] == "100.0%"
        assert notes.said == []
        answers.labels("500").inc(0)
        await asyncio.sleep(3)
        answers.labels("500").inc(500)
        await comes("BudgetHealthy", "BurnsFast")
        assert notes.said == [("BurnsFast", True)]
        await asyncio.to_thread(until, "the alert", lambda: "FeemErrorBudgetBurnsFast" in alerts(url))
        told = await asyncio.to_thread(alerts, url)
        assert {"FeemErrorBudgetSpent"} <= told
        assert not told & {"FeemWithoutLeader", "FeemObjectiveNotMeasured"}
    assert await said("Measured") == "MetricsUnavailable"
    assert await said("BudgetHealthy") == "MetricsUnavailable"
    assert objects.bodies[NAME]["status"]["budget"]["left"].startswith("-")
    metrics.close()
