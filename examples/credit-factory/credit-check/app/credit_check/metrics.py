"""The series a release and an experiment are judged by; every one carries the version it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from credit_check.limits import memory_limit, throttled_periods

if TYPE_CHECKING:
    from credit_check.records import Record

CONTENT_TYPE = CONTENT_TYPE_LATEST
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0)
CallResult = Literal["ok", "timeout", "error"]
disable_created_metrics()  # type: ignore[no-untyped-call] # the start time of each series would double their number


class Metrics:
    """One registry for each server, so that two servers in one test process do not count together."""

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        self._version = version
        ProcessCollector(registry=self.registry)
        limit = Gauge("process_memory_limit_bytes", "What the kernel lets the container have", registry=self.registry)
        limit.set_function(memory_limit)
        throttled = "process_cpu_throttled_periods", "Periods in which the kernel kept it from a processor"
        Gauge(*throttled, registry=self.registry).set_function(throttled_periods)
        self._requests = Counter(
            "http_requests_total",
            "Client requests answered, given up by the client or overdue; probes and scrapes are not counted",
            ["method", "path", "code", "version"],
            registry=self.registry,
        )
        seconds = Histogram(
            "credit_report_duration_seconds",
            "Time to a report, or to the moment its client left or it was overdue",
            ["version"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._seconds = seconds.labels(version)
        self._calls = self._counter("bureau_requests_total", "Calls of the bureau by how they ended", "result")
        self._reports = self._counter("credit_reports_total", "Reports given by what they say", "record")
        self._hits = Counter(
            "bureau_cache_hits_total", "Reports from a recent record", ["version"], registry=self.registry
        ).labels(version)
        for result in ("ok", "timeout", "error"):  # a counter that starts at 0 shows its first increase
            self._calls.labels(result, version)
        for record in ("clean", "adverse", "unknown"):
            self._reports.labels(record, version)
        for code in ("200", "500", "504"):
            self._requests.labels("POST", "/credit-report", code, version)

    def _counter(self, name: str, text: str, label: str) -> Counter:
        return Counter(name, text, [label, "version"], registry=self.registry)

    def answered(self, method: str, path: str, code: int) -> None:
        """Count one request of a client; the path must come from a fixed set, so that series stay few."""
        self._requests.labels(method, path, str(code), self._version).inc()

    def took(self, seconds: float) -> None:
        """Record how long a report request took, failed ones included."""
        self._seconds.observe(seconds)

    def called(self, result: CallResult) -> None:
        """Count one call of the bureau, a retry as a call of its own."""
        self._calls.labels(result, self._version).inc()

    def cache_hit(self) -> None:
        """Count one report that a recent record saved."""
        self._hits.inc()

    def reported(self, record: Record) -> None:
        """Count one report."""
        self._reports.labels(record, self._version).inc()

    def exposition(self) -> bytes:
        """Give all series in Prometheus' text format."""
        return generate_latest(self.registry)
