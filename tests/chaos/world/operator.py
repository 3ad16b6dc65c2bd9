"""The operator as one process: fresh controllers over a local copy that begins with a listing, as after a start."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from feem.adapters.kubernetes.client import Client
from feem.adapters.kubernetes.cluster import KubernetesCluster
from feem.adapters.kubernetes.scene import KubernetesFaults
from feem.adapters.kubernetes.store import Store
from feem.api.audit import AuditSpec, Subject
from feem.controllers.chaos.experiment import ExperimentController
from feem.controllers.chaos.gather import RunGatherer
from feem.controllers.chaos.judge import RunJudge
from feem.controllers.chaos.neighbours import Allowed
from feem.controllers.chaos.routing import CHAOS, EXPERIMENT, chaos_targets
from feem.controllers.chaos.run import RunController
from feem.controllers.door import Door
from feem.ports import Body, Conflict, Refused, Unavailable
from tests.chaos.world.client import FaultClient
from tests.chaos.world.metrics import Metrics
from tests.world.api import Api
from tests.world.ledger import SimulatedLedger
from tests.world.world import Clock

MOST_VISITS = 40
INTERVAL = 2.0
Key = tuple[str, str, str]


class Notes:
    """Remembers what people were told."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    async def publish(self, regarding: Body, *, reason: str, message: str, warning: bool = False) -> None:
        del regarding, warning
        self.said.append((reason, message))


class Figures:
    """Remembers what was measured."""

    def __init__(self) -> None:
        self.ended: list[tuple[str, str]] = []
        self.taken: list[tuple[str, str]] = []

    def fault(self, *_: str, in_place: bool, expires: float = 0.0) -> None:
        del in_place, expires

    def run_ended(self, namespace: str, service: str, experiment: str, result: str, cause: str) -> None:
        del namespace, service, experiment
        self.ended.append((result, cause))

    def undone(self, seconds: float) -> None:
        del seconds

    def recovered(self, seconds: float) -> None:
        del seconds

    def taken_back(self, resource: str, why: str) -> None:
        self.taken.append((resource, why))

    def swept(self, outcome: str, *, at: float = 0.0, marked: int = 0) -> None:
        del outcome, at, marked


class ChaosOperator:
    """Visits keys when an event asks for it or their time has come."""

    def __init__(self, api: Api, records: list[AuditSpec], metrics: Metrics, clock: Clock) -> None:
        self._api, self._clock, self._store = api, clock, Store()
        for resource, found in api.objects.items():
            for body in found.values():
                self._store.put(resource, body)
        self._read = len(api.events)
        client = cast("Client", FaultClient(api))
        self._cluster = KubernetesCluster(client, self._store)
        ledger = SimulatedLedger(api, records, clock.now)
        self.notes, self.figures = Notes(), Figures()
        self._door, judge = Door(self._cluster, ledger), RunJudge(metrics, clock, INTERVAL)
        gatherer = RunGatherer(
            self._cluster,
            ledger,
            clock,
            faults=KubernetesFaults(client),
            probing=metrics,
            judge=judge,
            allowed=Allowed(frozenset("*"), "feem-system"),
            interval=INTERVAL,
        )
        self._runs = RunController(
            self._cluster, ledger, self.notes, self.figures, gatherer=gatherer, judge=judge, door=self._door
        )
        self._experiments = ExperimentController(self._cluster, ledger, self.notes, clock, self._door)
        self._due: dict[Key, Any] = {}
        self._fresh = True

    async def tick(self) -> None:
        """Take in what others did, then visit whoever is due."""
        if self._fresh:
            self._fresh = False
            await self._door.close_orphans(self._exists)
            for resource in ("chaosexperiments.feem.dev", "chaosruns.feem.dev"):
                for body in self._store.list(resource):
                    self._tell(resource, body)
        self._deliver()
        for _ in range(MOST_VISITS):
            key = min((key for key, at in self._due.items() if at <= self._clock.now()), default=None)
            if key is None:
                return
            del self._due[key]
            await self._visit(key)
            self._deliver()
        raise AssertionError(f"the operator does not come to rest: {[str(item) for item in self._api.requests[-20:]]}")

    async def _visit(self, key: Key) -> None:
        controller = self._runs if key[0] == CHAOS else self._experiments
        try:
            after = await controller.reconcile(key[1], key[2])
        except (Conflict, Unavailable, Refused):
            after = 1.0
        if after is not None:
            self._ask(key, after)

    def _deliver(self) -> None:
        events = self._api.events[self._read :]
        self._read = len(self._api.events)
        for event in events:
            if event.gone:
                self._store.delete(event.resource, event.body)
            else:
                news = self._store.put(event.resource, event.body)
                if not news:
                    continue
            self._tell(event.resource, event.body)

    def _tell(self, resource: str, body: Body) -> None:
        for key in chaos_targets(self._cluster, resource, body):
            self._ask(key, 0.0)

    def _exists(self, subject: Subject) -> bool:
        resource = {"ChaosRun": "chaosruns.feem.dev", "ChaosExperiment": "chaosexperiments.feem.dev"}[subject.kind]
        body = self._store.get(resource, subject.namespace, subject.name)
        return body is not None and body["metadata"]["uid"] == subject.uid

    def _ask(self, key: Key, seconds: float) -> None:
        at = self._clock.now() + timedelta(seconds=seconds)
        self._due[key] = min(at, self._due.get(key, at))


__all__ = ["EXPERIMENT", "ChaosOperator", "Figures", "Notes"]
