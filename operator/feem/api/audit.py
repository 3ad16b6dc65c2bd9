"""AuditRecord: one entry of the audit log, named by its index."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from feem.api.base import ATOMIC, Column, Digest, DigestOrEmpty, Kind, Model, Resource, Rule, Scope, Username


class Part(StrEnum):
    """What an entry is: announced before an act, its result after it, or something seen."""

    INTENT = "Intent"
    OUTCOME = "Outcome"
    FACT = "Fact"


class Subject(Model):
    """The object an entry is about."""

    kind: Annotated[str, Field(min_length=1, max_length=63)]
    """Its kind."""
    namespace: Annotated[str, Field(max_length=63)] = ""
    """Its namespace; empty for cluster-scoped objects."""
    name: Annotated[str, Field(min_length=1, max_length=253)]
    """Its name."""
    uid: Annotated[str, Field(max_length=64)] = ""
    """Its UID."""


class AuditSpec(Model):
    """One entry. Its digest covers every other field; each entry carries the digest of the one before."""

    index: Annotated[int, Field(ge=0)]
    """Position in the log, from 0; the object's name is this number, zero-padded to 12 digits."""
    time: Annotated[
        str,
        Field(
            min_length=20,
            max_length=32,
            pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|\+00:00)$",
        ),
    ]
    """When it was written, UTC, RFC 3339 with microseconds."""
    actor: Annotated[Username, Field(min_length=1)]
    """Who acts: the operator's own account, or the person whose Decision or change it is."""
    action: Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[A-Z][A-Za-z]*$")]
    """What is done, CamelCase, e.g. StartCanary, SetWeight, RollBack, Promote."""
    part: Part
    """Intent (before the act), Outcome (after it) or Fact."""
    subject: Subject
    """What it is about."""
    reason: Annotated[str, Field(max_length=128)] = ""
    """Why, as one word; of an Outcome: Done, Recovered, Abandoned or Failed."""
    message: Annotated[str, Field(max_length=4096)] = ""
    """Why, as a sentence."""
    effects: Annotated[list[Annotated[str, Field(max_length=512)]], Field(max_length=32, json_schema_extra=ATOMIC)] = (
        Field(default_factory=list)
    )
    """Of an Intent: each write it announces, e.g. `patch HTTPRoute lending/limit-scoring weight 10`."""
    evidence: DigestOrEmpty = ""
    """Digest of the evidence behind it, when there is any."""
    intent: Annotated[int, Field(ge=0)] | None = None
    """Of an Outcome: the index of its Intent."""
    epoch: Annotated[int, Field(ge=0)]
    """Fencing epoch: leadership changes of the operator's Lease."""
    previous: DigestOrEmpty
    """Digest of the entry before; empty for the first."""
    digest: Digest
    """SHA-256 over the RFC 8785 form of all other fields."""


class AuditRecord(Resource):
    """One entry of the audit log: immutable, and chained to the one before."""

    definition: ClassVar[Kind] = Kind(
        kind="AuditRecord",
        plural="auditrecords",
        short_names=("audit",),
        scope=Scope.CLUSTER,
        columns=(
            Column("Time", ".spec.time"),
            Column("Part", ".spec.part"),
            Column("Action", ".spec.action"),
            Column("Namespace", ".spec.subject.namespace"),
            Column("Subject", ".spec.subject.name"),
            Column("Reason", ".spec.reason"),
            Column("Actor", ".spec.actor", priority=1),
            Column("Message", ".spec.message", priority=1),
        ),
        rules=(
            Rule("self == oldSelf", "an AuditRecord is immutable"),
            Rule(
                "(self.part == 'Outcome') == has(self.intent)",
                "intent names the Intent of an Outcome, and stands in an Outcome only",
                ".intent",
            ),
            Rule("!has(self.intent) || self.intent < self.index", "intent must be an earlier entry", ".intent"),
            Rule(
                "(self.index == 0) == (self.previous == '')",
                "previous is the digest of the entry before, and empty for entry 0 only",
                ".previous",
            ),
        ),
        object_rules=(
            Rule("int(self.metadata.name) == self.spec.index", "metadata.name must be the index", ".spec.index"),
        ),
        name_pattern="^[0-9]{12}$",
    )
    spec: AuditSpec
