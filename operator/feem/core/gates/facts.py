"""What gates look at: one immutable picture, gathered before anything is decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from feem.api.decision import Decision
from feem.api.profile import ComplianceProfile
from feem.api.release import Release
from feem.api.run import ChaosRun
from feem.api.service import ManagedService
from feem.api.window import ChangeWindow


@dataclass(frozen=True)
class TicketAnswer:
    """What a ticket system said of one ticket: its state, or why that is not known.

    `missing` is whether the system answered that there is no such ticket; `problem` says why it could not be asked.
    """

    status: str = ""
    missing: bool = False
    problem: str = ""


@dataclass(frozen=True)
class Guard:
    """Whether FEEM's admission policies are in force.

    `weakened` is what is missing or weaker than shipped, a sentence each; `since` is from when on they have been in force without
    a gap, None when that is not known.
    """

    weakened: tuple[str, ...] = ()
    since: datetime | None = None


@dataclass(frozen=True)
class GateFacts:
    """Everything `evaluate` looks at, for one open release.

    `profile` is the live ComplianceProfile that the release was requested under, None when there is none (any more);
    `decisions` are those of this release that were not turned down; `siblings` the service's other releases; `tickets` the answers
    so far, by ticket; `skew` how many seconds this process' clock is ahead of the API server's, None when not known; `lost` the
    (user, verb, role) whose right was asked for a moment ago and was not there any more; `runs` the ChaosRuns that the service has
    passed.
    """

    now: datetime
    release: Release
    service: ManagedService
    profile: ComplianceProfile | None = None
    decisions: tuple[Decision, ...] = ()
    windows: tuple[ChangeWindow, ...] = ()
    siblings: tuple[Release, ...] = ()
    tickets: Mapping[str, TicketAnswer] = field(default_factory=lambda: MappingProxyType({}))
    guard: Guard = field(default_factory=Guard)
    skew: float | None = None
    lost: frozenset[tuple[str, str, str]] = frozenset()
    runs: tuple[ChaosRun, ...] = ()
