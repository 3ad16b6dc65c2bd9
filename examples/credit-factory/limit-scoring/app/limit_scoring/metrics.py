"""The series a release is judged by; every one carries the version it came from."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from limit_scoring.scoring import HIGHEST, LOWEST, Decision

CONTENT_TYPE = CONTENT_TYPE_LATEST
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0)
SCORES = tuple(range(LOWEST, HIGHEST + 1, 50))
LIMITS_CNY = (0, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000)
disable_created_metrics()  # type: ignore[no-untyped-call] # the start time of each series would double their number


class Metrics:
    """One registry for each server, so that two servers in one test process do not count together."""

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        self._version = version
        self._requests = Counter(
            "http_requests_total",
            "Client requests answered; probes and scrapes are not counted",
            ["method", "path", "code", "version"],
            registry=self.registry,
        )
        self._decisions = Counter(
            "credit_decisions_total", "Decisions made", ["decision", "version"], registry=self.registry
        )
        self._seconds = self._histogram("credit_decision_duration_seconds", "Time to a decision", SECONDS)
        self._scores = self._histogram("credit_score", "Score of each decision, in points", SCORES)
        self._limits = self._histogram("credit_limit_cny", "Limit of each approved application, in yuan", LIMITS_CNY)
        for outcome in ("approved", "referred", "rejected"):
            self._decisions.labels(outcome, version)
        for code in ("200", "500"):  # a counter that starts at 0 shows its first increase
            self._requests.labels("POST", "/decision", code, version)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
        histogram = Histogram(name, text, ["version"], buckets=buckets, registry=self.registry)
        return histogram.labels(self._version)

    def answered(self, method: str, path: str, code: int) -> None:
        """Count one answer to a client; the path must come from a fixed set, so that series stay few."""
        self._requests.labels(method, path, str(code), self._version).inc()

    def decided(self, decision: Decision) -> None:
        """Count one decision with its score and, when approved, its limit."""
        self._decisions.labels(decision.outcome, self._version).inc()
        self._scores.observe(decision.score)
        if decision.outcome == "approved":
            self._limits.observe(decision.limit_cny)

    def took(self, seconds: float) -> None:
        """Record how long a decision request took, failed ones included."""
        self._seconds.observe(seconds)

    def exposition(self) -> bytes:
        """Give all series in Prometheus' text format."""
        return generate_latest(self.registry)
