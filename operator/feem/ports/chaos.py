"""What chaos experiments need from the world: a look at the target, a value of a query, and their own figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from feem.api.fault import Fault
from feem.core.chaos.edit import Target
from feem.core.chaos.scene import Scene
from feem.core.chaos.snapshot import Reading


class Faults(Protocol):
    """What a fault is planned on and compared with; it is put in place and taken back by effects, through the door."""

    async def scene(
        self,
        fault: Fault,
        namespace: str,
        *,
        deployment: dict[str, Any],
        replica_set: dict[str, Any] | None,
        route: dict[str, Any] | None,
    ) -> Scene:
        """Gather what a fault is planned on. Raises Unavailable or Refused."""
        ...

    async def observe(self, targets: Sequence[Target]) -> Mapping[str, dict[str, Any] | None]:
        """Read objects as they are now, by the text of their target; None for one that is gone. Raises Unavailable or Refused."""
        ...

    async def terminating(self, namespace: str) -> bool:
        """Whether a namespace is being deleted. Raises Unavailable or Refused."""
        ...


class Probing(Protocol):
    """The metrics server, asked for one value. Nothing here raises."""

    async def value(self, query: str) -> Reading:
        """Return what a query gives now: 0 where it finds nothing."""
        ...


class ChaosMeasurements(Protocol):
    """The figures of experiments, for Prometheus."""

    def fault(
        self, namespace: str, service: str, experiment: str, run: str, fault: str, *, in_place: bool, expires: float
    ) -> None:
        """Say whether a fault may be in place, and until when it may stay (Unix seconds)."""
        ...

    def run_ended(self, namespace: str, service: str, experiment: str, result: str, cause: str) -> None:
        """Count an ended run."""
        ...

    def undone(self, seconds: float) -> None:
        """Observe how long an undo took, from the decision to the last change taken back."""
        ...

    def recovered(self, seconds: float) -> None:
        """Observe how long it took until state and objectives were as before."""
        ...


class Remains(Protocol):
    """Everything that may carry a fault, as the reaper sees it: read from the API server each time, no local copy."""

    async def halts(self) -> Sequence[dict[str, Any]]:
        """Return all ChaosHalts. Raises Unavailable or Refused."""
        ...

    async def runs(self) -> Sequence[dict[str, Any]]:
        """Return all ChaosRuns. Raises Unavailable or Refused."""
        ...

    async def marked(self, resource: str) -> Sequence[dict[str, Any]]:
        """Return the objects of one resource that carry the label of a fault; none where there is no such resource."""
        ...

    async def take_back(self, target: Target, run_uid: str) -> None:
        """Take a run's fault off one object. Raises Conflict, Unavailable or Refused."""
        ...

    async def let_go(self, run: dict[str, Any]) -> None:
        """Remove the finalizer of a deleted run. Raises Conflict, Unavailable or Refused."""
        ...


class ReaperMeasurements(Protocol):
    """The reaper's figures."""

    def taken_back(self, resource: str, why: str) -> None:
        """Count an object that is as before again."""
        ...

    def swept(self, outcome: str, *, at: float = 0.0, marked: int = 0) -> None:
        """Count a look at everything: ok, partial or failed."""
        ...
