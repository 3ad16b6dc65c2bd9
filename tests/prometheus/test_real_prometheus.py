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
from feem.api.indicator import GaugeIndicator, LatencyIndicator, MixIndicator, RatioIndicator
from feem.api.objective import Indicator
from feem.core.evidence.rounds import Round
from feem.core.evidence.samples import Evidence, SampleRequest, TrackSamples
from feem.core.evidence.tally import Block, Tally

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

CANARY, STABLE = "scoring-canary-7c-aaaaa", "scoring-5f-bbbbb"
SECONDS_TO_SCRAPE = 20
RATIO = Indicator(ratio=RatioIndicator(bad='sum(rate(x_total{code=~"5.."}[1m]))', total="x_total"))
LATENCY = Indicator(latency=LatencyIndicator(histogram="h_seconds", threshold="1"))


@dataclass
class Pods:
    """Two pods' counters, by pod and code, as their processes would expose them; what is not 200 was slow."""

    counters: dict[str, dict[str, int]]
    lock: threading.Lock = field(default_factory=threading.Lock)

    def set(self, pod: str, **codes: int) -> None:
        with self.lock:
            self.counters[pod] = {code.removeprefix("c"): value for code, value in codes.items()}

    def page(self, pod: str) -> str:
        with self.lock:
            counts = dict(self.counters[pod])
        lines = [f'x_total{{code="{code}"}} {value}' for code, value in counts.items()]
        fast, every = counts.get("200", 0), sum(counts.values())
        lines += ["# TYPE h_seconds histogram", 'h_seconds_bucket{le="0.5"} 0', f'h_seconds_bucket{{le="1"}} {fast}']
        lines += [f'h_seconds_bucket{{le="+Inf"}} {every}', "h_seconds_sum 1", f"h_seconds_count {every}"]
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

    async def look(self, indicator: Indicator = RATIO) -> Evidence:
        return await self.metrics.samples(request(indicator, self.start - 30))

    async def scraped(self) -> Evidence:
        """Wait until both pods were scraped after now."""
        since, deadline = time.time(), time.monotonic() + SECONDS_TO_SCRAPE
        while time.monotonic() < deadline:
            evidence = await self.look()
            assert evidence.problem == ""
            if min(newest(evidence.canary), newest(evidence.stable)) > since:
                return evidence
            await asyncio.sleep(0.2)
        pytest.fail(f"no new samples within {SECONDS_TO_SCRAPE} s")


def request(indicator: Indicator, start: float) -> SampleRequest:
    return SampleRequest(indicator, "bank", "scoring-canary-7c", "scoring-5f", start, time.time())


def newest(track: TrackSamples) -> float:
    return max((one.samples[-1].time for one in track.series.get("total", ())), default=0.0)


def counted(indicator: Indicator, evidence: Evidence, start: float) -> Block:
    block = Tally(indicator, start=start, warm_up=0).take(Round(time.time(), 1, evidence.canary, evidence.stable))
    assert block is not None
    return block


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

        block = counted(RATIO, evidence, watcher.start)
        assert block.canary == {"total": 30 + 5 + 10 + 2, "bad": 5 + 2}
        assert block.stable == {"total": 500, "bad": 0}

        process.terminate()
        process.wait(20)
        gone = await watcher.look()
        metrics.close()
    assert "cannot be reached" in gone.problem


async def test_histograms_gauges_and_whole_services(pods: Pods, tmp_path: Path) -> None:
    """Buckets by their edges, a value a track, what a service burned, and what is not there at all."""
    mix = Indicator(mix=MixIndicator(counter="x_total", label="code"))
    query = "sum(x_total offset 1ms) + max(max_over_time(x_total[5s])) + 0 * max_over_time(max(x_total)[5s:1s])"
    gauge = Indicator(gauge=GaugeIndicator(query=query, max="1"))
    typo = Indicator(ratio=RatioIndicator(bad='x_total{status="500"}', total="x_total"))
    union = Indicator(ratio=RatioIndicator(good='x_total{code="200"} + x_total{code=~"200|204"}', total="x_total"))
    edgeless = Indicator(latency=LatencyIndicator(histogram="h_seconds_bucket", threshold="0.4"))
    with exporter(pods) as scraped, prometheus(tmp_path, scraped) as (url, _):
        metrics = PrometheusMetrics(url, timeout=4)
        watcher = Watcher(metrics, time.time())
        await watcher.scraped()
        watcher.start = time.time()
        pods.set(CANARY, c200=150, c500=10)
        evidence = await watcher.scraped()

        slow = counted(LATENCY, await watcher.look(LATENCY), watcher.start)
        assert slow.canary == {"fast": 50, "total": 60}
        codes = counted(mix, await watcher.look(mix), watcher.start)
        assert codes.canary == {"200": 50, "500": 10}
        values = await watcher.look(gauge)
        assert [one.samples[0].value for one in values.canary.series["value"]] == [160 + 150]
        assert [one.samples[0].value for one in values.stable.series["value"]] == [5_003 + 5_000]
        assert "its edges are 0.5, 1: give one of them" in (await watcher.look(edgeless)).problem

        pods.set(CANARY, c200=150, c500=30)  # Prometheus' increase does not see the first value of a counter
        await watcher.scraped()
        for indicator in (RATIO, union, LATENCY):
            burn = await metrics.burn(indicator, "bank", ("1m", "1h"))
            assert burn.problem == ""
            assert 0 < burn.counts["1m"][0] < burn.counts["1m"][1]
            assert 0 < burn.counts["1h"][0] < burn.counts["1h"][1]
            assert await metrics.exists(indicator, "bank") is None
        missing = [await metrics.exists(indicator, "bank") for indicator in (typo, edgeless)]
        elsewhere = await metrics.exists(RATIO, "nowhere")
        metrics.close()
    assert evidence.problem == ""
    assert [problem.reason if problem else "" for problem in (*missing, elsewhere)] == ["NoSeries"] * 3


async def test_the_server_itself_refuses_and_warns(pods: Pods, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What FEEM renders for odd labels is valid for Prometheus' own parser, and its refusals come through in words."""
    with exporter(pods) as scraped, prometheus(tmp_path, scraped) as (url, _):
        metrics = PrometheusMetrics(url, timeout=4)
        odd = [
            r"""x_total{a="\"quoted\" \\ back\nline\ttab \x01 ☃"}""",
            'x_total{"my label"!="c"}',
            '{"x.total"}',
            "sum(rate({__name__=~'x_total|y_total'}[5m]))",
            "offset{a='b'}",
        ]
        for query in odd:
            asked = Indicator(ratio=RatioIndicator(bad=query, total="x_total"))
            assert (await metrics.samples(request(asked, time.time() - 5))).problem == ""
        only_ours = Indicator(ratio=RatioIndicator(bad="x_total", total=r'x_total{a=~"(?x)b"}'))
        refused = await metrics.samples(request(only_ours, time.time() - 5))
        await Watcher(metrics, time.time()).scraped()
        monkeypatch.setattr(connection, "MOST_SERIES", 1)
        partial = await metrics.samples(request(RATIO, time.time() - 60))
        metrics.close()
    assert "answered only in part, with the warning: " in partial.problem
    assert "refused the query (400, bad_data: " in refused.problem
