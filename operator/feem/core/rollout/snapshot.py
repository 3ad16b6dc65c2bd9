"""What a rollout decision is made from: one immutable picture of a service, its workload and its traffic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from feem.api.experiment import ChaosExperiment
from feem.api.release import ObjectiveVerdict, Outcome, Release
from feem.api.run import ChaosRun
from feem.api.service import ManagedService
from feem.core.gates.facts import Guard
from feem.core.gates.result import Compliance
from feem.core.rollout.mark import TrafficMark, UndoMark


@dataclass(frozen=True)
class Workload:
    """The governed Deployment. `replicas` is desired; `settled` means its rolling update is complete and all pods are available."""

    name: str
    generation: int
    template_digest: str
    replicas: int
    paused: bool
    settled: bool
    promoting: bool
    governed_by: str
    requested_by: str
    images: tuple[tuple[str, str], ...]
    recreates: bool
    stuck: str = ""
    deleting: bool = False
    undo: UndoMark | None = None
    """Which release's template is being taken back, and why; None when none is."""


@dataclass(frozen=True)
class Revision:
    """One ReplicaSet of a Deployment. `number` is the Deployment's revision; `replicas` are the pods it has."""

    name: str
    template_digest: str
    pod_template_hash: str
    number: int
    replicas: int


@dataclass(frozen=True)
class Canary:
    """The canary Deployment: `replicas` desired, `ready` available, `pods` that still exist and are not terminating.

    `stuck` is the Deployment controller's sentence once its progress deadline has passed.
    """

    release: str
    template_digest: str
    replicas: int
    ready: int
    pods: int
    replica_set: str
    stuck: str = ""


@dataclass(frozen=True)
class Traffic:
    """The HTTPRoute: the canary's weight in percent, the mark, whether canary backends or FEEM's annotations are still on it."""

    weight: int
    mark: TrafficMark | None
    touched: bool
    uneven: bool = False
    """Whether the rules split differently, so that somebody changed one of them; `weight` is then the highest."""


@dataclass(frozen=True)
class Directives:
    """What people have decided about the release so far."""

    paused: bool = False
    abort: bool = False
    promote: bool = False
    retry: bool = False


class HoldMechanism:
    """What keeps a changed Deployment from rolling out."""

    ADMISSION = "AdmissionPolicy"
    STANDING = "StandingPause"


@dataclass(frozen=True)
class ReleaseSnapshot:
    """Everything `decide` looks at, for one open release."""

    now: datetime
    interval: float
    namespace: str
    release: Release
    service_deleting: bool
    workload: Workload | None
    canary: Canary | None
    canary_service: bool
    traffic: Traffic | None
    pinned: str
    directives: Directives
    verdicts: tuple[ObjectiveVerdict, ...]
    outcome: Outcome
    hold: str
    problem: str = ""
    """Why the rollout cannot go forward now, e.g. the Service is gone; empty when all is there."""
    announced: tuple[str, str] | None = None
    """Reason and message of a way back that is on record but was interrupted: it is taken whatever the evidence says now."""
    unfinished: frozenset[str] = frozenset()
    """The effects, as text, of intents that an interruption left open."""
    watched: str = ""
    """After the promotion: the ReplicaSet of the owner's Deployment that carries this release's template; empty when not watching."""
    compliance: Compliance = field(default_factory=Compliance)
    """What the gates say; empty once the release has ended."""
    stable_kept: bool = True
    """Whether the Deployment still has a ReplicaSet with the stable template, which an undo would return to."""
    experiments: tuple[ChaosExperiment, ...] = ()
    """Those that the plan's steps name and that are there."""
    runs: tuple[ChaosRun, ...] = ()
    """The ChaosRuns of this release, and others on the service that are not over."""


@dataclass(frozen=True)
class ServiceSnapshot:
    """Everything `decide_service` looks at: the service, its workload, and its releases, newest last."""

    now: datetime
    service: ManagedService
    workload: Workload | None
    revisions: tuple[Revision, ...]
    releases: tuple[Release, ...]
    retry: bool
    """Whether people want the change that is held tried again."""
    hold: str
    problem: tuple[str, str] | None
    """Reason and message of the first thing that is wrong with the service's references, or None."""
    release_spec: dict[str, object] | None
    """The frozen parts of a new Release (plan, objectives, what gates look at), or None when `problem` is set."""
    guard: Guard = field(default_factory=Guard)
    """Whether FEEM's admission policies are in force."""
    guard_digest: str = ""
    """Which policies these are, each by identity and generation."""
    pod_selector: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """The labels by which the owner's Service finds its pods."""
