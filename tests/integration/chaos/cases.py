"""Every kind of fault and every way to make it: what it asks for, what clients see of it, and how a person interferes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from feem.adapters.kubernetes.resources import (
    DEPLOYMENTS,
    NETWORK_POLICIES,
    PODS,
    REPLICASETS,
    ROUTES,
    TRAFFIC_POLICIES,
)
from feem.api.fault import (
    AbortBy,
    BlastRadius,
    CpuPressure,
    DependencyCut,
    Direction,
    Fault,
    HttpAbort,
    HttpLatency,
    MemoryPressure,
    NetworkPartition,
    PodFailure,
    PodKill,
    PodLoss,
    RequestHeader,
    ScaleDown,
)
from feem.core.chaos.edit import LABEL
from feem.core.chaos.http_faults import METHODS, NOWHERE
from feem.core.chaos.network_faults import NAMESPACE_NAME
from feem.core.chaos.pod_faults import NO_IMAGE
from feem.ports import Body

NAME, DEPENDENCY = "scoring", "ledger"
UID, NAMESPACE = "<uid>", "<namespace>"
"""In what is expected: the run's UID, and the namespace."""
HEADER = RequestHeader(name="x-chaos", value="yes")


@dataclass(frozen=True)
class Case:
    """`shows`: what a client sees changed, apart from marks. `made`: what the made objects say at least, by resource.

    `path` is the value of an owner's object that the fault replaces, `by_person` what somebody makes of it meanwhile.
    """

    name: str
    fault: Fault
    radius: BlastRadius
    shows: tuple[str, ...]
    made: Mapping[str, Any] = field(default_factory=dict)
    path: str = ""
    by_person: Any = None
    own_policy: bool = False
    """Whether the route has a BackendTrafficPolicy of its owner's."""
    resources: Mapping[str, Any] = field(default_factory=dict)
    """Of container `app`; those of `proxy` beside it are `beside`."""
    beside: Mapping[str, Any] = field(default_factory=dict)
    same_pods: bool = True
    """Whether it leaves the pods where they are."""

    @property
    def touches(self) -> bool:
        """Whether it marks objects that were there before."""
        return bool(self.path) or set(self.made) == {NETWORK_POLICIES}

    @property
    def marks(self) -> bool:
        """Whether anything of it has to be undone."""
        return bool(self.path or self.made)

    @property
    def several(self) -> bool:
        """Whether it takes more than one edit that can be refused."""
        return self.path.startswith("/spec/containers/") or NETWORK_POLICIES in self.made or len(self.made) > 1

    def __str__(self) -> str:
        return self.name


def traffic_policy() -> Body:
    """The policy that a route has from its owner."""
    reference = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": NAME}
    retry = {"numRetries": 3, "perRetry": {"timeout": "250ms"}}
    metadata = {"name": "retries", "annotations": {"bank.example/why": "the ledger restarts at night"}}
    return {"metadata": metadata, "spec": {"targetRefs": [reference], "retry": retry}}


TWO = BlastRadius(pods=2)
SOME = BlastRadius(request_percent=25)
SOME_WITH_HEADER = BlastRadius(request_percent=25, header=HEADER)
LIMITED = {"limits": {"cpu": "2", "memory": "512Mi"}, "requests": {"cpu": "1500m", "memory": "64Mi"}}
IMAGE = "/spec/containers/1/image"
CPU, CPU_ASKED = "/spec/containers/1/resources/limits/cpu", "/spec/containers/1/resources/requests/cpu"
MEMORY = "/spec/containers/1/resources/limits/memory"
ABORT = {"abort": {"httpStatus": 503, "percentage": 25}}
DELAY = {"delay": {"fixedDelay": "300ms", "percentage": 25}}
SELF = [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": NAME}]
COPY = [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "feem-chaos-<uid13>"}]
WANTED = {"name": "x-chaos", "type": "Exact", "value": "yes"}


def _kill(how: PodLoss, **more: Any) -> Case:
    shows = (f"+ {PODS}", f"+ {PODS}", f"- {PODS}", f"- {PODS}")
    return Case(f"podKill {how}", Fault(pod_kill=PodKill(how=how, **more)), TWO, shows, same_pods=False)


def _partition(direction: Direction, *types: str) -> Case:
    spec = {"podSelector": {"matchLabels": {LABEL: UID}}, "policyTypes": list(types)}
    fault = Fault(network_partition=NetworkPartition(direction=direction))
    return Case(f"networkPartition {direction}", fault, TWO, (f"+ {NETWORK_POLICIES}",), made={NETWORK_POLICIES: spec})


def _cut() -> Case:
    others = {"matchExpressions": [{"key": LABEL, "operator": "NotIn", "values": [UID]}]}
    elsewhere = {"matchExpressions": [{"key": NAMESPACE_NAME, "operator": "NotIn", "values": [NAMESPACE]}]}
    spec = {
        "podSelector": {"matchLabels": {"app": DEPENDENCY}},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [{"podSelector": others}, {"namespaceSelector": elsewhere}]}],
    }
    fault = Fault(dependency_cut=DependencyCut(service=DEPENDENCY))
    return Case("dependencyCut", fault, TWO, (f"+ {NETWORK_POLICIES}",), made={NETWORK_POLICIES: spec})


def _made_policy(name: str, fault: Fault, injection: Mapping[str, Any]) -> Case:
    spec = {"mergeType": "StrategicMerge", "targetRefs": SELF, "faultInjection": injection}
    return Case(name, fault, SOME, (f"+ {TRAFFIC_POLICIES}",), made={TRAFFIC_POLICIES: spec})


def _changed_policy(name: str, fault: Fault, injection: Mapping[str, Any]) -> Case:
    ((kind, values),) = injection.items()
    shows = tuple(
        f"{TRAFFIC_POLICIES} /spec/faultInjection/{kind}/{key}: none -> {value}" for key, value in values.items()
    )
    other = {"abort": {"httpStatus": 429, "percentage": 1}}
    return Case(name, fault, SOME, shows, path="/spec/faultInjection", by_person=other, own_policy=True)


def _with_header(name: str, fault: Fault, injection: Mapping[str, Any], *, own_policy: bool) -> Case:
    base = traffic_policy()["spec"] if own_policy else {"mergeType": "StrategicMerge"}
    quotes = {"path": {"type": "PathPrefix", "value": "/quotes"}, "headers": [WANTED]}
    other = {"path": {"type": "PathPrefix", "value": "/"}, "headers": [WANTED]}
    made = {
        TRAFFIC_POLICIES: {**base, "targetRefs": COPY, "faultInjection": injection},
        ROUTES: {"parentRefs": [{"name": "edge"}], "rules": [{"matches": [quotes]}, {"matches": [other]}]},
    }
    shows = (f"+ {TRAFFIC_POLICIES}", f"+ {ROUTES}")
    return Case(name, fault, SOME_WITH_HEADER, shows, made=made, own_policy=own_policy)


def _nowhere(name: str, radius: BlastRadius) -> Case:
    backend = {"name": NOWHERE, "kind": "Service", "port": 80}
    # three quarters as the owner divides them, one for nothing, in the smallest whole numbers
    first = [{"name": NAME, "weight": 9}, {"name": DEPENDENCY, "weight": 3}, {**backend, "weight": 4}]
    second = [{"name": NAME, "weight": 3}, {**backend, "weight": 1}]
    if radius.header is not None:
        matches: list[list[Mapping[str, Any]]] = [[{"headers": [WANTED]}], [{"headers": [WANTED]}]]
    else:
        matches = [[{"path": {"value": path}, "method": each} for each in METHODS] for path in ("/quotes", "/")]
    rules = [{"matches": matches[0], "backendRefs": first}, {"matches": matches[1], "backendRefs": second}]
    fault = Fault(http_abort=HttpAbort(status=500, by=AbortBy.INVALID_BACKEND))
    return Case(name, fault, radius, (f"+ {ROUTES}",), made={ROUTES: {"rules": rules}})


def _squeezed(name: str, fault: Fault, path: str, by_person: str, *shown: str) -> Case:
    shows = tuple(f"{PODS} {line}" for line in shown for _ in range(2))
    return Case(name, fault, TWO, tuple(sorted(shows)), path=path, by_person=by_person, resources=LIMITED)


ABORTS = Fault(http_abort=HttpAbort())
DELAYS = Fault(http_latency=HttpLatency(milliseconds=300))
ALL: tuple[Case, ...] = (
    _kill(PodLoss.EVICT),
    _kill(PodLoss.KILL, grace_seconds=0),
    Case(
        "podFailure",
        Fault(pod_failure=PodFailure(container="app")),
        TWO,
        (f"{PODS} {IMAGE}: bank/scoring:1 -> {NO_IMAGE}",) * 2,
        path=IMAGE,
        by_person="bank/scoring:1-debug",
    ),
    Case(
        "scaleDown",
        Fault(scale_down=ScaleDown(replicas=1)),
        TWO,
        (
            f"- {PODS}",
            f"- {PODS}",
            f"{DEPLOYMENTS} /spec/replicas: 3 -> 1",
            f"{REPLICASETS} /spec/replicas: 3 -> 1",
        ),
        path="/spec/replicas",
        by_person=2,
        same_pods=False,
    ),
    _partition(Direction.INGRESS, "Ingress"),
    _partition(Direction.EGRESS, "Egress"),
    _partition(Direction.BOTH, "Ingress", "Egress"),
    _cut(),
    _made_policy("httpAbort", ABORTS, ABORT),
    _changed_policy("httpAbort in the owner's policy", ABORTS, ABORT),
    _with_header("httpAbort with header", ABORTS, ABORT, own_policy=False),
    _with_header("httpAbort with header beside the owner's policy", ABORTS, ABORT, own_policy=True),
    _nowhere("httpAbort by InvalidBackend", SOME),
    _nowhere("httpAbort by InvalidBackend with header", SOME_WITH_HEADER),
    _made_policy("httpLatency", DELAYS, DELAY),
    _changed_policy("httpLatency in the owner's policy", DELAYS, DELAY),
    _with_header("httpLatency with header", DELAYS, DELAY, own_policy=False),
    # asked for in other words than the API server writes: 1000m is 1, and the request has to come down below the limit
    _squeezed(
        "cpuPressure",
        Fault(cpu_pressure=CpuPressure(container="app", limit="1000m")),
        CPU,
        "1800m",
        f"{CPU}: 2 -> 1",
        f"{CPU_ASKED}: 1500m -> 999m",
    ),
    _squeezed(
        "memoryPressure",
        Fault(memory_pressure=MemoryPressure(container="app", limit="128Mi")),
        MEMORY,
        "300Mi",
        f"{MEMORY}: 512Mi -> 128Mi",
    ),
)
ONE_CLASS = Case(
    "cpuPressure below the request of a pod whose other values are all equal",
    Fault(cpu_pressure=CpuPressure(container="app", limit="50m")),
    TWO,
    (),
    path=CPU,
    resources={"limits": {"cpu": "500m", "memory": "128Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}},
    beside={"limits": {"cpu": "50m", "memory": "32Mi"}, "requests": {"cpu": "50m", "memory": "32Mi"}},
)
"""The pod is Burstable by its processor request alone: with request and limit at the same value it would be Guaranteed."""
BY_NAME = {case.name: case for case in (*ALL, ONE_CLASS)}
