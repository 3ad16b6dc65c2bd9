"""Where each kind of object lives in the API: its path, its apiVersion and kind."""

from __future__ import annotations

from dataclasses import dataclass

from feem.api import API_VERSION, KINDS
from feem.api.base import Scope

DEPLOYMENTS = "deployments.apps"
REPLICASETS = "replicasets.apps"
SERVICES = "services"
ROUTES = "httproutes.gateway.networking.k8s.io"
RELEASES = "releases.feem.dev"
RECORDS = "auditrecords.feem.dev"
AUDITLOGS = "auditlogs.feem.dev"
LEASES = "leases.coordination.k8s.io"
EVENTS = "events.events.k8s.io"
CONFIGMAPS = "configmaps"
PODS = "pods"
NETWORK_POLICIES = "networkpolicies.networking.k8s.io"
TRAFFIC_POLICIES = "backendtrafficpolicies.gateway.envoyproxy.io"
DISRUPTION_BUDGETS = "poddisruptionbudgets.policy"
AUTOSCALERS = "horizontalpodautoscalers.autoscaling"
NAMESPACES = "namespaces"
REVIEWS = "subjectaccessreviews.authorization.k8s.io"
GUARD_POLICIES = "validatingadmissionpolicies.admissionregistration.k8s.io"
GUARD_BINDINGS = "validatingadmissionpolicybindings.admissionregistration.k8s.io"
HOLD_POLICIES = "mutatingadmissionpolicies.admissionregistration.k8s.io"
HOLD_BINDINGS = "mutatingadmissionpolicybindings.admissionregistration.k8s.io"


@dataclass(frozen=True)
class ResourceType:
    """One resource of the API; `api_version` is `v1` or `<group>/<version>`."""

    plural: str
    api_version: str
    kind: str
    namespaced: bool = True

    @property
    def group(self) -> str:
        """The API group, empty for the core one."""
        return self.api_version.rpartition("/")[0]

    @property
    def version(self) -> str:
        """The version within the group."""
        return self.api_version.rpartition("/")[2]

    @property
    def name(self) -> str:
        """The plural with its group, as keys and RBAC rules name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """Return the URL path of the collection, an object, or its subresource."""
        root = f"/apis/{self.api_version}" if self.group else f"/api/{self.api_version}"
        parts = [root]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        return "/".join(part for part in (*parts, self.plural, name, subresource) if part)


_TYPES = (
    ResourceType("deployments", "apps/v1", "Deployment"),
    ResourceType("replicasets", "apps/v1", "ReplicaSet"),
    ResourceType("services", "v1", "Service"),
    ResourceType("httproutes", "gateway.networking.k8s.io/v1", "HTTPRoute"),
    ResourceType("pods", "v1", "Pod"),
    ResourceType("namespaces", "v1", "Namespace", namespaced=False),
    ResourceType("networkpolicies", "networking.k8s.io/v1", "NetworkPolicy"),
    ResourceType("poddisruptionbudgets", "policy/v1", "PodDisruptionBudget"),
    ResourceType("horizontalpodautoscalers", "autoscaling/v2", "HorizontalPodAutoscaler"),
    ResourceType("backendtrafficpolicies", "gateway.envoyproxy.io/v1alpha1", "BackendTrafficPolicy"),
    ResourceType("leases", "coordination.k8s.io/v1", "Lease"),
    ResourceType("events", "events.k8s.io/v1", "Event"),
    ResourceType("configmaps", "v1", "ConfigMap"),
    ResourceType("subjectaccessreviews", "authorization.k8s.io/v1", "SubjectAccessReview", namespaced=False),
    ResourceType(
        "validatingadmissionpolicies", "admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", namespaced=False
    ),
    ResourceType(
        "validatingadmissionpolicybindings",
        "admissionregistration.k8s.io/v1",
        "ValidatingAdmissionPolicyBinding",
        namespaced=False,
    ),
    ResourceType(
        "mutatingadmissionpolicies", "admissionregistration.k8s.io/v1", "MutatingAdmissionPolicy", namespaced=False
    ),
    ResourceType(
        "mutatingadmissionpolicybindings",
        "admissionregistration.k8s.io/v1",
        "MutatingAdmissionPolicyBinding",
        namespaced=False,
    ),
    *(
        ResourceType(
            kind.definition.plural,
            API_VERSION,
            kind.definition.kind,
            namespaced=kind.definition.scope is Scope.NAMESPACED,
        )
        for kind in KINDS
    ),
)

TYPES = {each.name: each for each in _TYPES}

_NOT_WATCHED = frozenset(
    {
        RECORDS,
        AUDITLOGS,
        LEASES,
        EVENTS,
        CONFIGMAPS,
        REVIEWS,
        PODS,
        NAMESPACES,
        NETWORK_POLICIES,
        DISRUPTION_BUDGETS,
        AUTOSCALERS,
        TRAFFIC_POLICIES,
    }
)
WATCHED = tuple(name for name in TYPES if name not in _NOT_WATCHED)
"""What the informer keeps a local copy of; a kind that the API server lacks is passed over until it is there.

Audit records only grow, and pods come and go by the thousand: neither is watched. The AuditLog is read when it is written, and what
is around the target of an experiment when one begins.
"""


def type_of(resource: str) -> ResourceType:
    """Return the type of a resource named `<plural>[.<group>]`; KeyError for what FEEM has no business with."""
    return TYPES[resource]
