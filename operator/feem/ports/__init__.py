"""What the controllers need from the world, as Protocols: adapters implement them, tests fake them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Protocol

from feem.api.gate import TicketSystem
from feem.api.objective import Indicator
from feem.core.effects import AnyEffect
from feem.core.evidence.samples import Evidence, SampleRequest
from feem.core.finalizer import FINALIZER
from feem.core.gates.facts import TicketAnswer
from feem.core.gates.result import Reliance
from feem.core.rollout.effects import KeepEvidence
from feem.ports.audit import (
    AuditMeasurements,
    Entry,
    Fenced,
    Forked,
    Ledger,
    LogObject,
    NumberedLedger,
    Publication,
    Records,
    Signer,
    Stored,
    Taken,
    Witness,
    WitnessAhead,
    WitnessDisagrees,
    Witnessing,
)

__all__ = [
    "FINALIZER",
    "Archive",
    "AuditMeasurements",
    "Authority",
    "Body",
    "Burn",
    "Clock",
    "Cluster",
    "Conflict",
    "Entry",
    "Fenced",
    "Forked",
    "Ledger",
    "LogObject",
    "Measurements",
    "Metrics",
    "NotWitnessed",
    "Notes",
    "NumberedLedger",
    "Policies",
    "Publication",
    "QueryProblem",
    "Records",
    "Refused",
    "Signer",
    "Stored",
    "Taken",
    "Tickets",
    "Unavailable",
    "Witness",
    "WitnessAhead",
    "WitnessDisagrees",
    "Witnessing",
]

Body = dict[str, Any]
"""One Kubernetes object as JSON."""


class Conflict(Exception):  # noqa: N818 - it is an outcome of an attempt, not an error of the program
    """The object changed since it was read: read again and decide again."""


class Unavailable(Exception):  # noqa: N818 - see Conflict
    """The other side did not answer, or said it cannot now: try again later."""


class NotWitnessed(Unavailable):
    """An act waits for witnesses of the audit log: it is announced, and tried again."""


class Refused(Exception):  # noqa: N818 - see Conflict
    """The other side understood and said no (403, 422): trying again will not help; the message tells the object and the reason."""


class Cluster(Protocol):
    """Reads come from a local, write-through copy of the watched objects and cost nothing; writes go to the API server."""

    def get(self, resource: str, namespace: str, name: str) -> Body | None:
        """Return the object from the local copy, or None. Callers must not change it."""
        ...

    def list(self, resource: str, namespace: str | None = None) -> Sequence[Body]:
        """Return all objects of a resource, or of one namespace, from the local copy."""
        ...

    def owned(self, resource: str, owner_uid: str) -> Sequence[Body]:
        """Return the objects whose controller owner reference has this UID, from the local copy."""
        ...

    async def perform(self, effect: AnyEffect, intent: int) -> None:
        """Carry out one effect, marked with the index of its intent record. Raises Conflict, Unavailable or Refused."""
        ...

    async def write_status(self, resource: str, namespace: str, name: str, status: Body, resource_version: str) -> None:
        """Replace an object's status. Raises Conflict when it changed since `resource_version`; Unavailable; Refused."""
        ...

    async def set_finalizer(self, resource: str, namespace: str, name: str, *, present: bool) -> None:
        """Add or remove FEEM's finalizer. An object that is gone has none. Raises Conflict, Unavailable or Refused."""
        ...


@dataclass(frozen=True)
class QueryProblem:
    """What is wrong with a query: a CamelCase reason and a sentence that quotes the place and says what to do."""

    reason: str
    message: str


@dataclass(frozen=True)
class Burn:
    """How many events were bad in each window (name -> bad, total), of a whole service; or why that is not known."""

    counts: Mapping[str, tuple[float, float]] = field(default_factory=lambda: MappingProxyType({}))
    problem: str = ""


class Metrics(Protocol):
    """The metrics server. Nothing here raises: what went wrong stands in the answer."""

    async def samples(self, request: SampleRequest) -> Evidence:
        """Fetch raw samples of both tracks."""
        ...

    async def burn(self, indicator: Indicator, namespace: str, windows: Sequence[str]) -> Burn:
        """Count the bad and all events of a ratio or latency in windows such as `5m` that end now."""
        ...

    async def exists(self, indicator: Indicator, namespace: str) -> QueryProblem | None:
        """Say which of an indicator's queries returns nothing now, or that the server cannot say."""
        ...

    def check(self, indicator: Indicator) -> QueryProblem | None:
        """Say what is wrong with an indicator's queries, without asking the server."""
        ...


class Archive(Protocol):
    """Where the samples behind a decision are kept; keeping them is an effect (`KeepEvidence`)."""

    async def has(self, effect: KeepEvidence) -> bool:
        """Whether an evidence file is there, asked after an interruption; no when that cannot be told. Raises nothing."""
        ...


class Authority(Protocol):
    """Who may decide what: the API server's own answer, at the moment it is needed."""

    async def holds(self, reliance: Reliance, namespace: str, release: str) -> bool:
        """Whether the person still has the right that a decision rests on. Raises Unavailable or Refused."""
        ...

    @property
    def skew(self) -> float | None:
        """Seconds by which this process' clock is ahead of the API server's, as of its last answers; None before the first."""
        ...


class Tickets(Protocol):
    """The ticket systems that the operator was given."""

    async def look_up(self, system: TicketSystem, ticket: str) -> TicketAnswer:
        """Return what a system says of a ticket. Never raises: what went wrong stands in the answer."""
        ...


class Policies(Protocol):
    """FEEM's admission policies and bindings, to compare those of the cluster with."""

    def shipped(self) -> Sequence[Body]:
        """Return them, written for this operator's own user name."""
        ...


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """Return the current time, UTC, aware."""
        ...


class Notes(Protocol):
    """Kubernetes Events: what people see in `kubectl describe`."""

    async def publish(self, regarding: Body, *, reason: str, message: str, warning: bool = False) -> None:
        """Publish one event about an object. Failing to is logged, never raised."""
        ...


class Measurements(Protocol):
    """The operator's own figures, for Prometheus."""

    def release_seen(self, namespace: str, service: str, release: str, *, step: int, weight: int, state: str) -> None:
        """Set a running release's figures."""
        ...

    def release_ended(self, namespace: str, service: str, release: str, *, result: str, seconds: float) -> None:
        """Count an ended release, observe its duration, and drop its running figures."""
        ...

    def verdict(self, namespace: str, service: str, objective: str, outcome: str) -> None:
        """Count one evaluation of an objective."""
        ...
