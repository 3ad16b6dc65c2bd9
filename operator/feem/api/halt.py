"""ChaosHalt: the switch that stops all chaos."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from feem.api.base import ATOMIC, Column, Kind, Label, Model, Resource, Rule, Scope, Text, Username


class HaltSpec(Model):
    """Why nothing may be broken now."""

    reason: Annotated[Text, Field(min_length=1, pattern=r"\S")]
    """Why, for those whose runs it stops."""
    by: Username = ""
    """Who stops it: your own user name; the API server refuses any other, and fills it in where MutatingAdmissionPolicy is there."""
    namespaces: Annotated[list[Label], Field(max_length=200, json_schema_extra=ATOMIC)] = Field(default_factory=list)
    """Where; empty: in the whole cluster."""


class ChaosHalt(Resource):
    """While an object of this kind exists, every fault is taken back at once and no run begins; delete it to go on."""

    definition: ClassVar[Kind] = Kind(
        kind="ChaosHalt",
        plural="chaoshalts",
        short_names=("chalt",),
        scope=Scope.CLUSTER,
        columns=(
            Column("Reason", ".spec.reason"),
            Column("By", ".spec.by"),
            Column("Namespaces", ".spec.namespaces", description="empty: the whole cluster"),
            Column("Age", ".metadata.creationTimestamp", "date"),
        ),
        rules=(Rule("self == oldSelf", "a ChaosHalt is immutable: create another one, then delete this one"),),
    )
    spec: HaltSpec
