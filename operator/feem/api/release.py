"""Release: one change of one service, from its hold to its end."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from feem.api.base import (
    ATOMIC,
    MAP_BY_NAME,
    Column,
    Conditions,
    Digest,
    Kind,
    Label,
    Model,
    Name,
    Resource,
    Rule,
    Text,
    Username,
)
from feem.api.objective import Category, ObjectiveSpec
from feem.api.plan import PlanSpec
from feem.api.service import StableRevision, Traffic


class ContainerImage(Model):
    """What one container runs."""

    name: Label
    """The container."""
    image: Annotated[str, Field(min_length=1, max_length=512)]
    """Its image, as the Deployment's owner wrote it."""


class ObjectiveSnapshot(ObjectiveSpec):
    """An objective as it was when the release was requested."""

    name: Name
    """The ServiceLevelObjective."""


class ReleaseSpec(Model):
    """What is released, who asked, and under which rules; frozen when the change was held."""

    service: Label
    """The ManagedService."""
    deployment: Label
    """The Deployment whose pod template changed."""
    deployment_generation: Annotated[int, Field(ge=1)]
    """The Deployment's generation that carried the change."""
    attempt: Annotated[int, Field(ge=1, le=1000)] = 1
    """Counts the tries at this same change; a Retry decision starts the next one."""
    template_digest: Digest
    """SHA-256 over the RFC 8785 form of the held pod template."""
    images: Annotated[list[ContainerImage], Field(max_length=100, json_schema_extra=MAP_BY_NAME)]
    """The images of the held pod template."""
    requested_by: Username
    """Who changed the template, as the API server authenticated them; empty when the hold was a standing pause."""
    traffic: Traffic
    """The Service and HTTPRoute that split the requests."""
    stable: StableRevision
    """What a rollback returns to."""
    plan: PlanSpec
    """The plan as it was when the change was held."""
    objectives: Annotated[list[ObjectiveSnapshot], Field(min_length=1, max_length=20, json_schema_extra=MAP_BY_NAME)]
    """The objectives as they were when the change was held."""


class Outcome(StrEnum):
    """What evidence says about a canary."""

    PASS = "Pass"  # noqa: S105 - a verdict, not a password
    FAIL = "Fail"
    INCONCLUSIVE = "Inconclusive"


class TrackCounts(Model):
    """What one track served since the release began."""

    total: Annotated[int, Field(ge=0)]
    """Events."""
    bad: Annotated[int, Field(ge=0)] | None = None
    """Bad events among them; a mix and a gauge have none."""
    rate: Annotated[str, Field(max_length=32)] | None = None
    """The share of bad events, e.g. `1.02%`, or a gauge's value; none without events, and for a mix."""


class CategoryShares(Model):
    """How much of each track's events fell into one category of a mix."""

    name: Annotated[str, Field(min_length=1, max_length=128)]
    """The category: the label's value, or the bucket's upper edge."""
    canary: Annotated[str, Field(max_length=16)]
    """Of the canary's events, e.g. `71.2%`."""
    stable: Annotated[str, Field(max_length=16)]
    """Of stable's events."""


class ObjectiveVerdict(Model):
    """What one objective says about the canary."""

    name: Name
    """The objective."""
    outcome: Outcome
    """Pass, Fail or Inconclusive."""
    reason: Annotated[str, Field(max_length=128)]
    """Why, as one word."""
    message: Text
    """Why, as a sentence with the figures."""
    canary: TrackCounts | None = None
    """The canary's events."""
    stable: TrackCounts | None = None
    """Stable's events in the same time."""
    category: Category | None = None
    """Technical or Business."""
    shares: Annotated[list[CategoryShares], Field(max_length=40, json_schema_extra=MAP_BY_NAME)] = Field(
        default_factory=list
    )
    """For a mix: each category's share on both tracks."""
    evidence: Annotated[str, Field(max_length=24)] = ""
    """How strongly the samples say that the canary is worse: an e-value. At 1 they say nothing; where the canary is as
    good as stable it ever reaches X with a probability of at most 1/X."""
    threshold: Annotated[str, Field(max_length=24)] = ""
    """The evidence from which on the canary counts as worse: one over this objective's part of alpha."""
    dispersion: Annotated[str, Field(max_length=16)] = ""
    """How much the events come in bursts, as measured before the release or given; the evidence is tempered by it."""
    decides: Annotated[str, Field(max_length=256)] = ""
    """When a verdict can be expected, as a sentence."""
    queries: Annotated[list[Annotated[str, Field(max_length=8192)]], Field(max_length=8, json_schema_extra=ATOMIC)] = (
        Field(default_factory=list)
    )
    """The exact PromQL that was asked, to be pasted into Prometheus."""


class ReleaseStatus(Model):
    """How far the release is, and why."""

    observed_generation: Annotated[int, Field(ge=0)] = 0
    """The generation the status was computed for."""
    conditions: Conditions = Field(default_factory=list)
    """`Held`: the Deployment carries this change, paused. `Progressing`: what the release does now. `Succeeded`: how
    it ended."""
    step: Annotated[int, Field(ge=0, le=21)] = 0
    """The step the traffic is in, from 1; 0 before the first, one more than the plan has in the promotion."""
    weight: Annotated[int, Field(ge=0, le=100)] = 0
    """Percent of requests the HTTPRoute sends to the canary."""
    progress: Annotated[str, Field(max_length=32)] = ""
    """Step and weight for people, e.g. `2/3 at 50%`."""
    step_started_at: datetime | None = None
    """When the current weight was written (UTC)."""
    passed_at: datetime | None = None
    """When the current step's evidence first passed after its bake, or the plan let it go without proof (UTC)."""
    thin_since: datetime | None = None
    """Since when the current step, its bake over, is held for nothing but thin evidence (UTC)."""
    started_at: datetime | None = None
    """When the first canary traffic was written (UTC)."""
    promoted_at: datetime | None = None
    """When all pods ran the change (UTC); the watch after the promotion counts from here."""
    evidence: Annotated[str, Field(max_length=253)] = ""
    """The ConfigMap with the raw samples behind the last decision: `kubectl feem evidence save` writes it to a file."""
    restored_at: datetime | None = None
    """When the HTTPRoute went back to its owner's backends (UTC); canary pods go on for the plan's delay after it."""
    completed_at: datetime | None = None
    """When the release ended (UTC)."""
    verdicts: Annotated[list[ObjectiveVerdict], Field(max_length=20, json_schema_extra=MAP_BY_NAME)] = Field(
        default_factory=list
    )
    """What each objective said last; soon after a step began, what let the release get there. While a step bakes, the
    figures are written anew every half minute."""
    judged_at: datetime | None = None
    """When the verdicts were reached (UTC)."""


class Release(Resource):
    """One change of one service: held, released in grey, promoted or rolled back."""

    definition: ClassVar[Kind] = Kind(
        kind="Release",
        plural="releases",
        short_names=("rel",),
        columns=(
            Column("Service", ".spec.service"),
            Column("Requested-By", ".spec.requestedBy", priority=1),
            Column("Step", ".status.progress", description="step and weight"),
            Column("State", '.status.conditions[?(@.type=="Progressing")].reason', description="what it does now"),
            Column("Result", '.status.conditions[?(@.type=="Succeeded")].reason', description="how it ended"),
            Column("Message", '.status.conditions[?(@.type=="Progressing")].message'),
            Column("Age", ".metadata.creationTimestamp", "date"),
        ),
        rules=(
            Rule("self == oldSelf", "a Release's spec is immutable: change the Deployment to request another release"),
        ),
    )
    spec: ReleaseSpec
    status: ReleaseStatus | None = None
