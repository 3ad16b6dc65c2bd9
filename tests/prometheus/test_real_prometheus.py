"""Proves against a real Prometheus that raw samples give the true counts, a restart of the process included."""

from __future__ import annotations

import asyncio
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from e2e.cluster import binaries
from e2e.cluster.paths import cache_root
from e2e.cluster.ports import free_port
from feem.adapters.prometheus import connection
from feem.adapters.prometheus.metrics import PrometheusMetrics
from feem.api.release import Outcome, TrackCounts
from feem.core.evidence.counter import newest
from feem.core.evidence.samples import Evidence, SampleRequest
from feem.core.evidence.verdict import judge
from tests.evidence.samples import objective

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

CANARY, STABLE = "scoring-canary-7c-aaaaa", "scoring-5f-bbbbb"
SECONDS_TO_SCRAPE = 20


@dataclass
class Pods:
    """Two pods' counters, by pod and code, as their processes would expose them."""

    counters: dict[str, dict[str, int]]
    lock: threading.Lock = field(default_factory=threading.Lock)

    def set(self, pod: str, **codes: int) -> None:
        with self.lock:
            self.counters[pod] = {code.removeprefix("c"): value for code, value in codes.items()}

    def page(self, pod: str) -> str:
        with self.lock:
            lines = [f'x_total{{code="{code}"}} {value}' for code, value in self.counters[pod].items()]
        return "\n".join(["# TYPE x_total counter", *lines, ""])


@contextmanager
def exporter(pods: Pods) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = pods.page(self.path.strip("/")).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep the tests' output to the tests."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def configuration(port: int) -> str:
    """JSON is YAML, too."""
    jobs = [
        {
            "job_name": pod,
            "metrics_path": f"/{pod}",
            "static_configs": [{"targets": [f"127.0.0.1:{port}"], "labels": {"namespace": "bank", "pod": pod}}],
        }
        for pod in (CANARY, STABLE)
    ]
    return json.dumps({"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": jobs})


@contextmanager
def prometheus(folder: Path, scraped: int) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    program = binaries.ensure(("prometheus",), cache_root(), print)["prometheus"]
    config = folder / "prometheus.yml"
    config.write_text(configuration(scraped))
    address = f"127.0.0.1:{free_port()}"
    arguments = [f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address={address}"]
    with (folder / "log").open("wb") as log, subprocess.Popen([program, *arguments], stdout=log, stderr=log) as process:
        try:
            wait_until_ready(f"http://{address}", process, folder / "log")
            yield f"http://{address}", process
        finally:
            process.terminate()
            process.wait(20)


def wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if requests.get(f"{url}/-/ready", timeout=1).ok:
                return
        except requests.RequestException:
            pass
        time.sleep(0.1)
    pytest.fail(f"Prometheus did not become ready:\n{log.read_text()[-2000:]}")


@dataclass
class Watcher:
    """Looks at both tracks since a moment, as a release's step does."""

    metrics: PrometheusMetrics
    start: float = 0.0

    async def look(self) -> Evidence:
        return await self.metrics.samples(
            SampleRequest(
                bad='sum(rate(x_total{code=~"5.."}[1m]))',
                total="x_total",
                namespace="bank",
                canary_replica_set="scoring-canary-7c",
                stable_replica_set="scoring-5f",
                start=self.start,
                end=time.time(),
            )
        )

    async def scraped(self) -> Evidence:
        """Wait until both pods were scraped after now."""
        since, deadline = time.time(), time.monotonic() + SECONDS_TO_SCRAPE
        while time.monotonic() < deadline:
            evidence = await self.look()
            assert evidence.problem == ""
            times = (newest(evidence.canary.total), newest(evidence.stable.total))
            if all(at is not None and at > since for at in times):
                return evidence
            await asyncio.sleep(0.2)
        pytest.fail(f"no new samples within {SECONDS_TO_SCRAPE} s")


@pytest.fixture
def pods() -> Pods:
    return Pods({CANARY: {"200": 100}, STABLE: {"200": 5_000, "500": 3}})


async def test_counts_are_true_and_gaps_are_noticed(pods: Pods, tmp_path: Path) -> None:
    with exporter(pods) as scraped, prometheus(tmp_path, scraped) as (url, process):
        metrics = PrometheusMetrics(url, timeout=4)
        watcher = Watcher(metrics, time.time())
        await watcher.scraped()
        watcher.start = time.time()

        pods.set(CANARY, c200=130, c500=5)  # 30 good, and the first 5 errors of a counter that was not there
        pods.set(STABLE, c200=5_400, c500=3)
        await watcher.scraped()
        pods.set(CANARY, c200=4)  # a new process
        await watcher.scraped()
        pods.set(CANARY, c200=10, c500=2)
        pods.set(STABLE, c200=5_500, c500=3)
        evidence = await watcher.scraped()

        verdict = judge(objective(), evidence, start=watcher.start, now=time.time())
        assert verdict.canary == TrackCounts(total=30 + 5 + 10 + 2, bad=5 + 2)
        assert verdict.stable == TrackCounts(total=500, bad=0)
        assert (verdict.outcome, verdict.reason) == (Outcome.FAIL, "ErrorRatioAboveStable")
        later = judge(objective(), evidence, start=watcher.start, now=time.time() + 40)
        assert later.reason == "StaleData"

        process.terminate()
        process.wait(20)
        gone = await watcher.look()
        metrics.close()
    assert "cannot be reached" in gone.problem
    assert judge(objective(), gone, start=watcher.start, now=time.time()).reason == "MetricsUnavailable"


async def test_the_server_itself_refuses_and_warns(pods: Pods, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What FEEM renders for odd labels is valid for Prometheus' own parser, and its refusals come through in words."""
    with exporter(pods) as scraped, prometheus(tmp_path, scraped) as (url, _):
        metrics = PrometheusMetrics(url, timeout=4)
        base = SampleRequest("x_total", "x_total", "bank", "scoring-canary-7c", "scoring-5f", time.time(), time.time())
        odd = [
            r"""x_total{a="\"quoted\" \\ back\nline\ttab \x01 ☃"}""",
            'x_total{"my label"!="c"}',
            '{"x.total"}',
            "sum(rate({__name__=~'x_total|y_total'}[5m]))",
            "offset{a='b'}",
        ]
        for query in odd:
            assert (await metrics.samples(SampleRequest(**{**vars(base), "bad": query}))).problem == ""
        refused = await metrics.samples(SampleRequest(**{**vars(base), "total": r'x_total{a=~"(?x)b"}'}))
        await Watcher(metrics, time.time()).scraped()
        monkeypatch.setattr(connection, "MOST_SERIES", 1)
        partial = await metrics.samples(SampleRequest(**{**vars(base), "end": time.time()}))
        metrics.close()
    assert "answered only in part, with the warning: " in partial.problem
    assert "refused the query (400, bad_data: " in refused.problem
