"""ManagedService: one ordinary Deployment with its traffic, put under FEEM's care."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from feem.api.base import (
    LABEL_PATTERN,
    MAP_BY_NAME,
    Column,
    Conditions,
    Digest,
    DigestOrEmpty,
    Kind,
    Label,
    Model,
    Name,
    Resource,
    Rule,
    validations,
)
from feem.api.plan import PlanSpec

ServiceName = Annotated[str, Field(min_length=1, max_length=56, pattern=LABEL_PATTERN)]
"""A Service's name that leaves room for `-canary` in the 63 characters Services have."""

NAME_MAX_LENGTH = 46
"""A ManagedService's name becomes that of its releases, `<name>-<generation>-r<attempt>`, which the canary carries as a
label value: 63 less the longest `-2147483647-r1000`."""


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

    service: ServiceName
    """The Service in front of the pods. During a release it is pinned to the stable pods."""
    http_route: Name
    """The HTTPRoute with the Service among its backends. During a release its weights split the requests."""


class ObjectiveReference(Model):
    """An objective in the same namespace."""

    name: Name
    """Name of a ServiceLevelObjective."""


class Mode(StrEnum):
    """Whether FEEM acts."""

    ENFORCE = "Enforce"
    OBSERVE = "Observe"


Day = Annotated[str, Field(min_length=10, max_length=10, pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
"""A date, e.g. `2026-03-31`."""


class Document(Model):
    """A document that people need when something goes wrong."""

    url: Annotated[str, Field(min_length=1, max_length=1024, pattern=r"^https?://")]
    """Where it is."""
    drilled_on: Day | None = None
    """When people last practised it, e.g. `2026-03-31`."""


class Drill(Model):
    """An experiment that the service has passed."""

    name: Label
    """What was tried, e.g. `bureau-outage`."""
    passed_on: Day
    """When it was passed, e.g. `2026-03-31`."""


class ServiceSpec(Model):
    """The workload, its traffic, its plan and its objectives; the profile it is under, and what that asks of the service."""

    workload: Annotated[
        Workload,
        Field(
            json_schema_extra=validations(
                Rule("self == oldSelf", "workload cannot change: delete this ManagedService and create another")
            )
        ),
    ]
    """What is governed."""
    traffic: Traffic
    """How requests are split."""
    plan_ref: Name | None = None
    """Name of a GreyReleasePlan in the same namespace. Either this or `plan`."""
    plan: PlanSpec | None = None
    """The plan itself. Either this or `planRef`."""
    objectives: Annotated[list[ObjectiveReference], Field(min_length=1, max_length=20, json_schema_extra=MAP_BY_NAME)]
    """The objectives a canary is judged by. All must pass."""
    compliance_profile: Name | None = None
    """The ComplianceProfile whose gates a change has to pass; not given: none but change freezes. Naming another one, or none
    any more, needs RBAC verb `assign` on the profile that is left."""
    mode: Mode = Mode.ENFORCE
    """`Enforce`: changes are held and released in grey. `Observe`: nothing is held or changed, and each change gets a Release that
    says what would have held it. Changing it needs verb `assign` on the profile as well."""
    owner: Annotated[str, Field(max_length=253)] = ""
    """Who answers for the service, e.g. a team's name."""
    data_classification: Annotated[str, Field(max_length=32)] = ""
    """The class of the data it handles, as your bank names it, e.g. `Confidential`."""
    runbook: Document | None = None
    """What to do when it fails."""
    rollback_plan: Document | None = None
    """How to go back where a grey release cannot, e.g. after a change of data."""
    drills: Annotated[list[Drill], Field(max_length=50, json_schema_extra=MAP_BY_NAME)] = Field(default_factory=list)
    """The experiments it has passed."""


class GuardStatus(Model):
    """Since when FEEM's admission policies have been in force without a gap, as far as FEEM knows."""

    digest: DigestOrEmpty
    """Digest over the identity and generation of each policy and binding."""
    since: datetime
    """From when on decisions can be believed (UTC)."""


class StableRevision(Model):
    """The revision that serves users, and that every rollback returns to."""

    template_digest: Digest
    """SHA-256 over the RFC 8785 form of the pod template."""
    pod_template_hash: Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[A-Za-z0-9]+$")]
    """Label value that selects the stable pods."""
    replica_set: Name
    """The ReplicaSet that owns the stable pods."""


class ServiceStatus(Model):
    """What FEEM sees and does."""

    observed_generation: Annotated[int, Field(ge=0)] = 0
    """The generation the conditions were computed for."""
    conditions: Conditions = Field(default_factory=list)
    """`Ready`: whether the service is governed. `Hold`: what holds changes, AdmissionPolicy or StandingPause. `Guarded`: whether
    FEEM's admission policies are all in force, as FEEM ships them."""
    stable: StableRevision | None = None
    """The revision that serves users."""
    release: Annotated[str, Field(max_length=253)] = ""
    """The newest Release of this service."""
    pod_selector: Annotated[dict[str, Annotated[str, Field(max_length=63)]], Field(max_length=64)] = Field(
        default_factory=dict
    )
    """The labels by which the Service finds its pods: nobody but the workload's own controllers may make pods that have them."""
    guard: GuardStatus | None = None
    """Since when the policies have been in force."""


class ManagedService(Resource):
    """A service whose changes FEEM holds, releases in grey and rolls back on evidence."""

    definition: ClassVar[Kind] = Kind(
        kind="ManagedService",
        plural="managedservices",
        short_names=("msvc",),
        name_max_length=NAME_MAX_LENGTH,
        name_pattern=LABEL_PATTERN,
        columns=(
            Column("Deployment", ".spec.workload.name"),
            Column("Ready", '.status.conditions[?(@.type=="Ready")].reason'),
            Column("Hold", '.status.conditions[?(@.type=="Hold")].reason', description="what holds changes"),
            Column("Profile", ".spec.complianceProfile"),
            Column("Mode", ".spec.mode", priority=1),
            Column("Guarded", '.status.conditions[?(@.type=="Guarded")].reason', priority=1),
            Column("Release", ".status.release", description="the newest release"),
            Column("Message", '.status.conditions[?(@.type=="Ready")].message', priority=1),
            Column("Age", ".metadata.creationTimestamp", "date"),
        ),
        rules=(Rule("has(self.plan) != has(self.planRef)", "give either plan or planRef, not both and not neither"),),
    )
    spec: ServiceSpec
    status: ServiceStatus | None = None
