"""All that a leading operator needs, bound to something: the cluster, its metrics, its log, and who signs."""

from __future__ import annotations

from dataclasses import dataclass

from feem.controllers.chaos.neighbours import Allowed
from feem.observe.metrics import OperatorMetrics
from feem.ports import Archive, Authority, Clock, Cluster, Metrics, Notes, Policies, Signer, Tickets
from feem.ports.chaos import Faults, Probing


@dataclass(frozen=True)
class Chaos:
    """What experiments need: a look at their targets, single values, and where they may run at all."""

    faults: Faults
    probing: Probing
    allowed: Allowed


@dataclass(frozen=True)
class World:
    """The ports, bound to something."""

    cluster: Cluster
    metrics: Metrics
    notes: Notes
    archive: Archive
    clock: Clock
    measurements: OperatorMetrics
    authority: Authority
    tickets: Tickets
    policies: Policies
    chaos: Chaos
    signer: Signer | None = None
    """The audit log's keys; None: nothing is signed."""
    origin: str = ""
    """The audit log's name."""
