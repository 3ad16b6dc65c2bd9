"""Decision: one human act on a release."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from feem.api.base import (
    ATOMIC,
    Column,
    Conditions,
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

ROLE_GIVEN = Rule(
    "!(self.verb in ['Approve', 'Reject', 'SignOff']) || has(self.role)",
    "Approve, Reject and SignOff are decided in a role: give role",
    ".role",
)
EMERGENCY_COMPLETE = Rule(
    "self.verb != 'BreakGlass' || (has(self.expiresAt) && has(self.ticket) && self.ticket != '')",
    "BreakGlass needs expiresAt (at most four hours from now) and the emergency's ticket",
)
BOUND = Rule(
    "!(self.verb in ['Approve', 'BreakGlass']) || (has(self.digest) && self.digest != '')",
    "Approve and BreakGlass name what they allow: copy digest from the Release's status.binding, or use kubectl feem",
    ".digest",
)


class Verb(StrEnum):
    """What a person can decide."""

    PAUSE = "Pause"
    RESUME = "Resume"
    ABORT = "Abort"
    PROMOTE = "Promote"
    RETRY = "Retry"
    APPROVE = "Approve"
    REJECT = "Reject"
    BREAK_GLASS = "BreakGlass"
    SIGN_OFF = "SignOff"


class DecisionSpec(Model):
    """Who decides what about which release, and why."""

    release: Name
    """The Release in the same namespace."""
    verb: Verb
    """Pause: keep the current weight. Resume: go on. Abort: send all traffic to stable and end. Promote: skip the
    remaining bakes. Retry: try a rolled-back change again. Approve, Reject: let it pass an approvals gate, or not.
    BreakGlass: skip the gates that the profile lists, in an emergency. SignOff: confirm an ended release."""
    reason: Annotated[Text, Field(min_length=1, pattern=r"\S")]
    """Why, for the audit log."""
    by: Annotated[Username, Field(min_length=1)]
    """Who decides: your own user name; the API server refuses any other. Where MutatingAdmissionPolicy is there, it is
    filled in."""
    groups: Annotated[list[Username], Field(max_length=200, json_schema_extra=ATOMIC)] = Field(default_factory=list)
    """The groups of who decides, as the API server knows them; your role is asked for again, with them, when the decision
    is acted upon. Filled in like `by`."""
    role: Label | None = None
    """Of Approve, Reject and SignOff: the role it is decided in, e.g. `risk`. You need its RBAC verb, `approve` or `signoff`, on
    resource `approvalroles` of group `feem.dev`, named after the role."""
    digest: DigestOrEmpty = ""
    """Of Approve and BreakGlass: what is allowed, the Release's `status.binding` as you saw it. When the change, its plan, its
    objectives or its profile are edited afterwards, the decision is void. Filled in like `by`."""
    ticket: Annotated[str, Field(max_length=128)] | None = None
    """Of BreakGlass: the emergency's ticket."""
    expires_at: datetime | None = None
    """Of Approve and BreakGlass: when it stops to count (UTC). Required for BreakGlass, at most four hours from now; an approval
    at most 30 days."""


class DecisionStatus(Model):
    """What became of the decision."""

    observed_generation: Annotated[int, Field(ge=0)] = 0
    """The generation the conditions were computed for."""
    conditions: Conditions = Field(default_factory=list)
    """`Applied`: True when FEEM acted on it, False with the reason when it could not."""


class Decision(Resource):
    """One human act, immutable."""

    definition: ClassVar[Kind] = Kind(
        kind="Decision",
        plural="decisions",
        short_names=("dec",),
        columns=(
            Column("Release", ".spec.release"),
            Column("Verb", ".spec.verb"),
            Column("By", ".spec.by"),
            Column("Role", ".spec.role"),
            Column("Applied", '.status.conditions[?(@.type=="Applied")].reason'),
            Column("Reason", ".spec.reason", priority=1),
            Column("Age", ".metadata.creationTimestamp", "date"),
        ),
        rules=(
            Rule("self == oldSelf", "a Decision is immutable: create another one"),
            ROLE_GIVEN,
            EMERGENCY_COMPLETE,
            BOUND,
        ),
    )
    spec: DecisionSpec
    status: DecisionStatus | None = None
