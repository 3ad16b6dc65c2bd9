"""Checks that what a ManagedService refers to is there and fits together; the first problem is said with its next step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from feem.api.objective import ServiceLevelObjective
from feem.api.plan import GreyReleasePlan, PlanSpec
from feem.api.profile import ComplianceProfile
from feem.api.service import ManagedService
from feem.core.conditions import find
from feem.core.digest import HASH_LABEL
from feem.core.rollout.observe import is_canary
from feem.core.rollout.route import routes_to

Body = dict[str, Any]
Problem = tuple[str, str]


@dataclass(frozen=True)
class References:
    """The objects a ManagedService names, as found; None for what is missing."""

    deployment: Body | None
    service: Body | None
    route: Body | None
    plan: GreyReleasePlan | None
    objectives: Mapping[str, ServiceLevelObjective | None]
    profile: ComplianceProfile | None = None
    governed_by_another: str = ""
    canaries: tuple[tuple[str, Body | None], ...] = ()
    """The objects that have the canary's names now, with their kinds."""


def problem_with(service: ManagedService, found: References) -> Problem | None:
    """Return reason and message of the first problem, or None when everything fits."""
    checks = (_deployment, _service, _route, _canary_names, _plan, _objectives, _profile)
    return next((problem for check in checks if (problem := check(service, found)) is not None), None)


def plan_of(service: ManagedService, found: References) -> PlanSpec | None:
    """Return the plan in force: the inline one, or the referenced one."""
    return service.spec.plan or (found.plan.spec if found.plan else None)


def _deployment(service: ManagedService, found: References) -> Problem | None:
    name = service.spec.workload.name
    if found.deployment is None:
        return (
            "DeploymentNotFound",
            f"Deployment {name} does not exist in this namespace: create it, or correct spec.workload.name",
        )
    if found.governed_by_another:
        text = f"Deployment {name} is governed by ManagedService {found.governed_by_another}: delete one of the two"
        return "GovernedTwice", text
    if (found.deployment["spec"].get("strategy") or {}).get("type") == "Recreate":
        text = f"Deployment {name} has strategy Recreate, so a promotion would stop all its pods: use RollingUpdate"
        return "StrategyRecreate", text
    return None


def _service(service: ManagedService, found: References) -> Problem | None:
    name = service.spec.traffic.service
    if found.service is None:
        return (
            "ServiceNotFound",
            f"Service {name} does not exist in this namespace: create it, or correct spec.traffic.service",
        )
    spec = found.service["spec"]
    if not spec.get("ports"):
        return "ServiceWithoutPorts", f"Service {name} has no ports: the gateway cannot send requests to it"
    pod_labels = ((found.deployment or {})["spec"]["template"].get("metadata") or {}).get("labels") or {}
    selector = {key: value for key, value in (spec.get("selector") or {}).items() if key != HASH_LABEL}
    if not selector or any(pod_labels.get(key) != value for key, value in selector.items()):
        text = f"Service {name} selects {selector or 'nothing'}, which the pods of {service.spec.workload.name} do not carry"
        return "ServiceDoesNotSelectPods", text
    return None


def _route(service: ManagedService, found: References) -> Problem | None:
    name, backend = service.spec.traffic.http_route, service.spec.traffic.service
    if found.route is None:
        return (
            "HTTPRouteNotFound",
            f"HTTPRoute {name} does not exist in this namespace: create it, or correct spec.traffic.httpRoute",
        )
    if routes_to(found.route, backend):
        return None
    text = f"no rule of HTTPRoute {name} has Service {backend} among its backendRefs: the weights would split nothing"
    return "RouteDoesNotUseService", text


def _canary_names(service: ManagedService, found: References) -> Problem | None:
    for kind, body in found.canaries:
        if body is not None and not is_canary(body):
            name, wants = body["metadata"]["name"], service.spec.workload.name
            text = f"{kind} {name} exists and is not FEEM's, but the canary of {wants} needs its name: rename it"
            return "CanaryNameTaken", text
    return None


def _plan(service: ManagedService, found: References) -> Problem | None:
    if service.spec.plan is not None or found.plan is not None:
        return None
    return (
        "PlanNotFound",
        f"GreyReleasePlan {service.spec.plan_ref} does not exist in this namespace: create it, or correct spec.planRef",
    )


def _objectives(service: ManagedService, found: References) -> Problem | None:
    for reference in service.spec.objectives:
        objective = found.objectives.get(reference.name)
        if objective is None:
            text = f"ServiceLevelObjective {reference.name} does not exist in this namespace: create it, or correct spec.objectives"
            return "ObjectiveNotFound", text
        accepted = find(objective.status.conditions, "Accepted") if objective.status else None
        current = accepted is not None and accepted.observed_generation == objective.metadata.generation
        if accepted is None or not current:
            return "ObjectiveNotAccepted", f"ServiceLevelObjective {reference.name} has not been checked yet"
        if accepted.status != "True":
            text = f"ServiceLevelObjective {reference.name} cannot be used: {accepted.message}"
            return "ObjectiveNotAccepted", text
    return None


def _profile(service: ManagedService, found: References) -> Problem | None:
    """A profile that is missing, or that nobody can satisfy, lets no change be requested: it stays held."""
    name = service.spec.compliance_profile
    if name is None:
        return None
    if found.profile is None:
        text = f"ComplianceProfile {name} does not exist: create it, or correct spec.complianceProfile"
        return "ProfileNotFound", text
    accepted = find(found.profile.status.conditions, "Accepted") if found.profile.status else None
    if accepted is None or accepted.observed_generation != found.profile.metadata.generation:
        return "ProfileNotAccepted", f"ComplianceProfile {name} has not been checked yet"
    if accepted.status != "True":
        return "ProfileNotAccepted", f"ComplianceProfile {name} cannot be used: {accepted.message}"
    return None
