# ruff: noqa: ARG002 - the signatures are those of what is simulated
"""The operator as one process: fresh controllers over a local copy that begins with a listing, as after a start."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import cast

from feem.adapters.audit.keys import LogSigner, SigningKey
from feem.adapters.kubernetes.archive import KubernetesArchive
from feem.adapters.kubernetes.client import Client
from feem.adapters.kubernetes.cluster import KubernetesCluster
from feem.adapters.kubernetes.store import Store
from feem.api.audit import AuditSpec
from feem.controllers.closer import Closer
from feem.controllers.door import Door
from feem.controllers.examiner import Examiner
from feem.controllers.gather import Gatherer
from feem.controllers.guarding import GuardWatch
from feem.controllers.judge import Judge
from feem.controllers.release import ReleaseController
from feem.controllers.resources import SERVICES_MANAGED
from feem.controllers.routing import SERVICE, targets
from feem.controllers.sealing import Sealer
from feem.controllers.service import ServiceController
from feem.core.effects import AnyEffect
from feem.core.tlog.vkey import Algorithm
from feem.ports import Body, Clock, Conflict, Refused, Unavailable
from tests.world.api import OPERATOR, Act, Api, Request
from tests.world.client import SimulatedClient
from tests.world.ledger import SimulatedLedger
from tests.world.rights import Rights
from tests.world.traffic import SimulatedMetrics, Traffic

MOST_VISITS = 30
"""Visits in one tick beyond which the operator is called a busy loop."""


SIGNER = LogSigner([SigningKey("feem.dev/audit/world", Algorithm.ED25519, bytes(32))])
"""Of a world nobody has to trust."""


class Notes:
    """Counts events as the requests they are."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.said: list[tuple[str, str, str, bool]] = []

    async def publish(self, regarding: Body, *, reason: str, message: str, warning: bool = False) -> None:
        name = regarding["metadata"]["name"]
        self.said.append((name, reason, message, warning))
        self._api.requests.append(Request(0, "create", "events.events.k8s.io", reason))


class Figures:
    """Remembers what the controllers measured."""

    def __init__(self) -> None:
        self.ended: list[tuple[str, str]] = []

    def release_seen(self, namespace: str, service: str, release: str, *, step: int, weight: int, state: str) -> None:
        return None

    def release_ended(self, namespace: str, service: str, release: str, *, result: str, seconds: float) -> None:
        self.ended.append((release, result))

    def verdict(self, namespace: str, service: str, objective: str, outcome: str) -> None:
        return None


class ObservedCluster(KubernetesCluster):
    """Notes which effect was performed under which intent, when it wrote anything at all."""

    def __init__(self, client: Client, store: Store, api: Api) -> None:
        super().__init__(client, store)
        self._api = api

    async def perform(self, effect: AnyEffect, intent: int) -> None:
        before = self._api.version
        act = self._api.acting = Act(type(effect).__name__, str(effect), intent)
        try:
            await super().perform(effect, intent)
        finally:
            self._api.acting = None
            if self._api.version != before:
                self._api.performed.append((str(effect), intent))
                self._api.acts.append(replace(act, writes=self._api.version - before))


class Operator:
    """Visits services when an event asks for it or their time has come; own writes come back as no event."""

    def __init__(
        self,
        api: Api,
        records: list[AuditSpec],
        traffic: Traffic,
        clock: Clock,
        interval: float,
        rights: Rights | None = None,
    ) -> None:
        self._api, self._clock = api, clock
        self._store = Store()
        for resource, bodies in api.objects.items():
            for body in bodies.values():
                self._store.put(resource, body)
        self._read = len(api.events)
        client = cast("Client", SimulatedClient(api))
        self._cluster = cluster = ObservedCluster(client, self._store, api)
        ledger = SimulatedLedger(api, records, clock.now)
        self.notes, self.figures = Notes(api), Figures()
        rights = rights or Rights.all_of(api)
        watch = GuardWatch(cluster, rights.policies)
        gatherer, door = Gatherer(cluster, clock, interval, watch), Door(cluster, ledger, rights.witnesses)
        examiner = Examiner(cluster, clock, gatherer, authority=rights.authority, tickets=rights.tickets)
        closer = Closer(cluster, ledger, self.notes, clock, examiner)
        judge = Judge(SimulatedMetrics(traffic), self.figures, clock, 5.0)
        releases = ReleaseController(
            cluster,
            ledger,
            self.notes,
            self.figures,
            clock,
            gatherer=gatherer,
            judge=judge,
            door=door,
            archive=KubernetesArchive(client),
            examiner=examiner,
            sealer=Sealer(cluster, "feem.dev/audit/world", SIGNER),
        )
        self._services = ServiceController(cluster, ledger, self.notes, gatherer, releases, door, closer)
        self._due: dict[tuple[str, str], datetime] = {}
        self._failures: dict[tuple[str, str], int] = {}
        self.refusals: list[str] = []
        self.visits = 0
        self._ask_for_all()

    async def tick(self) -> None:
        """Take in what others did, then visit whoever is due."""
        self._deliver()
        for _ in range(MOST_VISITS):
            key = min((key for key, at in self._due.items() if at <= self._clock.now()), default=None)
            if key is None:
                return
            del self._due[key]
            await self._visit(key)
        raise AssertionError(f"the operator does not come to rest: {[str(item) for item in self._api.requests[-20:]]}")

    async def visit_all(self) -> None:
        """Visit every service once, due or not."""
        self._ask_for_all()
        await self.tick()

    async def _visit(self, key: tuple[str, str]) -> None:
        self.visits += 1
        try:
            after = await self._services.reconcile(*key)
        except (Conflict, Unavailable):
            self._deliver()
            self._ask(key, 1.0)
        except Refused as refusal:
            self.refusals.append(str(refusal))
            self._failures[key] = self._failures.get(key, 0) + 1
            self._ask(key, float(min(30, 2 ** self._failures[key])))
        else:
            self._failures.pop(key, None)
            if after is not None:
                self._ask(key, after)

    def _deliver(self) -> None:
        events = self._api.events[self._read :]
        self._read = len(self._api.events)
        for event in events:
            if event.gone:
                self._store.delete(event.resource, event.body)
            else:
                self._store.put(event.resource, event.body)
            if event.by == OPERATOR and not event.gone:
                continue
            for kind, namespace, name in targets(self._cluster, event.resource, event.body):
                if kind == SERVICE:
                    self._ask((namespace, name), 0.0)

    def _ask_for_all(self) -> None:
        for body in self._store.list(SERVICES_MANAGED):
            self._ask((body["metadata"]["namespace"], body["metadata"]["name"]), 0.0)

    def _ask(self, key: tuple[str, str], seconds: float) -> None:
        at = datetime.fromtimestamp(self._clock.now().timestamp() + seconds, tz=self._clock.now().tzinfo)
        self._due[key] = min(at, self._due.get(key, at))
