"""Gathers what a ManagedService names, and what of it is copied into a Release, so that later edits do not change one under way."""

from __future__ import annotations

from typing import Any

from feem.api.objective import ServiceLevelObjective
from feem.api.plan import GreyReleasePlan
from feem.api.profile import ComplianceProfile
from feem.api.release import ObjectiveSnapshot
from feem.api.service import ManagedService
from feem.controllers.resources import (
    DEPLOYMENTS,
    OBJECTIVES,
    PLANS,
    PROFILES,
    ROUTES,
    SERVICES,
    SERVICES_MANAGED,
)
from feem.core.digest import HASH_LABEL
from feem.core.gates.snapshot import author_of, compliance_facts
from feem.core.rollout.observe import GOVERNED_LABEL, REQUESTED_BY
from feem.core.rollout.references import References, plan_of
from feem.ports import Body, Cluster


def references(cluster: Cluster, service: ManagedService) -> References:
    """Return the objects that a service names, as they are now; None for what is missing."""
    namespace, spec, get = service.metadata.namespace, service.spec, cluster.get
    deployment = get(DEPLOYMENTS, namespace, spec.workload.name)
    plan = get(PLANS, namespace, spec.plan_ref) if spec.plan_ref else None
    profile = get(PROFILES, "", spec.compliance_profile) if spec.compliance_profile else None
    objectives: dict[str, ServiceLevelObjective | None] = {}
    for reference in spec.objectives:
        body = get(OBJECTIVES, namespace, reference.name)
        objectives[reference.name] = ServiceLevelObjective.read(body) if body is not None else None
    return References(
        deployment=deployment,
        service=get(SERVICES, namespace, spec.traffic.service),
        route=get(ROUTES, namespace, spec.traffic.http_route),
        plan=GreyReleasePlan.read(plan) if plan is not None else None,
        objectives=objectives,
        profile=ComplianceProfile.read(profile) if profile is not None else None,
        governed_by_another=_other_governor(cluster, service, deployment),
        canaries=(
            ("Deployment", get(DEPLOYMENTS, namespace, f"{spec.workload.name}-canary")),
            ("Service", get(SERVICES, namespace, f"{spec.traffic.service}-canary")),
        ),
    )


def frozen(service: ManagedService, found: References) -> dict[str, Any]:
    """Return the parts of a Release's spec that are copied. Raises ValueError for a service with problems."""
    plan = plan_of(service, found)
    if plan is None:
        raise ValueError("a service without problems has a plan")
    objectives = [
        ObjectiveSnapshot(name=name, **dict(objective.spec)).wire()
        for name, objective in found.objectives.items()
        if objective is not None
    ]
    copied: dict[str, Any] = {
        "traffic": service.spec.traffic.wire(),
        "plan": plan.wire(),
        "objectives": objectives,
        "mode": service.spec.mode.value,
    }
    annotations = (found.deployment or {"metadata": {}})["metadata"].get("annotations") or {}
    if found.profile is not None:
        copied["author"] = author_of(found.profile, annotations, annotations.get(REQUESTED_BY, ""))
        copied["compliance"] = compliance_facts(service, found.profile, annotations).wire()
    return copied


def pod_selector(service: Body | None) -> dict[str, str]:
    """Return the labels by which the owner's Service finds its pods, without FEEM's pin."""
    selector = (service or {}).get("spec", {}).get("selector") or {}
    return {key: value for key, value in selector.items() if key != HASH_LABEL}


def _other_governor(cluster: Cluster, service: ManagedService, deployment: Body | None) -> str:
    """Name the ManagedService that came first to the same Deployment: the one on its label, else the older, else by name."""
    if deployment is None:
        return ""
    rivals = {
        body["metadata"]["name"]: body
        for body in cluster.list(SERVICES_MANAGED, service.metadata.namespace)
        if body["spec"]["workload"]["name"] == service.spec.workload.name
        and body["metadata"]["name"] != service.metadata.name
    }
    label = str((deployment["metadata"].get("labels") or {}).get(GOVERNED_LABEL, ""))
    if label == service.metadata.name or not rivals:
        return ""
    if label in rivals:
        return label
    mine = (str(service.metadata.creation_timestamp), service.metadata.name)
    older = [name for name, body in rivals.items() if _age(ManagedService.read(body)) < mine]
    return older[0] if older else ""


def _age(service: ManagedService) -> tuple[str, str]:
    return str(service.metadata.creation_timestamp), service.metadata.name
