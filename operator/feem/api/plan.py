"""GreyReleasePlan: how a change reaches its users, step by step."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from feem.api.base import ATOMIC, Column, Conditions, Kind, Label, Model, Resource, Rule, Share, validations


class StepChaos(Model):
    """An experiment that a canary has to survive before it gets more traffic."""

    experiment: Label
    """The ChaosExperiment, in the same namespace. The release has it tried on its canary, and compared with stable."""


class Step(Model):
    """One grey step: a share of the traffic, and how long it must do well."""

    weight: Annotated[int, Field(ge=1, le=100)]
    """Percent of the requests that reach the canary in this step. Weights must rise from step to step."""
    bake_seconds: Annotated[int, Field(ge=1, le=604800)]
    """How long the canary must serve this share, and pass its objectives, before the next step begins."""
    replicas: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Canary pods in this step. Default: the Deployment's replicas times the weight, rounded up, at least one."""
    chaos: StepChaos | None = None
    """What has to be passed on the canary once the step has baked and its evidence passes. Until then the release stays at this
    weight; a run that fails takes it back, and one that tells nothing holds it for people."""


WEIGHTS_RISE = Rule(
    "self.map(s, s.weight).isSorted() && self.all(s, self.exists_one(t, t.weight == s.weight))",
    "weights must rise from step to step",
)
"""`isSorted` lets equal weights pass; the second half refuses them."""


class WhenInconclusive(StrEnum):
    """What to do with a canary about which too little is known for too long."""

    HOLD = "Hold"
    ROLLBACK = "Rollback"
    PROMOTE = "Promote"


class InconclusivePolicy(Model):
    """What happens when a step has baked and its evidence stays too thin.

    Missing metrics and shared degradation always hold, whatever stands here.
    """

    action: WhenInconclusive = WhenInconclusive.HOLD
    """`Hold`: stay at the weight until people decide. `Rollback`: go back. `Promote`: take the next step without proof;
    for services of low risk only."""
    max_hold_seconds: Annotated[int, Field(ge=0, le=604800)] = 3600
    """How long a step is held after its bake before the action is taken."""


class PlanSpec(Model):
    """The grey steps and their deadlines."""

    steps: Annotated[
        list[Step],
        Field(min_length=1, max_length=20, json_schema_extra={**ATOMIC, **validations(WEIGHTS_RISE)}),
    ]
    """The steps in order. After the last one has baked, the canary takes all traffic and the release is promoted."""
    progress_deadline_seconds: Annotated[int, Field(ge=10, le=86400)] = 300
    """How long canary pods may take to become Ready, in each step, before the release is rolled back."""
    scale_down_delay_seconds: Annotated[int, Field(ge=0, le=3600)] = 5
    """How long canary pods go on after the traffic left them, for requests in flight."""

    alpha: Annotated[
        Share,
        Field(json_schema_extra=validations(Rule("double(self) > 0.0 && double(self) <= 0.2", "must be in (0, 0.2]"))),
    ] = "0.01"
    """The largest probability that a release whose canary is as good as stable is rolled back, over its whole life, as a
    decimal. Its objectives share it."""
    inconclusive: InconclusivePolicy = InconclusivePolicy()
    """What happens when the evidence stays too thin."""
    watch_seconds: Annotated[int, Field(ge=0, le=86400)] = 0
    """How long the promoted version is watched afterwards; when it burns the error budget fast in that time, the
    Deployment goes back to the earlier version. 0: not at all."""

    @property
    def summary(self) -> str:
        """The steps in one line, e.g. `10% 60s, 50% 120s + chaos`: a printer column shows only the first item of a list."""
        return ", ".join(
            f"{step.weight}% {step.bake_seconds}s{' + chaos' if step.chaos is not None else ''}" for step in self.steps
        )


class PlanStatus(Model):
    """What FEEM found when it read the plan."""

    observed_generation: Annotated[int, Field(ge=0)] = 0
    """The generation the conditions were computed for."""
    conditions: Conditions = Field(default_factory=list)
    """`Accepted`: whether the plan can be used."""
    summary: Annotated[str, Field(max_length=512)] = ""
    """The steps for people, e.g. `10% 60s, 50% 120s + chaos`."""


class GreyReleasePlan(Resource):
    """A named grey-release plan that many services can use."""

    definition: ClassVar[Kind] = Kind(
        kind="GreyReleasePlan",
        plural="greyreleaseplans",
        short_names=("plan",),
        columns=(
            Column("Steps", ".status.summary", description="percent of requests and bake, step by step"),
            Column("Accepted", '.status.conditions[?(@.type=="Accepted")].reason'),
            Column("Age", ".metadata.creationTimestamp", "date"),
        ),
    )
    spec: PlanSpec
    status: PlanStatus | None = None
