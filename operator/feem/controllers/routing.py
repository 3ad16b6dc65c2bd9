"""Which keys an event concerns: from an object that changed to the services that must look at it."""

from __future__ import annotations

from collections.abc import Iterator

from feem.controllers.gather import (
    BINDINGS,
    DEPLOYMENTS,
    OBJECTIVES,
    PLANS,
    POLICIES,
    RELEASES,
    ROUTES,
    SERVICES,
    SERVICES_MANAGED,
)
from feem.ports import Body, Cluster

SERVICE, OBJECTIVE, PLAN, DECISION = "service", "objective", "plan", "decision"
Target = tuple[str, str, str]
"""Kind of key, namespace, name."""


def targets(cluster: Cluster, resource: str, body: Body) -> Iterator[Target]:
    """Yield the keys to visit after this object changed or went away."""
    namespace, name = body["metadata"].get("namespace", ""), body["metadata"]["name"]
    match resource:
        case "managedservices.feem.dev":
            yield SERVICE, namespace, name
            yield from _rivals(cluster, body)
        case "releases.feem.dev":
            yield SERVICE, namespace, body["spec"]["service"]
        case "decisions.feem.dev":
            yield from _of_decision(cluster, body)
        case "servicelevelobjectives.feem.dev":
            yield OBJECTIVE, namespace, name
            yield from _referring(cluster, resource, namespace, name)
        case "greyreleaseplans.feem.dev":
            yield PLAN, namespace, name
            yield from _referring(cluster, resource, namespace, name)
        case "replicasets.apps":
            owners = body["metadata"].get("ownerReferences") or ()
            owner = next((item["name"] for item in owners if item["kind"] == "Deployment"), None)
            if owner is not None:
                yield from _referring(cluster, DEPLOYMENTS, namespace, owner)
        case _ if resource in (POLICIES, BINDINGS):
            for service in cluster.list(SERVICES_MANAGED):
                yield SERVICE, service["metadata"]["namespace"], service["metadata"]["name"]
        case _:
            yield from _referring(cluster, resource, namespace, name)


def _of_decision(cluster: Cluster, body: Body) -> Iterator[Target]:
    namespace = body["metadata"]["namespace"]
    release = cluster.get(RELEASES, namespace, body["spec"]["release"])
    if release is not None:
        yield SERVICE, namespace, release["spec"]["service"]
    yield DECISION, namespace, body["metadata"]["name"]


def _rivals(cluster: Cluster, body: Body) -> Iterator[Target]:
    """The other services on the same Deployment: one of them may govern it when this one goes."""
    namespace, workload = body["metadata"]["namespace"], body["spec"]["workload"]["name"]
    for other in cluster.list(SERVICES_MANAGED, namespace):
        if other["spec"]["workload"]["name"] == workload and other["metadata"]["name"] != body["metadata"]["name"]:
            yield SERVICE, namespace, other["metadata"]["name"]


def _referring(cluster: Cluster, resource: str, namespace: str, name: str) -> Iterator[Target]:
    """The services whose spec names this object, or whose canary it is."""
    owner_name = name.removesuffix("-canary")
    for service in cluster.list(SERVICES_MANAGED, namespace):
        spec = service["spec"]
        refers = {
            DEPLOYMENTS: spec["workload"]["name"] in (name, owner_name),
            SERVICES: spec["traffic"]["service"] in (name, owner_name),
            ROUTES: spec["traffic"]["httpRoute"] == name,
            PLANS: spec.get("planRef") == name,
            OBJECTIVES: any(item["name"] == name for item in spec["objectives"]),
        }
        if refers.get(resource, False):
            yield SERVICE, namespace, service["metadata"]["name"]
