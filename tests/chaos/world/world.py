"""The world: users, the ReplicaSet controller, clients, the operator and the reaper. The same calls lead to the same world."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from feem.adapters.kubernetes.client import Client
from feem.adapters.kubernetes.remains import KubernetesRemains
from feem.api.audit import AuditSpec, Part
from feem.api.run import ChaosRun
from feem.controllers.chaos.reaper import Reaper
from feem.core.chaos.edit import KINDS, LABEL
from feem.core.chaos.status import result_of, status_of
from feem.ports import Body
from tests.chaos.world import bodies
from tests.chaos.world.client import REAPER, FaultClient
from tests.chaos.world.metrics import Metrics
from tests.chaos.world.operator import ChaosOperator, Figures, Notes
from tests.world.api import CONTROLLER, Api
from tests.world.bodies import NAME, NAMESPACE, accepted
from tests.world.world import Clock, Crash

RUNS, EXPERIMENTS, HALTS = "chaosruns.feem.dev", "chaosexperiments.feem.dev", "chaoshalts.feem.dev"
DEPLOYMENTS, REPLICA_SETS = "deployments.apps", "replicasets.apps"
USER = "team"


class ChaosWorld:
    """Begins with a service that does well, and an experiment; `operator` None: none runs."""

    def __init__(self, fault: str, **experiment: Any) -> None:
        self.clock, self.records = Clock(), list[AuditSpec]()
        self.api = Api(self.clock.now)
        self.metrics = Metrics(self.clock.now, lambda: float(self.fault_stands))
        self.blind = False
        self.crashes = 0
        at = self.clock.time.isoformat()
        self._begin(at)
        self.api.create(EXPERIMENTS, bodies.experiment(fault, **experiment), USER)
        self.operator: ChaosOperator | None = self._new_operator()
        self.before = self.state()

    def _begin(self, at: str) -> None:
        api = self.api
        own = api.create(DEPLOYMENTS, bodies.deployment(), USER)
        owner = api.create(REPLICA_SETS, bodies.replica_set(own["metadata"]["uid"]), CONTROLLER)
        for number in range(3):
            api.create(
                "pods", bodies.pod(f"{bodies.STABLE}-{number}", bodies.LABELS, owner["metadata"]["uid"]), CONTROLLER
            )
        api.create("pods", bodies.pod("bureau-1", {"app": "bureau"}), CONTROLLER)
        for name in (NAME, "bureau"):
            api.create("services", bodies.service(name), USER)
        api.create("httproutes.gateway.networking.k8s.io", bodies.route(), USER)
        found = api.create("servicelevelobjectives.feem.dev", bodies.objective(), USER)
        api.update("servicelevelobjectives.feem.dev", {**found, "status": accepted(found, at)}, USER, status=True)
        spec, status = bodies.managed(at)
        service = api.create("managedservices.feem.dev", spec, USER)
        api.update("managedservices.feem.dev", {**service, "status": status}, USER, status=True)
        api.create("namespaces", {"metadata": {"name": NAMESPACE}}, USER)

    def _new_operator(self) -> ChaosOperator:
        return ChaosOperator(self.api, self.records, self.metrics, self.clock)

    # -- time -----------------------------------------------------------------------------------------------------------

    async def tick(self) -> None:
        self.clock.time += timedelta(seconds=1)
        self._replace_pods()
        if self.operator is None:
            return
        try:
            await self.operator.tick()
        except Crash:
            self.crashes += 1
            self.operator = self._new_operator()

    async def run(self, seconds: int) -> ChaosWorld:
        for _ in range(seconds):
            await self.tick()
        return self

    async def until(self, holds: Callable[[ChaosWorld], bool], limit: int = 200) -> ChaosWorld:
        for _ in range(limit):
            if holds(self):
                return self
            await self.tick()
        raise AssertionError(f"did not come to it in {limit} s:\n{self.story()}")

    async def ended(self, name: str = "try-it-1") -> ChaosWorld:
        """Run until a run is over and owes nothing."""
        await self.until(lambda world: world.over(name))
        return await self.run(3)

    def fork(self) -> ChaosWorld:
        """A world of its own that goes on from here, without an operator."""
        operator, fault = self.operator, self.api.fault
        self.operator, self.api.fault = None, None
        clone = copy.deepcopy(self)
        self.operator, self.api.fault = operator, fault
        clone.metrics._effect = lambda: float(clone.fault_stands)
        return clone

    def restart(self) -> None:
        """A new process takes over, with nothing in memory."""
        self.operator = self._new_operator()

    async def reap(self) -> int:
        """One look of the reaper."""
        client = cast("Client", FaultClient(self.api, REAPER))
        return await Reaper(KubernetesRemains(client), Notes(), Figures(), self.clock, 0.0).look()

    # -- what is there --------------------------------------------------------------------------------------------------

    def ask(self, name: str = "try-it-1", **spec: Any) -> Body:
        return self.api.create(RUNS, bodies.run(name, **spec), USER)

    def chaos_run(self, name: str = "try-it-1") -> ChaosRun | None:
        body = self.api.get(RUNS, NAMESPACE, name)
        return ChaosRun.read(body) if body is not None else None

    def over(self, name: str = "try-it-1") -> bool:
        run = self.chaos_run(name)
        return run is None or (status_of(run).completed_at is not None and not run.metadata.finalizers)

    def result(self, name: str = "try-it-1") -> tuple[str, str]:
        run = self.chaos_run(name)
        assert run is not None, self.story()
        return result_of(run), status_of(run).cause

    def residue(self) -> list[str]:
        """Everything that carries a fault, or was made for one."""
        return [
            f"{resource} {body['metadata']['name']}"
            for resource in KINDS
            for body in self.api.list(resource)
            if LABEL in (body["metadata"].get("labels") or {}) or LABEL in (body["metadata"].get("annotations") or {})
        ]

    @property
    def fault_stands(self) -> bool:
        return bool(self.residue()) and not self.blind

    def state(self) -> dict[str, Any]:
        """Spec, labels and annotations of everything that a fault may touch; pods by what they are, for they are replaced."""
        found: dict[str, Any] = {}
        for resource in KINDS:
            for body in self.api.list(resource):
                metadata = body["metadata"]
                kept = [metadata.get("labels") or {}, metadata.get("annotations") or {}, body["spec"]]
                found.setdefault(resource, []).append(kept if resource == "pods" else [metadata["name"], *kept])
        return {resource: sorted(map(repr, kept)) for resource, kept in found.items()}

    def outcomes(self) -> dict[int, list[str]]:
        """Every intent with the reasons of its outcomes."""
        found: dict[int, list[str]] = {item.index: [] for item in self.records if item.part is Part.INTENT}
        for item in self.records:
            if item.part is Part.OUTCOME and item.intent is not None:
                found[item.intent].append(item.reason)
        return found

    def story(self) -> str:
        run = self.chaos_run()
        said = (
            [(one.type, one.status.value, one.reason, one.message) for one in status_of(run).conditions] if run else []
        )
        return "\n".join([*map(str, said), *map(str, self.api.requests[-30:])])

    def _replace_pods(self) -> None:
        """The ReplicaSet controller and the kubelets: as many pods as asked for, Ready unless their image is nowhere."""
        deployment = self.api.get(DEPLOYMENTS, NAMESPACE, NAME)
        owner = self.api.get(REPLICA_SETS, NAMESPACE, bodies.STABLE)
        if deployment is None or owner is None:
            return
        own = [one for one in self.api.list("pods") if one["metadata"].get("ownerReferences")]
        wanted = deployment["spec"]["replicas"]
        for extra in own[wanted:]:
            self.api.delete("pods", NAMESPACE, extra["metadata"]["name"], CONTROLLER)
        for number in range(len(own), wanted):
            name = f"{bodies.STABLE}-{self.api.version}-{number}"
            self.api.create("pods", bodies.pod(name, bodies.LABELS, owner["metadata"]["uid"]), CONTROLLER)
        ready = 0
        for one in self.api.list("pods"):
            if not one["metadata"].get("ownerReferences"):
                continue
            well = "invalid" not in one["spec"]["containers"][0]["image"]
            ready += well
            status = {"conditions": [{"type": "Ready", "status": str(well)}]}
            self.api.update("pods", {**one, "status": status}, CONTROLLER, status=True)
        seen = {"availableReplicas": ready, "observedGeneration": deployment["metadata"]["generation"]}
        self.api.update(DEPLOYMENTS, {**deployment, "status": seen}, CONTROLLER, status=True)


__all__ = ["UTC", "ChaosWorld", "datetime"]
