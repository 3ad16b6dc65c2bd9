"""AuditLog: what is published of the audit log, and how well."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import Field

from feem.api.base import ATOMIC, Column, Conditions, Kind, Model, Resource, Rule, Scope

Origin = Annotated[str, Field(min_length=3, max_length=200, pattern=r"^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$")]
"""A log's name, in the form of an address without scheme."""


class AuditLogSpec(Model):
    """Which log this is."""

    origin: Origin
    """The name that its checkpoints begin with, e.g. `bank.example/feem/prod`. Another name is another log."""


class Vouched(Model):
    """What a witness said last."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    """The witness, as the policy calls it."""
    size: Annotated[int, Field(ge=0)] = 0
    """The number of entries of the last checkpoint that it signed."""
    time: datetime | None = None
    """When it signed."""
    problem: Annotated[str, Field(max_length=1024)] = ""
    """Why it did not sign the newest one; empty when it did."""


class AuditLogStatus(Model):
    """What the operator last saw and did."""

    size: Annotated[int, Field(ge=0)] = 0
    """Entries that the signed checkpoint covers."""
    root: Annotated[str, Field(max_length=64)] = ""
    """The root over them, base64 (RFC 9162)."""
    checkpoint: Annotated[str, Field(max_length=131072)] = ""
    """The signed checkpoint with its cosignatures (c2sp.org/tlog-checkpoint): keep copies of it elsewhere."""
    signed_at: datetime | None = None
    """When it was signed."""
    keys: Annotated[list[Annotated[str, Field(max_length=4096)]], Field(max_length=32, json_schema_extra=ATOMIC)] = (
        Field(default_factory=list)
    )
    """The log's public keys, those of before included (c2sp.org/signed-note verifier keys). Compare them with the ones you were
    given: who can write here can replace them."""
    open_intents: Annotated[int, Field(ge=0)] = 0
    """Announced acts without an outcome, when it was signed."""
    first: Annotated[int, Field(ge=0)] = 0
    """The oldest entry still kept in the store; those before it are in the published directory only."""
    published_at: datetime | None = None
    """When the published directory was last brought to this size; empty without one."""
    witnesses: Annotated[list[Vouched], Field(max_length=32, json_schema_extra=ATOMIC)] = Field(default_factory=list)
    """What the witnesses said."""
    observed_generation: Annotated[int, Field(ge=0)] = 0
    """The generation of the spec that this is about."""
    conditions: Conditions = Field(default_factory=list)
    """`Signed`, `Published` and `Witnessed`: True, or why not."""


class AuditLog(Resource):
    """The published head of the audit log; the operator makes and writes it."""

    definition: ClassVar[Kind] = Kind(
        kind="AuditLog",
        plural="auditlogs",
        short_names=("alog",),
        scope=Scope.CLUSTER,
        columns=(
            Column("Origin", ".spec.origin"),
            Column("Size", ".status.size", "integer"),
            Column("Signed", ".status.conditions[?(@.type=='Signed')].status"),
            Column("Published", ".status.conditions[?(@.type=='Published')].status"),
            Column("Witnessed", ".status.conditions[?(@.type=='Witnessed')].status"),
            Column("Checkpoint", ".status.signedAt", "date"),
            Column("Root", ".status.root", priority=1),
            Column("Reason", ".status.conditions[?(@.type=='Signed')].reason", priority=1),
        ),
        rules=(
            Rule(
                "self.origin == oldSelf.origin",
                "origin is the log's name and never changes: delete the AuditLog to begin another",
                ".origin",
            ),
        ),
        name_pattern="^feem$",
    )
    spec: AuditLogSpec
    status: AuditLogStatus | None = None
