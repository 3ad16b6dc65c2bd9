"""Reads what stands around a run in the local copy: its service, releases, windows, halts, and the other runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from feem.api.base import Resource
from feem.api.experiment import ChaosExperiment
from feem.api.halt import ChaosHalt
from feem.api.objective import ServiceLevelObjective
from feem.api.release import Release
from feem.api.run import ChaosRun, Track
from feem.api.service import ManagedService
from feem.api.window import ChangeWindow
from feem.controllers.resources import (
    DEPLOYMENTS,
    EXPERIMENTS,
    HALTS,
    OBJECTIVES,
    RELEASES,
    RUNS,
    SERVICES_MANAGED,
    WINDOWS,
)
from feem.core.chaos.snapshot import Surroundings, Workload
from feem.core.chaos.status import is_open, status_of
from feem.ports import Cluster
from feem.ports.chaos import Faults

K = TypeVar("K", bound=Resource)


@dataclass(frozen=True)
class Allowed:
    """The namespaces in which experiments may run; `*` stands for all but Kubernetes' and FEEM's own."""

    names: frozenset[str]
    own: str

    def holds(self, namespace: str) -> bool:
        """Whether a namespace is among them."""
        if namespace in self.names:
            return True
        return "*" in self.names and namespace != self.own and not namespace.startswith("kube-")


class Neighbours:
    """A run's neighbours. Only a namespace that is being deleted costs a request, and only for a deleted run."""

    def __init__(self, cluster: Cluster, faults: Faults, allowed: Allowed) -> None:
        self._cluster, self._faults, self._allowed = cluster, faults, allowed

    def experiment(self, run: ChaosRun) -> ChaosExperiment | None:
        """Return the experiment of a run, if it is still there."""
        return self._read(ChaosExperiment, EXPERIMENTS, run, run.spec.experiment)

    async def around(self, run: ChaosRun, experiment: ChaosExperiment | None) -> Surroundings:
        """Read everything that may refuse or end a run. Raises Unavailable or Refused."""
        namespace, terms = run.metadata.namespace, status_of(run).terms
        named = terms or (experiment.spec if experiment is not None else None)
        service = self._read(ManagedService, SERVICES_MANAGED, run, named.service) if named is not None else None
        bodies = self._cluster.list(SERVICES_MANAGED, namespace)
        wanted = named.hypothesis.objectives if named is not None else ()
        objectives = {name: self._read(ServiceLevelObjective, OBJECTIVES, run, name) for name in wanted}
        return Surroundings(
            allowed=self._allowed.holds(namespace),
            service=service,
            workload=self._workload(run, service),
            objectives={name: found for name, found in objectives.items() if found is not None},
            windows=tuple(ChangeWindow.read(body) for body in self._cluster.list(WINDOWS)),
            releases=self._releases(namespace, named.service) if named is not None else (),
            others=self._others(run),
            services=tuple(ManagedService.read(body) for body in bodies),
            halts=tuple(ChaosHalt.read(body) for body in self._cluster.list(HALTS)),
            terminating=run.metadata.deletion_timestamp is not None and await self._faults.terminating(namespace),
        )

    def _workload(self, run: ChaosRun, service: ManagedService | None) -> Workload | None:
        name = status_of(run).deployment or (deployment_of(run, service) if service is not None else "")
        body = self._cluster.get(DEPLOYMENTS, run.metadata.namespace, name) if name else None
        if body is None:
            return None
        metadata, spec, status = body["metadata"], body["spec"], body.get("status") or {}
        current = status.get("observedGeneration", 0) >= metadata.get("generation", 1)
        available = status.get("availableReplicas", 0) if current else 0
        return Workload(metadata["uid"], spec.get("replicas", 1), available)

    def _releases(self, namespace: str, service: str) -> tuple[Release, ...]:
        bodies = self._cluster.list(RELEASES, namespace)
        return tuple(Release.read(body) for body in bodies if body["spec"].get("service") == service)

    def _others(self, run: ChaosRun) -> tuple[ChaosRun, ...]:
        bodies = self._cluster.list(RUNS, run.metadata.namespace)
        found = (
            ChaosRun.read(body)
            for body in bodies
            if not (body.get("status") or {}).get("completedAt") and body["metadata"]["uid"] != run.metadata.uid
        )
        return tuple(other for other in found if is_open(other))

    def _read(self, kind: type[K], resource: str, run: ChaosRun, name: str) -> K | None:
        body = self._cluster.get(resource, run.metadata.namespace, name)
        return kind.read(body) if body is not None else None


def deployment_of(run: ChaosRun, service: ManagedService) -> str:
    """Name the Deployment whose pods a run hits: the service's own, or its canary."""
    suffix = "-canary" if run.spec.track is Track.CANARY else ""
    return f"{service.spec.workload.name}{suffix}"
