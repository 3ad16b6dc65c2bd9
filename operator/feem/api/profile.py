"""ComplianceProfile: what a change has to satisfy, stage by stage."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from feem.api.base import (
    ATOMIC,
    MAP_BY_NAME,
    Column,
    Conditions,
    Kind,
    Label,
    Model,
    Resource,
    Rule,
    Scope,
    Text,
    Username,
)
from feem.api.gate import GATE_RULES, AnnotationKey, Gate

LabelledGate = Annotated[Gate, Field(json_schema_extra=GATE_RULES)]

SKIPS_KNOWN = Rule(
    "!has(self.breakGlass) || self.breakGlass.skips.all(s, s == 'freeze' || self.gates.exists(g, g.name == s))",
    "breakGlass.skips names gates of this profile, or freeze",
    ".breakGlass.skips",
)


class BreakGlass(Model):
    """What an emergency may skip, and what it owes afterwards."""

    skips: Annotated[list[Label], Field(min_length=1, max_length=40, json_schema_extra=ATOMIC)]
    """The gates that a BreakGlass decision opens, by name; `freeze` for change freezes. Everything else still holds."""
    max_seconds: Annotated[int, Field(ge=60, le=14400)] = 14400
    """How long such a decision counts at most; four hours is the limit of all profiles."""
    sign_off_role: Label
    """Who reviews the emergency change afterwards; the reviewer must be another person than the one who broke the glass.
    Until then the service's next release is held."""
    sign_off_within_days: Annotated[int, Field(ge=1, le=30)] = 5
    """How many days there are for the review."""


class WitnessedAction(StrEnum):
    """An act that brings a change closer to its users."""

    APPLY_CANARY = "ApplyCanary"
    SHIFT_TRAFFIC = "ShiftTraffic"
    PROMOTE = "Promote"


class ProfileSpec(Model):
    """Gates in the order in which people are told of them."""

    description: Text = ""
    """What the profile is for."""
    gates: Annotated[list[LabelledGate], Field(min_length=1, max_length=32, json_schema_extra=MAP_BY_NAME)]
    """The gates. All of them are asked each time, so that everything that is missing is seen at once."""
    break_glass: BreakGlass | None = None
    """What an emergency may skip; not given: nothing."""
    pipelines: Annotated[list[Username], Field(max_length=50, json_schema_extra=ATOMIC)] = Field(default_factory=list)
    """Accounts that change Deployments for people, such as those of Helm pipelines or a GitOps controller. A change of theirs
    must name its author in the annotation below, and the author may not approve it either."""
    author_annotation: AnnotationKey = "feem.dev/author"
    """The Deployment's annotation that names the author of a change."""
    witness_before: Annotated[list[WitnessedAction], Field(max_length=3, json_schema_extra=ATOMIC)] = Field(
        default_factory=list
    )
    """Acts that wait until enough witnesses of the audit log have signed a checkpoint that covers their announcement; the way back
    never waits. The operator needs witnesses and a quorum (`audit.witnesses`)."""


class ProfileStatus(Model):
    """What FEEM found when it read the profile."""

    observed_generation: Annotated[int, Field(ge=0)] = 0
    """The generation the conditions were computed for."""
    conditions: Conditions = Field(default_factory=list)
    """`Accepted`: whether the profile can be used, e.g. whether its patterns are regular expressions."""
    summary: Annotated[str, Field(max_length=512)] = ""
    """The gates for people, e.g. `9 gates: 2 at Request, 6 at Start, 1 at Closure`."""


class ComplianceProfile(Resource):
    """A set of gates that services are put under by name."""

    definition: ClassVar[Kind] = Kind(
        kind="ComplianceProfile",
        plural="complianceprofiles",
        short_names=("cprof",),
        scope=Scope.CLUSTER,
        columns=(
            Column("Gates", ".status.summary", description="how many gates, by stage"),
            Column("Accepted", '.status.conditions[?(@.type=="Accepted")].reason'),
            Column("Description", ".spec.description", priority=1),
            Column("Age", ".metadata.creationTimestamp", "date"),
        ),
        rules=(SKIPS_KNOWN,),
    )
    spec: ProfileSpec
    status: ProfileStatus | None = None
