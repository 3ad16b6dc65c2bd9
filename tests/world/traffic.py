# ruff: noqa: ARG002 - the signatures are those of what is simulated
"""Clients: requests split by the gateway's weights, answered by the pods a Service selects, counted as Prometheus would."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from feem.api.objective import Indicator
from feem.core.evidence.samples import Evidence, Sample, SampleRequest, Series, TrackSamples
from feem.ports import Body, Burn, QueryProblem
from tests.world.api import Api
from tests.world.deployments import REPLICA_SETS, Deployments, version_of

ROUTES, SERVICES = "httproutes.gateway.networking.k8s.io", "services"
KEPT_SECONDS = 600.0


class Traffic:
    """Sends `rate` requests a tick through the gateway and a tenth of that straight to each owner's Service."""

    def __init__(self, api: Api, pods: Deployments, now: Callable[[], datetime]) -> None:
        self._api, self._pods, self._now = api, pods, now
        self.rate = 200
        self.error_rates: dict[str, float] = {}
        self.metrics_down = False
        self.answers: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.inside: Counter[str] = Counter()
        self.unanswered = 0
        self.weights: list[int] = []
        self._counted: dict[str, tuple[float, float]] = {}
        self._history: dict[str, list[tuple[float, float, float]]] = {}

    def tick(self) -> None:
        """One second of clients, then one scrape."""
        for route in self._api.list(ROUTES):
            refs = [ref for rule in route["spec"]["rules"] for ref in rule["backendRefs"]]
            total = sum(ref.get("weight", 1) for ref in refs)
            for ref in refs:
                share = self.rate * ref.get("weight", 1) / total if total else 0.0
                self._answer(route["metadata"]["namespace"], ref["name"], share, self.answers)
            canary = sum(ref.get("weight", 1) for ref in refs if ref["name"].endswith("-canary"))
            self.weights.append(round(100 * canary / total) if total else 0)
            for name in {ref["name"] for ref in refs if not ref["name"].endswith("-canary")}:
                self._answer(route["metadata"]["namespace"], name, self.rate / 10, self.inside)
        self._scrape()

    def _answer(self, namespace: str, service: str, requests: float, seen: Counter[str]) -> None:
        if requests == 0:
            return
        ready = {body["metadata"]["name"]: (body, self._pods.ready(body)) for body in self._behind(namespace, service)}
        pods = sum(count for _, count in ready.values())
        if pods == 0:
            self.unanswered += round(requests)
            return
        for name, (body, count) in ready.items():
            version, got = version_of(body), requests * count / pods
            bad = got * self.error_rates.get(version, 0.0)
            had = self._counted.get(name, (0.0, 0.0))
            self._counted[name] = (had[0] + bad, had[1] + got)
            seen[version] += round(got)
            self.errors[version] += round(bad)

    def _behind(self, namespace: str, service: str) -> list[Body]:
        """The ReplicaSets with Ready pods that a Service selects."""
        body = self._api.get(SERVICES, namespace, service)
        selector: dict[str, str] = ((body or {}).get("spec") or {}).get("selector") or {}
        return [
            each
            for each in self._api.list(REPLICA_SETS)
            if selector
            and selector.items() <= each["spec"]["template"]["metadata"]["labels"].items()
            and self._pods.ready(each) > 0
        ]

    def _scrape(self) -> None:
        at = self._now().timestamp()
        for body in self._api.list(REPLICA_SETS):
            if self._pods.ready(body):
                name = body["metadata"]["name"]
                points = self._history.setdefault(name, [])
                points.append((at, *self._counted.get(name, (0.0, 0.0))))
                if points[0][0] < at - 2 * KEPT_SECONDS:
                    del points[: len(points) // 2]


class SimulatedMetrics:
    """The port `Metrics` over what the clients of this world saw."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic

    async def samples(self, request: SampleRequest) -> Evidence:
        if self._traffic.metrics_down:
            return Evidence(problem="the metrics server did not answer")
        return Evidence(
            self._track(request.canary_replica_set, request), self._track(request.stable_replica_set, request)
        )

    async def burn(self, indicator: Indicator, namespace: str, windows: Sequence[str]) -> Burn:
        return Burn(problem="nobody asks for it in this world")

    async def exists(self, indicator: Indicator, namespace: str) -> QueryProblem | None:
        return None

    def check(self, indicator: Indicator) -> QueryProblem | None:
        return None

    def _track(self, replica_set: str, request: SampleRequest) -> TrackSamples:
        points = [
            point for point in self._traffic._history.get(replica_set, ()) if request.start < point[0] <= request.end
        ]
        if not points:
            return TrackSamples()
        labels: Any = (("namespace", request.namespace), ("pod", f"{replica_set}-pods"))
        bad = Series(labels, tuple(Sample(at, errors) for at, errors, _ in points))
        total = Series(labels, tuple(Sample(at, served) for at, _, served in points))
        return TrackSamples({"bad": (bad,), "total": (total,)})
