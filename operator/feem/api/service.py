"""ManagedService: one ordinary Deployment with its traffic, put under FEEM's care."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from feem.api.base import Column, Condition, Digest, Kind, Label, Model, Name, Resource, Rule
from feem.api.plan import PlanSpec

MAP_BY_NAME = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}


class WorkloadKind(StrEnum):
    """What kind of workload is governed."""

    DEPLOYMENT = "Deployment"


class Workload(Model):
    """The workload whose pod template is the change."""

    kind: WorkloadKind = WorkloadKind.DEPLOYMENT
    """Only Deployments."""
    name: Label
    """The Deployment's name, in the same namespace."""


class Traffic(Model):
    """How users reach the workload."""

    service: Label
    """The Service in front of the pods. During a release it is pinned to the stable pods."""
    http_route: Name
    """The HTTPRoute with the Service among its backends. During a release its weights split the requests."""


class ObjectiveReference(Model):
    """An objective in the same namespace."""

    name: Name
    """Name of a ServiceLevelObjective."""


class ServiceSpec(Model):
    """The workload, its traffic, its plan and its objectives."""

    workload: Workload
    """What is governed."""
    traffic: Traffic
    """How requests are split."""
    plan_ref: Name | None = None
    """Name of a GreyReleasePlan in the same namespace. Either this or `plan`."""
    plan: PlanSpec | None = None
    """The plan itself. Either this or `planRef`."""
    objectives: Annotated[list[ObjectiveReference], Field(min_length=1, max_length=20, json_schema_extra=MAP_BY_NAME)]
    """The objectives a canary is judged by. All must pass."""


class StableRevision(Model):
    """The revision that serves users, and that every rollback returns to."""

    template_digest: Digest
    """SHA-256 over the RFC 8785 form of the pod template."""
    pod_template_hash: Annotated[str, Field(max_length=63)]
    """Label value that selects the stable pods."""
    replica_set: Name
    """The ReplicaSet that owns the stable pods."""


class ServiceStatus(Model):
    """What FEEM sees and does."""

    observed_generation: Annotated[int, Field(ge=0)] = 0
    """The generation the conditions were computed for."""
    conditions: Annotated[
        list[Condition],
        Field(
            max_length=8, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}
        ),
    ] = []
    """`Ready`: whether the service is governed. `Hold`: what holds changes, AdmissionPolicy or StandingPause."""
    stable: StableRevision | None = None
    """The revision that serves users."""
    release: Annotated[str, Field(max_length=253)] = ""
    """The newest Release of this service."""


class ManagedService(Resource):
    """A service whose changes FEEM holds, releases in grey and rolls back on evidence."""

    definition: ClassVar[Kind] = Kind(
        kind="ManagedService",
        plural="managedservices",
        short_names=("msvc",),
        columns=(
            Column("Deployment", ".spec.workload.name"),
            Column("Ready", '.status.conditions[?(@.type=="Ready")].reason'),
            Column("Hold", '.status.conditions[?(@.type=="Hold")].reason', description="what holds changes"),
            Column("Release", ".status.release", description="the newest release"),
            Column("Message", '.status.conditions[?(@.type=="Ready")].message', priority=1),
            Column("Age", ".metadata.creationTimestamp", "date"),
        ),
        rules=(
            Rule("has(self.plan) != has(self.planRef)", "give either plan or planRef, not both and not neither"),
            Rule(
                "!has(self.plan) || (self.plan.steps.map(s, s.weight).isSorted()"
                " && self.plan.steps.all(s, self.plan.steps.filter(t, t.weight == s.weight).size() == 1))",
                "weights must rise from step to step",
                ".plan.steps",
            ),
            Rule(
                "self.workload == oldSelf.workload",
                "workload cannot change: delete this ManagedService and create another",
                ".workload",
            ),
        ),
    )
    spec: ServiceSpec
    status: ServiceStatus | None = None
