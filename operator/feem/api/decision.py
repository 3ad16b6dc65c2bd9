"""Decision: one human act on a release."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from feem.api.base import Column, Conditions, Kind, Model, Name, Resource, Rule, Text, Username


class Verb(StrEnum):
    """What a person can decide."""

    PAUSE = "Pause"
    RESUME = "Resume"
    ABORT = "Abort"
    PROMOTE = "Promote"
    RETRY = "Retry"


class DecisionSpec(Model):
    """Who decides what about which release, and why."""

    release: Name
    """The Release in the same namespace."""
    verb: Verb
    """Pause: keep the current weight. Resume: go on. Abort: send all traffic to stable and end. Promote: skip the
    remaining bakes. Retry: try a rolled-back change again."""
    reason: Annotated[Text, Field(min_length=1, pattern=r"\S")]
    """Why, for the audit log."""
    by: Annotated[Username, Field(min_length=1)]
    """Who decides: your own user name; the API server refuses any other."""


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
            Column("Applied", '.status.conditions[?(@.type=="Applied")].reason'),
            Column("Reason", ".spec.reason", priority=1),
            Column("Age", ".metadata.creationTimestamp", "date"),
        ),
        rules=(Rule("self == oldSelf", "a Decision is immutable: create another one"),),
    )
    spec: DecisionSpec
    status: DecisionStatus | None = None
