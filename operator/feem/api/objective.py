"""ServiceLevelObjective: what "doing well" means for a service, as PromQL."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from feem.api.base import (
    MAP_BY_NAME,
    Column,
    Conditions,
    Decimal,
    Kind,
    Model,
    Percent,
    Resource,
    Rule,
    Text,
    validations,
)
from feem.api.indicator import (
    BAD_OR_GOOD,
    BOUNDS_IN_ORDER,
    COUNTER_OR_HISTOGRAM,
    HAS_BOUND,
    GaugeIndicator,
    LatencyIndicator,
    MixIndicator,
    RatioIndicator,
)


class Category(StrEnum):
    """Whom an objective speaks to."""

    TECHNICAL = "Technical"
    BUSINESS = "Business"


class Indicator(Model):
    """How the objective is measured: exactly one of the four."""

    ratio: Annotated[RatioIndicator, Field(json_schema_extra=validations(BAD_OR_GOOD))] | None = None
    """Bad (or good) events among all events, e.g. failed requests. Rare events are its strength."""
    latency: LatencyIndicator | None = None
    """Events slower than a threshold, from a histogram."""
    mix: Annotated[MixIndicator, Field(json_schema_extra=validations(COUNTER_OR_HISTOGRAM))] | None = None
    """How events divide into categories, e.g. approved, referred, rejected, or the buckets of a score: the canary's mix
    shall be stable's."""
    gauge: Annotated[GaugeIndicator, Field(json_schema_extra=validations(HAS_BOUND, BOUNDS_IN_ORDER))] | None = None
    """A value with a bound, e.g. the depth of a queue."""


ONE_INDICATOR = Rule(
    "[has(self.ratio), has(self.latency), has(self.mix), has(self.gauge)].filter(x, x).size() == 1",
    "give exactly one of ratio, latency, mix and gauge",
)


class CanarySettings(Model):
    """How a canary is judged against this objective."""

    tolerated_relative_risk: Annotated[
        Decimal, Field(json_schema_extra=validations(Rule("double(self) >= 1.0", "must be at least 1")))
    ] = "1"
    """How many times stable's rate of bad events the canary may have before it counts as worse, as a decimal of at
    least 1. With 1, every worsening counts once it is certain and the canary is outside the objective. For ratio and
    latency."""
    minimum_samples: Annotated[int, Field(ge=1, le=10_000_000)] = 100
    """Events the canary must have served in a step before FEEM judges it good. With fewer the verdict is Inconclusive
    and the step holds, unless the evidence that the canary is not worse is strong before that."""
    warm_up_seconds: Annotated[int, Field(ge=0, le=3600)] = 10
    """How long after a pod's first scrape its events are left out, for caches and compilers to warm up."""
    alpha_share: Annotated[int, Field(ge=1, le=100)] = 1
    """This objective's share of the plan's alpha, relative to the other objectives of the release: of shares 3 and 1,
    the first gets three quarters."""
    dispersion: Annotated[
        str, Field(min_length=1, max_length=12, pattern=r"^(Auto|[1-9][0-9]{0,2}(\.[0-9]{1,6})?)$")
    ] = "Auto"
    """How much bad events come in bursts: the variance of their counts over the variance of independent ones, at least
    1. `Auto` measures it on stable's last hour before the release."""


class ObjectiveSpec(Model):
    """The indicator, its target, and how it judges a canary."""

    description: Text = ""
    """What the objective protects, for people."""
    category: Category = Category.TECHNICAL
    """Technical (errors, latency) or Business (approvals, complaints)."""
    objective: (
        Annotated[Percent, Field(json_schema_extra=validations(Rule("double(self) > 0.0", "must be above 0 percent")))]
        | None
    ) = None
    """Percent of events that must be good, as a string, e.g. "99.9". For ratio and latency, and only for them."""
    window_days: Annotated[int, Field(ge=1, le=90)] = 30
    """The rolling window of the error budget, in days."""
    indicator: Annotated[Indicator, Field(json_schema_extra=validations(ONE_INDICATOR))]
    """How it is measured."""
    canary: CanarySettings = CanarySettings()
    """How a canary is judged."""


OBJECTIVE_FITS = Rule(
    "has(self.objective) == (has(self.indicator.ratio) || has(self.indicator.latency))",
    "ratio and latency need an objective in percent; mix and gauge have none",
    field_path=".objective",
)


class BurnRate(Model):
    """How fast the error budget was spent in one window."""

    name: Annotated[str, Field(min_length=1, max_length=8)]
    """The window, e.g. `1h`."""
    rate: Annotated[str, Field(max_length=24)]
    """Times the speed at which the budget lasts exactly its window, e.g. `0.42`; empty without events."""


class Budget(Model):
    """The error budget of the whole service, not of a canary."""

    left: Annotated[str, Field(max_length=24)] = ""
    """What is left of it, in percent, e.g. `83.1%`; negative when it is overspent, empty without events."""
    burn: Annotated[list[BurnRate], Field(max_length=12, json_schema_extra=MAP_BY_NAME)] = Field(default_factory=list)
    """How fast it was spent, window by window."""
    updated_at: datetime | None = None
    """When this was measured (UTC)."""


class ObjectiveStatus(Model):
    """What FEEM found when it read and measured the objective."""

    observed_generation: Annotated[int, Field(ge=0)] = 0
    """The generation the conditions were computed for."""
    conditions: Conditions = Field(default_factory=list)
    """`Accepted`: whether the queries can be used, and what is wrong with them. `Measured`: whether they return
    anything. `BudgetHealthy`: whether the error budget is spent too fast."""
    budget: Budget | None = None
    """The error budget, for ratio and latency."""


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
            Column("Measured", '.status.conditions[?(@.type=="Measured")].reason'),
            Column("Budget-Left", ".status.budget.left", description="of the error budget, in its window"),
            Column("Message", '.status.conditions[?(@.type=="Accepted")].message', priority=1),
            Column("Age", ".metadata.creationTimestamp", "date"),
        ),
        rules=(OBJECTIVE_FITS,),
    )
    spec: ObjectiveSpec
    status: ObjectiveStatus | None = None
