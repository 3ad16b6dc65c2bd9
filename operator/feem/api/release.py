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
    DigestOrEmpty,
    Kind,
    Label,
    Model,
    Name,
    Resource,
    Rule,
    Text,
    Username,
)
from feem.api.gate import Stage
from feem.api.objective import Category, ObjectiveSpec
from feem.api.plan import PlanSpec
from feem.api.service import Document, Drill, Mode, StableRevision, Traffic


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


class Fact(Model):
    """What an annotation of the Deployment said."""

    name: Annotated[str, Field(min_length=1, max_length=253)]
    """The annotation, e.g. `feem.dev/ticket`."""
    value: Annotated[str, Field(max_length=1024)]
    """Its value."""


class ComplianceFacts(Model):
    """What the gates of a profile look at, as it was when the release was requested."""

    profile: Name
    """The ComplianceProfile."""
    profile_digest: Digest
    """SHA-256 over the RFC 8785 form of the profile's spec. When the profile is edited, the release is held."""
    facts: Annotated[list[Fact], Field(max_length=40, json_schema_extra=MAP_BY_NAME)] = Field(default_factory=list)
    """The annotations that the profile's gates ask for. The same annotation on the Release, written while it waits, counts
    instead."""
    owner: Annotated[str, Field(max_length=253)] = ""
    """The service's owner."""
    data_classification: Annotated[str, Field(max_length=32)] = ""
    """The class of its data."""
    runbook: Document | None = None
    """Its runbook."""
    rollback_plan: Document | None = None
    """Its rollback plan."""
    drills: Annotated[list[Drill], Field(max_length=50, json_schema_extra=MAP_BY_NAME)] = Field(default_factory=list)
    """The experiments it had passed."""


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
    mode: Mode = Mode.ENFORCE
    """`Observe`: the change went live by itself; the Release says what would have held it."""
    author: Username = ""
    """Who wrote the change, where an account of the profile's `pipelines` asked for it: what the author's annotation said. FEEM
    cannot prove it."""
    compliance: ComplianceFacts | None = None
    """What the gates look at; none where the service has no profile."""


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


class GateOutcome(StrEnum):
    """What a gate says."""

    PASSED = "Passed"
    HOLDING = "Holding"
    SKIPPED = "Skipped"


class GateStatus(Model):
    """What one gate says about the release now."""

    name: Name
    """The gate."""
    stage: Stage
    """From when on it has to be open."""
    outcome: GateOutcome
    """Passed, Holding, or Skipped by a BreakGlass decision."""
    reason: Annotated[str, Field(max_length=128)]
    """Why, as one word."""
    message: Text
    """Why, as a sentence, with the next step where something is missing."""


class SignOffDuty(Model):
    """What is owed after the release."""

    role: Label
    """Who has to sign off."""
    due: datetime
    """Until when (UTC)."""
    emergency: Annotated[str, Field(max_length=253)] = ""
    """The BreakGlass decision that has to be reviewed; empty for the sign-off that the profile asks of each release."""
    not_by: Annotated[list[Username], Field(max_length=20, json_schema_extra=ATOMIC)] = Field(default_factory=list)
    """Who may not do it: those who took part in the release."""


class EvidenceFile(Model):
    """One kept file of raw samples."""

    name: Annotated[str, Field(min_length=1, max_length=253)]
    """Its ConfigMap."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", min_length=64, max_length=64)]
    """SHA-256 of the file, hex."""
    digest: Digest
    """The digest that the audit log has of the samples."""


class ReleaseStatus(Model):
    """How far the release is, and why."""

    observed_generation: Annotated[int, Field(ge=0)] = 0
    """The generation the status was computed for."""
    conditions: Conditions = Field(default_factory=list)
    """`Held`: the Deployment carries this change, paused. `Progressing`: what the release does now. `Succeeded`: how
    it ended. `Allowed`: whether all gates of the next step are open. `SignedOff`: whether what is owed afterwards is done."""
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
    evidence_files: Annotated[list[EvidenceFile], Field(max_length=8, json_schema_extra=ATOMIC)] = Field(
        default_factory=list
    )
    """Every kept file of samples, with its checksum: the dossier names them."""
    dossier: Annotated[str, Field(max_length=524288)] = ""
    """What is kept of the ended release as proof: its dossier, gzip in base64. `kubectl feem release evidence` unpacks it."""
    attestation: Annotated[str, Field(max_length=131072)] = ""
    """The signed statement about gates and dossier (in-toto in a DSSE envelope); the audit log has its digest."""
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
    gates: Annotated[list[GateStatus], Field(max_length=40, json_schema_extra=MAP_BY_NAME)] = Field(
        default_factory=list
    )
    """What each gate says, all at once, in the order of the profile."""
    binding: DigestOrEmpty = ""
    """What an approval of this release allows: the digest of its spec, its annotations that gates look at, and its profile."""
    sign_off: SignOffDuty | None = None
    """What is owed after the release."""
    retain_until: datetime | None = None
    """Until when nobody may delete this Release (UTC)."""


class Release(Resource):
    """One change of one service: held, released in grey, promoted or rolled back."""

    definition: ClassVar[Kind] = Kind(
        kind="Release",
        plural="releases",
        short_names=("rel",),
        columns=(
            Column("Service", ".spec.service"),
            Column("Requested-By", ".spec.requestedBy", priority=1),
            Column("Allowed", '.status.conditions[?(@.type=="Allowed")].reason', priority=1),
            Column("Signed-Off", '.status.conditions[?(@.type=="SignedOff")].reason', priority=1),
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
