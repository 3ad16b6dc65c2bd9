"""The operator's own figures, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

from feem import __version__
from feem.observe.audit import AuditFigures
from feem.observe.chaos import ChaosMetrics
from feem.observe.objectives import ObjectiveFigures

RESULTS = ("Promoted", "RolledBack", "Aborted", "Superseded", "Cancelled", "Bypassed")
OUTCOMES = ("Pass", "Fail", "Inconclusive")

_RELEASE = ("namespace", "service", "release")
_REQUEST_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_RELEASE_BUCKETS = (
    15.0,
    30.0,
    60.0,
    120.0,
    300.0,
    600.0,
    1800.0,
    3600.0,
    3 * 3600.0,
    12 * 3600.0,
    86400.0,
    7 * 86400.0,
)


disable_created_metrics()  # type: ignore[no-untyped-call] # a third of all series, and nobody asks for them


class OperatorMetrics:
    """Implements `feem.ports.Measurements` and the figures of client, queue, lease, ledger and queries.

    Each instance has a registry of its own, so that tests and two operators in one process do not share figures.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._releases(self.registry)
        self._work(self.registry)
        self.objectives = ObjectiveFigures(self.registry)
        self.audit = AuditFigures(self.registry)
        self.chaos = ChaosMetrics(self.registry)
        for result in RESULTS:
            self._duration.labels(result)  # from zero, so that `increase` sees the first one
        self._states: dict[tuple[str, str, str], str] = {}

    def _releases(self, registry: CollectorRegistry) -> None:
        self._info = Gauge(
            "feem_release_info",
            "A running release and what it does now (always 1).",
            (*_RELEASE, "state"),
            registry=registry,
        )
        self._step = Gauge(
            "feem_release_step",
            "Step of a running release, from 1; 0 before the first.",
            _RELEASE,
            registry=registry,
        )
        self._weight = Gauge(
            "feem_release_weight",
            "Percent of requests that a running release sends to its canary.",
            _RELEASE,
            registry=registry,
        )
        self._ended = Counter(
            "feem_releases",
            "Releases that ended, by result.",
            ("namespace", "service", "result"),
            registry=registry,
        )
        self._duration = Histogram(
            "feem_release_duration_seconds",
            "Time from the hold of a change to the end of its release.",
            ("result",),
            buckets=_RELEASE_BUCKETS,
            registry=registry,
        )
        self._verdicts = Counter(
            "feem_verdicts",
            "Evaluations of an objective on a canary, by outcome.",
            ("namespace", "service", "objective", "outcome"),
            registry=registry,
        )

    def _work(self, registry: CollectorRegistry) -> None:
        def histogram(name: str, text: str, labels: tuple[str, ...] = ()) -> Histogram:
            return Histogram(name, text, labels, buckets=_REQUEST_BUCKETS, registry=registry)

        self._reconcile = histogram("feem_reconcile_duration_seconds", "Time of one reconcile.")
        self._reconciles = Counter("feem_reconciles", "Reconciles, by outcome.", ("outcome",), registry=registry)
        self._depth = Gauge("feem_queue_depth", "Keys that wait for a worker.", registry=registry)
        self._oldest = Gauge(
            "feem_queue_oldest_seconds", "How long the oldest due key waits for a worker.", registry=registry
        )
        self._requests = Counter(
            "feem_api_requests", "Requests to the API server.", ("verb", "resource", "code"), registry=registry
        )
        self._request = histogram(
            "feem_api_request_duration_seconds", "Time of one request to the API server.", ("verb", "resource")
        )
        self._leader = Gauge("feem_leader", "1 while this operator leads.", registry=registry)
        self._index = Gauge("feem_audit_index", "Index of the newest entry of the audit log.", registry=registry)
        self._append = histogram("feem_audit_append_seconds", "Time until an audit entry is durable.")
        self._queries = Counter(
            "feem_metrics_queries", "Queries to the metrics server, by outcome.", ("outcome",), registry=registry
        )
        Gauge("feem_build_info", "The running version (always 1).", ("version",), registry=registry).labels(
            __version__
        ).set(1)

    def release_seen(self, namespace: str, service: str, release: str, *, step: int, weight: int, state: str) -> None:
        """Set a running release's figures; a state it left is dropped, so that each release has one."""
        key = (namespace, service, release)
        before = self._states.get(key)
        if before is None:
            for result in RESULTS:
                self._ended.labels(namespace, service, result)  # from zero, so that `increase` sees the first one
        elif before != state:
            self._info.remove(*key, before)
        self._states[key] = state
        self._info.labels(*key, state).set(1)
        self._step.labels(*key).set(step)
        self._weight.labels(*key).set(weight)

    def release_ended(self, namespace: str, service: str, release: str, *, result: str, seconds: float) -> None:
        """Count an ended release, observe its duration (seconds), and drop its running figures."""
        self.release_gone(namespace, service, release)
        self._ended.labels(namespace, service, result).inc()
        self._duration.labels(result).observe(seconds)

    def release_gone(self, namespace: str, service: str, release: str) -> None:
        """Drop the running figures of a release that was deleted; one that was never seen is no error."""
        key = (namespace, service, release)
        state = self._states.pop(key, None)
        if state is None:
            return
        self._info.remove(*key, state)
        self._step.remove(*key)
        self._weight.remove(*key)

    def verdict(self, namespace: str, service: str, objective: str, outcome: str) -> None:
        """Count one evaluation of an objective."""
        for each in OUTCOMES:
            self._verdicts.labels(namespace, service, objective, each)
        self._verdicts.labels(namespace, service, objective, outcome).inc()

    def api_request(self, verb: str, resource: str, code: int | str, seconds: float) -> None:
        """Count one request to the API server: RBAC verb, plural resource, HTTP status or the word why none."""
        self._requests.labels(verb, resource, str(code)).inc()
        self._request.labels(verb, resource).observe(seconds)

    def reconciled(self, outcome: str, seconds: float) -> None:
        """Count one reconcile and its time."""
        self._reconciles.labels(outcome).inc()
        self._reconcile.observe(seconds)

    def watch_queue(self, depth: Callable[[], float], oldest_seconds: Callable[[], float]) -> None:
        """Read the queue's figures at each scrape instead of at each change."""
        self._depth.set_function(depth)
        self._oldest.set_function(oldest_seconds)

    def leading(self, leads: bool) -> None:  # noqa: FBT001 - a gauge of one fact
        """Say whether this operator leads; one that does not has no running releases, budgets or faults to show."""
        self._leader.set(1 if leads else 0)
        if not leads:
            self.objectives.clear()
            self.audit.clear()
            self.chaos.clear()
            for key in tuple(self._states):
                self.release_gone(*key)

    def audit_appended(self, index: int, seconds: float) -> None:
        """Note the newest audit entry and how long it took to become durable."""
        self._index.set(index)
        self._append.observe(seconds)

    def audit_head(self, index: int) -> None:
        """Note the newest audit entry found at start."""
        self._index.set(index)

    def query(self, outcome: str) -> None:
        """Count one query to the metrics server, e.g. ok, empty, error, timeout."""
        self._queries.labels(outcome).inc()
