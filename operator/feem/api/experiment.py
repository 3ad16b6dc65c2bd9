"""ChaosExperiment: what shall be proven to be harmless, and when it is tried."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from feem.api.base import (
    LABEL_PATTERN,
    Column,
    Conditions,
    Kind,
    Label,
    Model,
    Name,
    Number,
    PromQL,
    Resource,
    Rule,
    Share,
    Text,
    validations,
)
from feem.api.fault import FAULT, RADIUS, RADIUS_FITS, BlastRadius, Fault
from feem.api.gate import Need
from feem.api.window import TimeZone

NAME_MAX_LENGTH = 44
"""Of an experiment: its runs are named `<experiment>-<yyyymmddhhmm>`, which stays a label value."""


class Hypothesis(Model):
    """What has to stay true: the objectives hold before, during and after the fault."""

    objectives: Annotated[
        list[Name], Field(min_length=1, max_length=20, json_schema_extra={"x-kubernetes-list-type": "set"})
    ]
    """ServiceLevelObjectives of the same namespace, those of the service's users above all. On stable: ratio and latency
    objectives, counted over the whole namespace's series of their queries; on a canary: any."""
    steady_seconds: Annotated[int, Field(ge=15, le=3600)] = 60
    """How long before the fault they must have held."""
    recover_within_seconds: Annotated[int, Field(ge=15, le=3600)] = 120
    """How long after the fault they may take to hold again, and the workload to be whole again."""
    recovery_window_seconds: Annotated[int, Field(ge=15, le=600)] = 30
    """Over how many seconds they have to hold to count as recovered."""
    minimum_samples: Annotated[int, Field(ge=1, le=10_000_000)] = 30
    """Events that each objective must have seen in each of the three: fewer prove nothing."""
    alpha: Annotated[
        Share,
        Field(json_schema_extra=validations(Rule("double(self) > 0.0 && double(self) <= 0.2", "must be in (0, 0.2]"))),
    ] = "0.01"
    """The largest probability that a fault is called a breach though the objectives hold, as a decimal; they share it."""


WINDOW_FITS = Rule(
    "self.recoveryWindowSeconds <= self.recoverWithinSeconds",
    "recoverWithinSeconds must leave room for recoveryWindowSeconds",
    ".recoverWithinSeconds",
)


class EffectProbe(Model):
    """How the fault itself is seen to work: a query whose value passes a bound while it is in place, and not else."""

    query: PromQL
    """PromQL with one number as its result, e.g. `sum(up{namespace="lending",pod=~"scoring-.*"})`; none counts as 0."""
    above: Number | None = None
    """It works while the value is above this."""
    below: Number | None = None
    """It works while the value is below this."""


ONE_BOUND = Rule("has(self.above) != has(self.below)", "give exactly one of above and below")


class Schedule(Model):
    """When the experiment is tried by itself."""

    cron: Annotated[str, Field(min_length=9, max_length=128)]
    """Minute, hour, day of month, month, day of week, in the time zone, e.g. `0 10 * * 1-5`."""
    time_zone: TimeZone
    """An IANA time zone, e.g. `Asia/Shanghai`."""
    jitter_seconds: Annotated[int, Field(ge=0, le=3600)] = 0
    """Each run begins up to so many seconds later, a different number each time, so that many experiments do not begin at once."""
    starting_deadline_seconds: Annotated[int, Field(ge=10, le=86400)] = 300
    """A run that could not begin for so long is left out; after a downtime at most the last one is made up for."""


class ExperimentState(StrEnum):
    """Whether the schedule counts."""

    ACTIVE = "Active"
    SUSPENDED = "Suspended"


class ConcurrencyPolicy(StrEnum):
    """What a run does when another one of the service is open."""

    FORBID = "Forbid"
    REPLACE = "Replace"


class History(Model):
    """How many ended runs are kept; the audit log keeps what they did."""

    passed: Annotated[int, Field(ge=1, le=100)] = 3
    """Runs that passed; the newest is never deleted, gates ask for it."""
    others: Annotated[int, Field(ge=1, le=100)] = 10
    """All other ended runs."""


class Terms(Model):
    """What one run does, to whom, and what it has to prove."""

    service: Label
    """The ManagedService, in the same namespace."""
    fault: Annotated[Fault, Field(json_schema_extra=FAULT)]
    """What goes wrong."""
    blast_radius: Annotated[BlastRadius, Field(json_schema_extra=RADIUS)]
    """How far it may reach, and how long."""
    hypothesis: Annotated[Hypothesis, Field(json_schema_extra=validations(WINDOW_FITS))]
    """What has to stay true."""
    effect: Annotated[EffectProbe, Field(json_schema_extra=validations(ONE_BOUND))] | None = None
    """How the fault itself is seen. Required for faults that no object of the API shows: network, HTTP, CPU and memory."""
    window: Need = Need.OPTIONAL
    """Whether it may run outside ChangeWindows of type Allow: `Required`: never; `Optional`: only where none is made for the
    service. A Freeze forbids it in any case."""


EFFECT_GIVEN = Rule(
    "has(self.effect) || has(self.fault.podKill) || has(self.fault.podFailure) || has(self.fault.scaleDown)",
    "no object shows whether this fault works: give effect, a query that does",
    ".effect",
)
TERMS_RULES = (RADIUS_FITS, EFFECT_GIVEN)


class ExperimentSpec(Terms):
    """What is tried, when, and what becomes of its runs."""

    description: Text = ""
    """What is to be found out, for people."""
    schedule: Schedule | None = None
    """When it is tried; not given: by hand and by releases only."""
    state: ExperimentState = ExperimentState.ACTIVE
    """`Suspended`: the schedule makes no runs; those that are under way go on."""
    concurrency_policy: ConcurrencyPolicy = ConcurrencyPolicy.FORBID
    """When another run of the service is open: `Forbid` skips this one, `Replace` stops the other one first."""
    history: History = History()
    """How many ended runs are kept."""


class RunResult(StrEnum):
    """How a run ended."""

    PASSED = "Passed"
    FAILED = "Failed"
    ABORTED = "Aborted"
    SKIPPED = "Skipped"
    ERROR = "Error"


class ExperimentStatus(Model):
    """When it comes next and how it went."""

    observed_generation: Annotated[int, Field(ge=0)] = 0
    """The generation the status was computed for."""
    conditions: Conditions = Field(default_factory=list)
    """`Accepted`: whether it can be used. `Scheduled`: whether it comes by itself, and when. `Resilient`: what the last run that
    came to a result found."""
    next_run_at: datetime | None = None
    """When the schedule comes next, jitter included (UTC)."""
    last_scheduled_at: datetime | None = None
    """The last time of the schedule that was dealt with, without jitter (UTC)."""
    last_run: Annotated[str, Field(max_length=253)] = ""
    """The newest run."""
    last_result: Annotated[str, Field(max_length=16)] = ""
    """How the newest ended run ended."""
    last_passed_at: datetime | None = None
    """When a run passed last (UTC)."""


class ChaosExperiment(Resource):
    """A fault that a service is claimed to survive, tried on a schedule, by hand, or on a canary."""

    definition: ClassVar[Kind] = Kind(
        kind="ChaosExperiment",
        plural="chaosexperiments",
        short_names=("chaos",),
        name_max_length=NAME_MAX_LENGTH,
        name_pattern=LABEL_PATTERN,
        columns=(
            Column("Service", ".spec.service"),
            Column("Accepted", '.status.conditions[?(@.type=="Accepted")].reason'),
            Column("Schedule", ".spec.schedule.cron"),
            Column("Time-Zone", ".spec.schedule.timeZone", priority=1),
            Column("Next", ".status.nextRunAt", "string", "when it comes next (UTC)"),
            Column("Last-Run", ".status.lastRun", priority=1),
            Column("Last-Result", ".status.lastResult"),
            Column("Passed", ".status.lastPassedAt", "date", "how long ago it was passed"),
            Column("Message", '.status.conditions[?(@.type=="Accepted")].message', priority=1),
            Column("Age", ".metadata.creationTimestamp", "date"),
        ),
        rules=TERMS_RULES,
    )
    spec: ExperimentSpec
    status: ExperimentStatus | None = None
