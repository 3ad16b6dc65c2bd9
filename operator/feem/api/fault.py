"""The faults of an experiment, and how far each may reach.

A fault goes through the Kubernetes and Gateway APIs alone: FEEM runs no agent on the nodes and asks for no privilege in a pod.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from feem.api.base import Label, Model, Rule, validations

MOST_SECONDS = 3600
"""No fault stays longer than this, whatever an experiment says."""
MOST_PODS = 100
"""No fault hits more pods than this."""

HeaderName = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$")]
HeaderValue = Annotated[str, Field(min_length=1, max_length=1024)]


class PodLoss(StrEnum):
    """How a pod is lost."""

    KILL = "Kill"
    EVICT = "Evict"


class PodKill(Model):
    """Pods go away; their ReplicaSet makes new ones."""

    how: PodLoss = PodLoss.EVICT
    """`Evict`: through the eviction API, which refuses what a PodDisruptionBudget forbids. `Kill`: the pod is deleted, bound to its
    UID."""
    grace_seconds: Annotated[int, Field(ge=0, le=300)] | None = None
    """How long a pod may take to end; not given: as the pod itself says. 0 is as sudden as a crash."""


class PodFailure(Model):
    """A container cannot start: its image becomes one that does not exist, in the pods themselves, not in the Deployment."""

    container: Label
    """The container."""


class ScaleDown(Model):
    """The Deployment runs fewer pods. Refused where a HorizontalPodAutoscaler decides how many there are."""

    replicas: Annotated[int, Field(ge=0, le=1000)]
    """How many are left."""


class Direction(StrEnum):
    """Which way a partition cuts."""

    INGRESS = "Ingress"
    EGRESS = "Egress"
    BOTH = "Both"


class NetworkPartition(Model):
    """Nothing reaches the pods, or they reach nothing, by a NetworkPolicy.

    It works where the network plugin enforces NetworkPolicies and no other one lets the traffic through (they only ever add to each
    other); connections that stand may go on. A run that sees no effect ends as an Error.
    """

    direction: Direction = Direction.INGRESS
    """`Ingress`: nothing reaches them. `Egress`: they reach nothing, name servers included. `Both`."""


class DependencyCut(Model):
    """The service no longer reaches one that it depends on, by a NetworkPolicy on the pods of that one. As NetworkPartition."""

    service: Label
    """Name of the Service, in the same namespace, that it depends on."""


class AbortBy(StrEnum):
    """How the gateway is made to answer."""

    AUTO = "Auto"
    INVALID_BACKEND = "InvalidBackend"


class HttpAbort(Model):
    """The gateway answers requests itself, with an error."""

    status: Annotated[int, Field(ge=400, le=599)] = 503
    """The status it answers with."""
    by: AbortBy = AbortBy.AUTO
    """`Auto`: Envoy Gateway's fault injection where there is one, else `InvalidBackend`: requests go to a Service that does not
    exist, for which any gateway answers 500."""


class HttpLatency(Model):
    """The gateway passes requests on late."""

    milliseconds: Annotated[int, Field(ge=1, le=60000)]
    """How late."""


class CpuPressure(Model):
    """Pods get less processor time: their limit is lowered in place, without a restart."""

    container: Label
    """The container."""
    limit: Annotated[str, Field(min_length=1, max_length=8, pattern=r"^([1-9][0-9]{0,5}m|[1-9][0-9]{0,3})$")]
    """What is left to it, e.g. `50m`."""


class MemoryPressure(Model):
    """Pods get less memory: their limit is lowered in place, without a restart; what needs more is ended by the kernel."""

    container: Label
    """The container."""
    limit: Annotated[str, Field(min_length=2, max_length=12, pattern=r"^[1-9][0-9]{0,6}(Mi|Gi|M|G)$")]
    """What is left to it, e.g. `64Mi`."""


ONE_FAULT = Rule(
    "[has(self.podKill), has(self.podFailure), has(self.scaleDown), has(self.networkPartition), has(self.dependencyCut), "
    "has(self.httpAbort), has(self.httpLatency), has(self.cpuPressure), has(self.memoryPressure)].filter(x, x).size() == 1",
    "give exactly one fault",
)


class Fault(Model):
    """What goes wrong: exactly one of these."""

    pod_kill: PodKill | None = None
    """Pods are lost."""
    pod_failure: PodFailure | None = None
    """Pods stay, and cannot run."""
    scale_down: ScaleDown | None = None
    """Fewer pods."""
    network_partition: NetworkPartition | None = None
    """Pods are cut off."""
    dependency_cut: DependencyCut | None = None
    """One dependency is cut off."""
    http_abort: HttpAbort | None = None
    """Requests fail at the gateway."""
    http_latency: HttpLatency | None = None
    """Requests are late."""
    cpu_pressure: CpuPressure | None = None
    """Little processor time."""
    memory_pressure: MemoryPressure | None = None
    """Little memory."""

    @property
    def kind(self) -> str:
        """Which it is, CamelCase; empty when none is given."""
        for name in type(self).model_fields:
            if getattr(self, name) is not None:
                return "".join(word.capitalize() for word in name.split("_"))
        return ""

    @property
    def hits_requests(self) -> bool:
        """Whether it reaches requests rather than pods."""
        return self.http_abort is not None or self.http_latency is not None

    @property
    def shows_in_traffic_only(self) -> bool:
        """Whether no object of the API shows that it works, so that a metric has to."""
        quiet = (self.network_partition, self.dependency_cut, self.cpu_pressure, self.memory_pressure)
        return self.hits_requests or any(found is not None for found in quiet)


class RequestHeader(Model):
    """Requests that carry a header with exactly this value."""

    name: HeaderName
    """Its name."""
    value: HeaderValue
    """Its value."""


class BlastRadius(Model):
    """How far the fault may reach. What is asked for beyond it is refused, not cut down."""

    pods: Annotated[int, Field(ge=1, le=MOST_PODS)] | None = None
    """How many pods. For faults that hit pods: either this or `podPercent`."""
    pod_percent: Annotated[int, Field(ge=1, le=100)] | None = None
    """Percent of the pods, rounded down, but one at least."""
    request_percent: Annotated[int, Field(ge=1, le=100)] | None = None
    """Percent of the requests, for HTTP faults."""
    header: RequestHeader | None = None
    """Only requests with this header, for HTTP faults; the percentage counts among them."""
    duration_seconds: Annotated[int, Field(ge=5, le=MOST_SECONDS)] = 60
    """When the fault is undone at the latest, in seconds after it began."""


PODS_OR_PERCENT = Rule("!has(self.pods) || !has(self.podPercent)", "give pods or podPercent, not both", ".podPercent")
RADIUS = validations(PODS_OR_PERCENT)
FAULT = validations(ONE_FAULT)
_REQUESTS = "(has(self.fault.httpAbort) || has(self.fault.httpLatency))"
RADIUS_FITS = Rule(
    f"{_REQUESTS} ? has(self.blastRadius.requestPercent) && !has(self.blastRadius.pods) && !has(self.blastRadius.podPercent)"
    " : !has(self.blastRadius.requestPercent) && !has(self.blastRadius.header)"
    " && (has(self.blastRadius.pods) || has(self.blastRadius.podPercent))",
    "httpAbort and httpLatency reach requests: give requestPercent; every other fault reaches pods: give pods or podPercent",
    ".blastRadius",
)
"""A rule on what has a `fault` and a `blastRadius`."""
