"""Which keys an event concerns: from an object that changed to the services that must look at it."""

from __future__ import annotations

from collections.abc import Iterator

from feem.controllers.guarding import GUARDS
from feem.controllers.resources import (
    DEPLOYMENTS,
    OBJECTIVES,
    PLANS,
    PROFILES,
    RELEASES,
    ROUTES,
    SERVICES,
    SERVICES_MANAGED,
    WINDOWS,
)
from feem.ports import Body, Cluster

SERVICE, OBJECTIVE, PLAN, DECISION = "service", "objective", "plan", "decision"
PROFILE, WINDOW, GUARD = "profile", "window", "guard"
RULES = frozenset({PROFILES, WINDOWS, *GUARDS.values()})
"""What is for the whole cluster."""
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
        case "chaosruns.feem.dev":
            yield from _of_run(cluster, body)
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
        case _ if resource in RULES:
            yield from _of_rule(cluster, resource, name)
        case _:
            yield from _referring(cluster, resource, namespace, name)


def _of_rule(cluster: Cluster, resource: str, name: str) -> Iterator[Target]:
    """What rules for the whole cluster concern: the services under a profile; with windows and policies, all of them."""
    services = cluster.list(SERVICES_MANAGED)
    if resource == PROFILES:
        yield PROFILE, "", name
        services = [item for item in services if name in _profiles_of(cluster, item)]
    elif resource == WINDOWS:
        yield WINDOW, "", name
    elif name.endswith(".feem.dev"):
        yield GUARD, "", "policies"
    else:
        return
    for service in services:
        yield SERVICE, service["metadata"]["namespace"], service["metadata"]["name"]


def _profiles_of(cluster: Cluster, service: Body) -> set[str]:
    """The profile that a service names, and the one that its newest release was requested under."""
    name = (service.get("status") or {}).get("release")
    release = cluster.get(RELEASES, service["metadata"]["namespace"], name) if name else None
    asked = (release["spec"].get("compliance") or {}).get("profile") if release is not None else None
    return {found for found in (service["spec"].get("complianceProfile"), asked) if found}


def _of_decision(cluster: Cluster, body: Body) -> Iterator[Target]:
    namespace = body["metadata"]["namespace"]
    release = cluster.get(RELEASES, namespace, body["spec"]["release"])
    if release is not None:
        yield SERVICE, namespace, release["spec"]["service"]
    yield DECISION, namespace, body["metadata"]["name"]


def _of_run(cluster: Cluster, body: Body) -> Iterator[Target]:
    """The service whose pods a run is on: its release may wait for the run, and its gates may count it."""
    namespace, spec = body["metadata"]["namespace"], body["spec"]
    named = ((body.get("status") or {}).get("terms") or {}).get("service")
    release = cluster.get(RELEASES, namespace, spec["release"]) if spec.get("release") else None
    asking = release["spec"]["service"] if release is not None else None
    for service in dict.fromkeys(filter(None, (named, asking))):
        yield SERVICE, namespace, service


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
