"""ChaosRun: one experiment tried once, and the proof that it left nothing behind."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import AwareDatetime, Field

from feem.api.base import (
    ATOMIC,
    MAP_BY_NAME,
    Column,
    Conditions,
    Digest,
    Kind,
    Label,
    Model,
    Resource,
    Rule,
    Text,
    Username,
)
from feem.api.experiment import Terms
from feem.api.release import EvidenceFile, ObjectiveSnapshot, ObjectiveVerdict

Line = Annotated[str, Field(max_length=512)]


class Track(StrEnum):
    """Whose pods are hit."""

    STABLE = "Stable"
    CANARY = "Canary"


class StopRequest(Model):
    """Somebody wants the run to end now."""

    by: Annotated[Username, Field(min_length=1)]
    """Who: your own user name; the API server refuses any other."""
    reason: Annotated[Text, Field(min_length=1, pattern=r"\S")]
    """Why."""


class RunSpec(Model):
    """Which experiment, on which pods, for whom."""

    experiment: Label
    """The ChaosExperiment, in the same namespace. What it says when the run begins is copied to the run's status."""
    track: Track = Track.STABLE
    """`Stable`: the pods that serve users. `Canary`: those of a release's canary; only a release asks for it."""
    release: Annotated[str, Field(max_length=253)] = ""
    """Of track Canary: the Release."""
    scheduled_for: AwareDatetime | None = None
    """Of a run that the schedule made: the time it is for, without jitter (UTC)."""
    requested_by: Username = ""
    """Who asks for it: your own user name; the API server refuses any other, and fills it in where MutatingAdmissionPolicy is there.
    Empty: the schedule, or a release."""
    reason: Text = ""
    """Why, for the audit log."""
    stop: StopRequest | None = None
    """Set it to end the run at once: the fault is undone and the run is Aborted."""


class RunTerms(Terms):
    """What the run does: the experiment as it was when the run began."""

    generation: Annotated[int, Field(ge=0)]
    """The experiment's generation."""
    digest: Digest
    """SHA-256 over the RFC 8785 form of the experiment's spec."""
    measured: Annotated[list[ObjectiveSnapshot], Field(max_length=20, json_schema_extra=MAP_BY_NAME)] = Field(
        default_factory=list
    )
    """The objectives as they were then."""


class EditRecord(Model):
    """One change that the fault makes, and so what takes it back. It stands here before the change is made."""

    object: Annotated[str, Field(max_length=512)]
    """The object, e.g. `Pod lending/scoring-6b9-x2v`."""
    action: Annotated[str, Field(max_length=16)]
    """Make, Change, Tag or Remove."""
    detail: Annotated[str, Field(max_length=65536)]
    """The change with what was there before, as JSON."""


class EffectSeen(Model):
    """What the effect's query gave."""

    query: Annotated[str, Field(max_length=4096)] = ""
    """The query; empty where objects of the API show the fault."""
    before: Annotated[str, Field(max_length=32)] = ""
    """Its value before the fault."""
    during: Annotated[str, Field(max_length=32)] = ""
    """Its value when the fault was first seen to work, else the last one while it was in place."""
    after: Annotated[str, Field(max_length=32)] = ""
    """Its value once the run had recovered."""
    seen_at: AwareDatetime | None = None
    """When the fault was first seen to work (UTC)."""
    gone_at: AwareDatetime | None = None
    """When it was first seen not to work any more (UTC)."""
    message: Line = ""
    """What was seen, as a sentence."""


class RunStatus(Model):
    """How far the run is, what it found, and what it left."""

    observed_generation: Annotated[int, Field(ge=0)] = 0
    """The generation the status was computed for."""
    conditions: Conditions = Field(default_factory=list)
    """`Progressing`: what it does now. `FaultInPlace`: whether the fault may be there. `Recovered`: whether everything is as before.
    `Succeeded`: how it ended."""
    cause: Annotated[str, Field(max_length=128)] = ""
    """Why it ended so, as one word, e.g. `ChangeFreeze` or `ObjectiveBreached`."""
    cause_message: Text = ""
    """Why its fault was taken back, as a sentence."""
    terms: RunTerms | None = None
    """What it does: the experiment as it was when the run began."""
    deployment: Annotated[str, Field(max_length=253)] = ""
    """The Deployment whose pods are hit."""
    deployment_uid: Annotated[str, Field(max_length=64)] = ""
    """Its UID."""
    replica_set: Annotated[str, Field(max_length=253)] = ""
    """Their ReplicaSet."""
    compared_with: Annotated[str, Field(max_length=253)] = ""
    """Of track Canary: the ReplicaSet it is compared with."""
    replicas: Annotated[int, Field(ge=0)] = 0
    """How many pods there were before."""
    edits: Annotated[list[EditRecord], Field(max_length=250, json_schema_extra=ATOMIC)] = Field(default_factory=list)
    """Everything the fault changes."""
    planned_at: AwareDatetime | None = None
    """When the run was allowed and its changes were settled (UTC)."""
    expires_at: AwareDatetime | None = None
    """From when on the reaper takes the fault back, whether or not an operator runs (UTC)."""
    injected_at: AwareDatetime | None = None
    """When all of the fault was in place (UTC)."""
    undone_at: AwareDatetime | None = None
    """When all of it was taken back (UTC)."""
    recovered_at: AwareDatetime | None = None
    """When state and objectives were as before (UTC)."""
    completed_at: AwareDatetime | None = None
    """When the run was over (UTC)."""
    before: Annotated[list[ObjectiveVerdict], Field(max_length=20, json_schema_extra=MAP_BY_NAME)] = Field(
        default_factory=list
    )
    """What the objectives said before the fault."""
    during: Annotated[list[ObjectiveVerdict], Field(max_length=20, json_schema_extra=MAP_BY_NAME)] = Field(
        default_factory=list
    )
    """While it was in place."""
    after: Annotated[list[ObjectiveVerdict], Field(max_length=20, json_schema_extra=MAP_BY_NAME)] = Field(
        default_factory=list
    )
    """After it."""
    breached_at: AwareDatetime | None = None
    """When an objective was certainly breached (UTC)."""
    unmeasured_since: AwareDatetime | None = None
    """Since when the objectives could not be measured while the fault was in place (UTC)."""
    effect: EffectSeen | None = None
    """Whether the fault was seen to work."""
    residue: Annotated[list[Line], Field(max_length=64, json_schema_extra=ATOMIC)] = Field(default_factory=list)
    """What of the fault is still there; empty when nothing is."""
    kept: Annotated[list[Line], Field(max_length=64, json_schema_extra=ATOMIC)] = Field(default_factory=list)
    """What people changed while the fault was in place, and so was left as they wrote it."""
    evidence_files: Annotated[list[EvidenceFile], Field(max_length=4, json_schema_extra=ATOMIC)] = Field(
        default_factory=list
    )
    """The kept raw samples of the time of the fault."""


_SAME = ("experiment", "track", "release", "scheduledFor", "requestedBy", "reason")
IMMUTABLE = Rule(
    " && ".join(
        f"has(self.{one}) == has(oldSelf.{one}) && (!has(self.{one}) || self.{one} == oldSelf.{one})" for one in _SAME
    )
    + " && (!has(oldSelf.stop) || has(self.stop) && self.stop == oldSelf.stop)",
    "a ChaosRun is immutable but for stop, which can be set once: create another run",
)
TRACK_FITS = Rule(
    "(has(self.track) && self.track == 'Canary') == (has(self.release) && self.release != '')",
    "release names the Release of track Canary, and stands with it only",
    ".release",
)


class ChaosRun(Resource):
    """One try of an experiment: refused, or injected, watched, undone, and proven to have left nothing."""

    definition: ClassVar[Kind] = Kind(
        kind="ChaosRun",
        plural="chaosruns",
        short_names=("crun",),
        columns=(
            Column("Experiment", ".spec.experiment"),
            Column("Track", ".spec.track", priority=1),
            Column("State", '.status.conditions[?(@.type=="Progressing")].reason', description="what it does now"),
            Column("Fault", '.status.conditions[?(@.type=="FaultInPlace")].reason', description="whether it is there"),
            Column("Result", '.status.conditions[?(@.type=="Succeeded")].reason', description="how it ended"),
            Column("Cause", ".status.cause"),
            Column("Asked-By", ".spec.requestedBy", priority=1),
            Column("Message", '.status.conditions[?(@.type=="Progressing")].message'),
            Column("Age", ".metadata.creationTimestamp", "date"),
        ),
        rules=(IMMUTABLE, TRACK_FITS),
    )
    spec: RunSpec
    status: RunStatus | None = None
