"""What a run's decision is made from: one immutable picture of the run, its service, and the objects that carry its fault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from feem.api.experiment import ChaosExperiment
from feem.api.halt import ChaosHalt
from feem.api.objective import ServiceLevelObjective
from feem.api.release import ObjectiveVerdict, Outcome, Release
from feem.api.run import ChaosRun
from feem.api.service import ManagedService
from feem.api.window import ChangeWindow
from feem.core.chaos.edit import Body
from feem.core.chaos.scene import Scene


@dataclass(frozen=True)
class Judged:
    """What the objectives say together, and each of them; `digest` is that of the samples behind it."""

    outcome: Outcome = Outcome.INCONCLUSIVE
    verdicts: tuple[ObjectiveVerdict, ...] = ()
    digest: str = ""


@dataclass(frozen=True)
class Reading:
    """What a query gave now: its value, or why there is none."""

    value: float | None = None
    problem: str = ""


@dataclass(frozen=True)
class Refusal:
    """Why a run may not begin or go on: a CamelCase reason and a sentence with the next step."""

    reason: str
    message: str


@dataclass(frozen=True)
class Workload:
    """The Deployment whose pods are hit: how many it asks for, and how many are available."""

    uid: str
    replicas: int
    available: int

    @property
    def whole(self) -> bool:
        """Whether all pods it asks for are available."""
        return self.available >= self.replicas


@dataclass(frozen=True)
class Surroundings:
    """What may forbid or end a run: everything comes from the local copy.

    `others` are the namespace's other open runs; `releases` those of the service; `terminating`: the namespace is being deleted.
    """

    allowed: bool
    service: ManagedService | None
    workload: Workload | None
    objectives: Mapping[str, ServiceLevelObjective] = field(default_factory=lambda: MappingProxyType({}))
    windows: tuple[ChangeWindow, ...] = ()
    releases: tuple[Release, ...] = ()
    others: tuple[ChaosRun, ...] = ()
    services: tuple[ManagedService, ...] = ()
    """All of the namespace: who else is touched when a dependency is cut."""
    halts: tuple[ChaosHalt, ...] = ()
    terminating: bool = False


@dataclass(frozen=True)
class RunSnapshot:
    """Everything `decide` looks at for one run. What its state does not need is not gathered, and stands at its default."""

    now: datetime
    interval: float
    run: ChaosRun
    around: Surroundings
    experiment: ChaosExperiment | None = None
    scene: Scene | None = None
    scene_problem: str = ""
    """Why the scene could not be gathered."""
    judged: Judged = field(default_factory=Judged)
    """Before, while, or after the fault, by the run's state."""
    reading: Reading | None = None
    """What the effect's query gives; None when there is none or it was not asked."""
    observed: Mapping[str, Body | None] | None = None
    """The objects that edits touch, by the text of their target, as they are now; None for one that is gone, or not looked at."""
    vanished: bool = False
    """While the fault should be in place: no object carries it any more."""
    announced: tuple[str, str] | None = None
    """Reason and message of an undo that is on record and was interrupted."""
    during: Judged = field(default_factory=Judged)
    """After the fault: what the objectives say of the time in which it was in place, now that the last scrapes are in."""
    replica_set: str = ""
    """The ReplicaSet whose pods the scene has."""
    compared_with: str = ""
    """Of a canary: the stable ReplicaSet."""
    refused: Refusal | None = None
    """What the API server said no to, when the injection was tried just now."""
