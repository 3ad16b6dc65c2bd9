"""What one look at the evidence costs, with a real Prometheus: queries, and CPU of the operator and of Prometheus."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import requests

from bench.evidence.bench import Bench
from bench.evidence.section import Section
from e2e.cluster.binaries import ensure
from e2e.cluster.context import ClusterError
from e2e.cluster.paths import cache_root
from e2e.cluster.ports import free_port
from feem.adapters.prometheus.metrics import PrometheusMetrics
from feem.api.release import ObjectiveSnapshot
from feem.controllers.case import Case, Charge

RELEASES = (1, 10, 100)
STABLE_PODS = 3
SCRAPE = 5.0
LOOKS = 4
WARM = 30.0
WORKERS = 16
"""Releases that the operator works on at once."""
OBJECTIVES = tuple(
    ObjectiveSnapshot.model_validate(one)
    for one in (
        {
            "name": "errors",
            "objective": "99.9",
            "indicator": {
                "ratio": {"bad": 'sum(rate(http_requests_total{code=~"5.."}[5m]))', "total": "http_requests_total"}
            },
        },
        {
            "name": "speed",
            "objective": "99",
            "indicator": {"latency": {"histogram": "http_request_duration_seconds", "threshold": "0.5"}},
        },
        {
            "name": "decisions",
            "category": "Business",
            "indicator": {"mix": {"counter": "credit_decisions_total", "label": "decision"}},
        },
    )
)


@dataclass(frozen=True)
class Cost:
    """Of one look at all releases: queries, CPU milliseconds of operator and Prometheus, and how long it took."""

    releases: int
    queries: float
    operator: float
    prometheus: float
    seconds: float

    def row(self) -> tuple[str, ...]:
        """Return the line of the table."""
        return (
            str(self.releases),
            f"{self.queries:.0f}",
            f"{self.operator:.1f}",
            f"{self.operator / self.releases:.2f}",
            f"{self.prometheus:.0f}",
            f"{self.seconds * 1000:.0f}",
        )


def run(bench: Bench) -> Section:
    """Start a Prometheus over 400 pods and look at 1, 10 and 100 releases, each with three objectives."""
    title = "The cost of one evaluation (ratio, latency and mix; 1 canary pod and 3 stable pods a release)"
    try:
        program = ensure(["prometheus"], cache_root(), bench.say)["prometheus"]
        with tempfile.TemporaryDirectory() as folder, _serving(Path(folder), program) as address:
            began = time.time()
            bench.say(f"cost: scraping {(STABLE_PODS + 1) * max(RELEASES)} pods for {WARM:.0f} s")
            time.sleep(WARM)
            costs = [asyncio.run(_measure(address, count, began)) for count in RELEASES]
    except (ClusterError, OSError, RuntimeError) as problem:
        return Section("cost", title, failure=str(problem))
    notes = (
        f"One look every {SCRAPE:.0f} s; the mean of {LOOKS} looks that take in what is new, after the first. CPU in milliseconds a look.",
        "Prometheus' CPU includes its scrapes in that time.",
    )
    columns = ("releases", "queries", "operator ms", "ms a release", "Prometheus ms", "wall ms")
    figures = {"looks": [vars(cost) for cost in costs]}
    return Section("cost", title, notes, columns, tuple(cost.row() for cost in costs), figures=figures)


async def _measure(address: str, count: int, began: float) -> Cost:
    asked: list[str] = []
    metrics = PrometheusMetrics(address, observe=asked.append)
    charges = [_charge(number, began + 5) for number in range(count)]
    opened = [await Case.open(metrics, charge) for charge in charges]
    problem = next((one for one in opened if isinstance(one, str)), None)
    cases = [one for one in opened if isinstance(one, Case)]
    if problem is not None:
        raise RuntimeError(problem)
    await _look(cases, charges)
    asked.clear()
    operator, prometheus, seconds = 0.0, _cpu(address), 0.0
    for _ in range(LOOKS):
        await asyncio.sleep(SCRAPE)
        cpu, wall = time.process_time(), time.monotonic()
        verdicts = await _look(cases, charges)
        operator, seconds = operator + time.process_time() - cpu, seconds + time.monotonic() - wall
        if any(verdict != "Pass" for verdict in verdicts):
            raise RuntimeError(f"the pods are all alike, but the verdicts are {sorted(set(verdicts))}")
    spent = _cpu(address) - prometheus
    metrics.close()
    return Cost(count, len(asked) / LOOKS, operator * 1000 / LOOKS, spent * 1000 / LOOKS, seconds / LOOKS)


async def _look(cases: list[Case], charges: list[Charge]) -> list[str]:
    turn = asyncio.Semaphore(WORKERS)

    async def one(case: Case, charge: Charge) -> list[str]:
        async with turn:
            return [verdict.outcome.value for verdict in await case.look(charge, time.time())]

    found = await asyncio.gather(*(one(case, charge) for case, charge in zip(cases, charges, strict=True)))
    return [outcome for outcomes in found for outcome in outcomes]


def _charge(number: int, start: float) -> Charge:
    names = _sets(number)
    return Charge(f"scoring-{number}-1", _namespace(number), OBJECTIVES, "0.01", *names, start, start, 1, start, 1)


def _namespace(number: int) -> str:
    return f"lending-{number}"


def _sets(number: int) -> tuple[str, str]:
    return f"scoring-{number}-canary-6f5d8c", f"scoring-{number}-7c9b4d"


def _targets(exporter: str) -> list[dict[str, object]]:
    targets: list[dict[str, object]] = []
    for number in range(max(RELEASES)):
        canary, stable = _sets(number)
        pods = [f"{canary}-abcde", *(f"{stable}-{letter * 5}" for letter in "bcd"[:STABLE_PODS])]
        targets += [
            {"targets": [exporter], "labels": {"namespace": _namespace(number), "pod": pod, "instance": pod}}
            for pod in pods
        ]
    return targets


@contextlib.contextmanager
def _serving(folder: Path, program: Path) -> Iterator[str]:
    """Run the pods and a Prometheus that scrapes them, on loopback; both end with the block."""
    pods, port = free_port(), free_port()
    (folder / "targets.json").write_text(json.dumps(_targets(f"127.0.0.1:{pods}")))
    scrape = {"job_name": "pods", "file_sd_configs": [{"files": [str(folder / "targets.json")]}]}
    configuration = {"global": {"scrape_interval": f"{SCRAPE:.0f}s"}, "scrape_configs": [scrape]}
    (folder / "prometheus.json").write_text(json.dumps(configuration))
    commands = (
        [sys.executable, "-m", "bench.evidence.exporter", str(pods)],
        [
            str(program),
            f"--config.file={folder / 'prometheus.json'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=error",
        ],
    )
    processes = [
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for command in commands
    ]
    try:
        address = f"http://127.0.0.1:{port}"
        _await(address)
        yield address
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(20)


def _await(address: str) -> None:
    for _ in range(100):
        with contextlib.suppress(requests.RequestException):
            if requests.get(f"{address}/-/ready", timeout=2).ok:
                return
        time.sleep(0.2)
    raise RuntimeError("Prometheus does not become ready within 20 s")


def _cpu(address: str) -> float:
    """Return the CPU seconds that Prometheus has used, as it says itself."""
    for line in requests.get(f"{address}/metrics", timeout=5).text.splitlines():
        if line.startswith("process_cpu_seconds_total "):
            return float(line.split()[1])
    raise RuntimeError("Prometheus does not tell its CPU seconds")
