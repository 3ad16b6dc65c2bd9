"""ServiceLevelObjective: what "doing well" means for a service, as PromQL."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from feem.api.base import Column, Conditions, Decimal, Kind, Model, Percent, PromQL, Resource, Rule, Text, validations


class Category(StrEnum):
    """Whom an objective speaks to."""

    TECHNICAL = "Technical"
    BUSINESS = "Business"


class RatioIndicator(Model):
    """Bad events among all events, both as counters."""

    bad: PromQL
    """PromQL selector of the counters of bad events, e.g. `http_requests_total{code=~"5.."}`. `sum`, `rate` and
    `increase` around one selector are understood: FEEM reads the raw counter."""
    total: PromQL
    """PromQL selector of the counters of all events, e.g. `http_requests_total`."""


class Indicator(Model):
    """How the objective is measured."""

    ratio: RatioIndicator
    """Bad events among all events."""


class CanarySettings(Model):
    """How a canary is judged against this objective."""

    tolerated_relative_risk: Annotated[
        Decimal, Field(json_schema_extra=validations(Rule("double(self) >= 1.0", "must be at least 1")))
    ] = "1.5"
    """How many times stable's bad-event ratio the canary may have before it counts as worse, as a decimal of at
    least 1."""
    minimum_samples: Annotated[int, Field(ge=1, le=10_000_000)] = 100
    """Events the canary must have served in a step before FEEM judges it good. With fewer the verdict is Inconclusive
    and the step holds."""


class ObjectiveSpec(Model):
    """The indicator, its target, and how it judges a canary."""

    description: Text = ""
    """What the objective protects, for people."""
    category: Category = Category.TECHNICAL
    """Technical (errors, latency) or Business (approvals, complaints)."""
    objective: Annotated[
        Percent, Field(json_schema_extra=validations(Rule("double(self) > 0.0", "must be above 0 percent")))
    ]
    """Percent of events that must be good, as a string, e.g. "99.9"."""
    indicator: Indicator
    """How it is measured."""
    canary: CanarySettings = CanarySettings()
    """How a canary is judged."""


class ObjectiveStatus(Model):
    """What FEEM found when it read the objective."""

    observed_generation: Annotated[int, Field(ge=0)] = 0
    """The generation the conditions were computed for."""
    conditions: Conditions = Field(default_factory=list)
    """`Accepted`: whether the queries can be used, and what is wrong with them."""


class ServiceLevelObjective(Resource):
    """An objective that releases are judged by."""

    definition: ClassVar[Kind] = Kind(
        kind="ServiceLevelObjective",
        plural="servicelevelobjectives",
        short_names=("slo",),
        columns=(
            Column("Objective", ".spec.objective", description="percent of events that must be good"),
            Column("Category", ".spec.category"),
            Column("Accepted", '.status.conditions[?(@.type=="Accepted")].reason'),
            Column("Message", '.status.conditions[?(@.type=="Accepted")].message', priority=1),
            Column("Age", ".metadata.creationTimestamp", "date"),
        ),
    )
    spec: ObjectiveSpec
    status: ObjectiveStatus | None = None
