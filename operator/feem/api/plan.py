"""GreyReleasePlan: how a change reaches its users, step by step."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from feem.api.base import Column, Condition, Kind, Model, Resource, Rule


class Step(Model):
    """One grey step: a share of the traffic, and how long it must do well."""

    weight: Annotated[int, Field(ge=1, le=100)]
    """Percent of the requests that reach the canary in this step. Weights must rise from step to step."""
    bake_seconds: Annotated[int, Field(ge=1, le=604800)]
    """How long the canary must serve this share, and pass its objectives, before the next step begins."""
    replicas: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Canary pods in this step. Default: the Deployment's replicas times the weight, rounded up, at least one."""


class PlanSpec(Model):
    """The grey steps and their deadlines."""

    steps: Annotated[
        list[Step], Field(min_length=1, max_length=20, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ]
    """The steps in order. After the last one has baked, the canary takes all traffic and the release is promoted."""
    progress_deadline_seconds: Annotated[int, Field(ge=10, le=86400)] = 300
    """How long canary pods may take to become Ready, in each step, before the release is rolled back."""
    scale_down_delay_seconds: Annotated[int, Field(ge=0, le=3600)] = 5
    """How long canary pods go on after the traffic left them, for requests in flight."""


class PlanStatus(Model):
    """What FEEM found when it read the plan."""

    observed_generation: Annotated[int, Field(ge=0)] = 0
    """The generation the conditions were computed for."""
    conditions: Annotated[
        list[Condition],
        Field(
            max_length=8, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}
        ),
    ] = []
    """`Accepted`: whether the plan can be used."""


WEIGHTS_RISE = Rule(
    rule="self.steps.all(s, self.steps.filter(t, t.weight == s.weight).size() == 1)"
    " && self.steps.map(s, s.weight).isSorted()",
    message="weights must rise from step to step",
    field_path=".steps",
)
"""`isSorted` is in Kubernetes' CEL list library; equal weights are refused by the first half."""


class GreyReleasePlan(Resource):
    """A named grey-release plan that many services can use."""

    definition: ClassVar[Kind] = Kind(
        kind="GreyReleasePlan",
        plural="greyreleaseplans",
        short_names=("plan",),
        rules=(WEIGHTS_RISE,),
        columns=(
            Column("Weights", ".spec.steps[*].weight", description="percent of requests, step by step"),
            Column("Bakes", ".spec.steps[*].bakeSeconds", description="seconds, step by step"),
            Column("Accepted", '.status.conditions[?(@.type=="Accepted")].reason'),
            Column("Age", ".metadata.creationTimestamp", "date"),
        ),
    )
    spec: PlanSpec
    status: PlanStatus | None = None
