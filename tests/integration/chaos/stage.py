"""A governed service with all that faults can hit, in a namespace of its own, on a real API server."""

from __future__ import annotations

import asyncio
import copy
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from feem.adapters.kubernetes import faults
from feem.adapters.kubernetes.client import Client, with_type
from feem.adapters.kubernetes.resources import (
    DEPLOYMENTS,
    DISRUPTION_BUDGETS,
    NAMESPACES,
    PODS,
    REPLICASETS,
    ROUTES,
    SERVICES,
    TRAFFIC_POLICIES,
)
from feem.adapters.kubernetes.scene import KubernetesFaults
from feem.adapters.kubernetes.store import Store
from feem.adapters.kubernetes.writer import Writer
from feem.core.chaos.acts import InjectFault, injections, undos
from feem.core.chaos.edit import Edit, Mark
from feem.core.chaos.planning import plan_fault
from feem.core.chaos.record import edits_of, records_of
from feem.core.chaos.residue import Left, left_of
from feem.core.chaos.scene import Scene, Unfit, is_ready
from feem.ports import Body
from tests.integration.chaos.cases import DEPENDENCY, NAME, Case, traffic_policy
from tests.integration.chaos.counting import CountingClient, apply_as, listed
from tests.integration.chaos.snapshot import Snapshot, changes, taken, whole

REPLICAS = 3
MANAGED = "managedservices.feem.dev"


@dataclass
class Place:
    """Where a case is played: a namespace, and another one once something there is not as it was.

    A namespace is not cleared and used again, for controllers remember what they made and deleted under the same names.
    `pristine` is how it looks when nothing has happened yet.
    """

    namespaces: list[str] = field(default_factory=list)
    pristine: Snapshot | None = None

    async def move(self, admin: Client) -> None:
        """Go to a new namespace."""
        name = f"chaos-{uuid.uuid4().hex[:8]}"
        await admin.create(NAMESPACES, "", with_type(NAMESPACES, {"metadata": {"name": name}}))
        self.namespaces.append(name)
        self.pristine = None


@dataclass(frozen=True)
class Attempt:
    """The fault of one run, planned; edits as they stand in its status."""

    edits: tuple[Edit, ...]
    mark: Mark

    @property
    def effects(self) -> tuple[InjectFault, ...]:
        return injections(self.edits, self.mark)


@dataclass(frozen=True)
class Stage:
    """`feem` has the operator's user name and rights, `owner` is somebody of the service's team, `admin` whoever else it takes."""

    place: Place
    case: Case
    feem: CountingClient
    owner: Client
    admin: Client
    before: Snapshot = field(default_factory=dict)

    @property
    def namespace(self) -> str:
        return self.place.namespaces[-1]

    # -- what people have there

    async def ready(self) -> Stage:
        """Set up everything where it is not as it was, and wait until it is whole; returns the stage with how it looks now."""
        if not await self._is_pristine():
            await self.place.move(self.admin)
            for resource, body in manifests(self.namespace, self.case):
                await apply_as(self.owner, "owner", resource, body)
            await self._govern()
        await self.whole()
        before = await self.look()
        self.place.pristine = before
        return replace(self, before=before)

    async def look(self) -> Snapshot:
        return await taken(self.admin, self.namespace)

    async def until(self, true: Callable[[], Awaitable[Any]], what: str, seconds: float = 60.0) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not await true():  # noqa: ASYNC110 - the API server is asked anew each time
                    await asyncio.sleep(0.1)
        except TimeoutError as late:
            raise AssertionError(f"not within {seconds:g} s: {what}") from late

    async def is_as_before(self) -> None:
        """Everything is equal to what it was before the fault; where the fault took pods away, there are as many equal ones."""
        if not self.case.same_pods:
            await self.whole()
        now = await self.look()
        same = self.case.same_pods
        assert whole(now, same_pods=same) == whole(self.before, same_pods=same), changes(self.before, now)

    async def whole(self) -> None:
        """Wait until the Deployment has all its pods; where limits are changed, on a node that can change them in place."""
        await self.until(self._is_whole, "all pods are Ready")
        if self.case.resources:
            for pod in await self.pods():
                await self._can_be_resized(pod)

    async def _can_be_resized(self, pod: Body) -> None:
        """Say in a pod's status what the kubelet would: without it the API server takes the node for one that cannot resize."""
        path = "/status/containerStatuses"
        operations = [
            {"op": "add", "path": f"{path}/{place}/resources", "value": dict(self.case.resources)}
            for place, found in enumerate(pod["status"]["containerStatuses"])
            if "resources" not in found
        ]
        if operations:
            await self.admin.patch(PODS, self.namespace, pod["metadata"]["name"], operations, subresource="status")

    async def pods(self) -> list[Body]:
        """Pods of the service that are not going, by name."""
        found = [pod for pod in await listed(self.admin, PODS, self.namespace) if _is_of(pod, NAME)]
        return sorted(found, key=lambda pod: str(pod["metadata"]["name"]))

    async def _is_pristine(self) -> bool:
        pristine = self.place.pristine
        if pristine is None:
            return False
        now, same = await self.look(), self.case.same_pods
        return whole(now, same_pods=same) == whole(pristine, same_pods=same)

    async def _is_whole(self) -> bool:
        for name, wanted in ((NAME, REPLICAS), (DEPENDENCY, 1)):
            pods = [pod for pod in await listed(self.admin, PODS, self.namespace) if _is_of(pod, name)]
            if len(pods) != wanted or not all(map(is_ready, pods)):
                return False
            found = await self.admin.get(DEPLOYMENTS, self.namespace, name) or {}
            if (found.get("status") or {}).get("availableReplicas") != wanted:
                return False
        budgets = await listed(self.admin, DISRUPTION_BUDGETS, self.namespace)
        return all((one.get("status") or {}).get("disruptionsAllowed") == REPLICAS - 1 for one in budgets)

    async def _govern(self) -> None:
        """As the operator does: so that FEEM's policies know the service, its pods and its Deployment."""
        await self.feem.merge(
            MANAGED, self.namespace, NAME, {"status": {"podSelector": {"app": NAME}}}, subresource="status"
        )
        body = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": NAME, "labels": {"feem.dev/governed": NAME}},
        }
        await self.feem.apply(DEPLOYMENTS, self.namespace, NAME, body)

    # -- what the operator does

    async def scene(self) -> Scene:
        """Look at what the fault is planned on, as the controller does."""
        deployment = await self.feem.get(DEPLOYMENTS, self.namespace, NAME)
        assert deployment is not None
        owned = [
            one
            for one in await listed(self.feem, REPLICASETS, self.namespace)
            if one["metadata"]["ownerReferences"][0]["uid"] == deployment["metadata"]["uid"]
        ]
        assert len(owned) == 1
        return await KubernetesFaults(self.feem).scene(
            self.case.fault,
            self.namespace,
            deployment=deployment,
            replica_set=owned[0],
            route=await self.feem.get(ROUTES, self.namespace, NAME),
        )

    async def plan(self, run: str, run_uid: str, expires_at: datetime) -> Attempt:
        """Plan the fault, and read the plan back from the text that stands in a run's status."""
        planned = plan_fault(self.case.fault, self.case.radius, await self.scene(), run_uid)
        assert not isinstance(planned, Unfit), planned
        return Attempt(edits_of(records_of(planned)), Mark(run, self.namespace, run_uid, expires_at))

    async def inject(self, attempt: Attempt) -> list[str]:
        """Put it in place; returns the writes that it took."""
        self.feem.go_on()
        for effect in attempt.effects:
            await faults.inject(Writer(self.feem, Store()), effect)
        return list(self.feem.written)

    async def undo(self, attempt: Attempt) -> list[str]:
        """Take it back; returns the writes that it took."""
        self.feem.go_on()
        await self._undo(attempt)
        return list(self.feem.written)

    async def inject_until(self, attempt: Attempt) -> None:
        """The same without counting anew, so that it crashes where it was told to."""
        for effect in attempt.effects:
            await faults.inject(Writer(self.feem, Store()), effect)

    async def undo_until(self, attempt: Attempt) -> None:
        """The same for taking back."""
        await self._undo(attempt)

    async def _undo(self, attempt: Attempt) -> None:
        for effect in undos(attempt.edits, attempt.mark.run_uid):
            await faults.take_back(Writer(self.feem, Store()), effect)

    async def left(self, attempt: Attempt) -> Left:
        """What the run finds left, with its own eyes."""
        observed = await KubernetesFaults(self.feem).observe([edit.target for edit in attempt.edits])
        return left_of(attempt.edits, observed, attempt.mark.run_uid)


def _is_of(pod: Body, name: str) -> bool:
    metadata = pod["metadata"]
    return (metadata.get("labels") or {}).get("app") == name and "deletionTimestamp" not in metadata


def manifests(namespace: str, case: Case) -> Sequence[tuple[str, Body]]:
    """What the team keeps in its repository."""
    found = [
        (MANAGED, _managed()),
        (DEPLOYMENTS, _deployment(NAME, REPLICAS, case.resources, case.beside)),
        (DEPLOYMENTS, _deployment(DEPENDENCY, 1, {}, {})),
        *((SERVICES, _service(name)) for name in (NAME, DEPENDENCY)),
        (ROUTES, _route()),
        (DISRUPTION_BUDGETS, _budget()),
        *([(TRAFFIC_POLICIES, traffic_policy())] if case.own_policy else []),
    ]
    return [(resource, _within(namespace, body)) for resource, body in found]


def _within(namespace: str, body: Mapping[str, Any]) -> Body:
    found = copy.deepcopy(dict(body))
    found["metadata"]["namespace"] = namespace
    return found


def _managed() -> Body:
    spec = {
        "workload": {"name": NAME},
        "traffic": {"service": NAME, "httpRoute": NAME},
        "plan": {"steps": [{"weight": 10, "bakeSeconds": 1}]},
        "objectives": [{"name": "answers"}],
    }
    return {"metadata": {"name": NAME}, "spec": spec}


def _deployment(name: str, replicas: int, resources: Mapping[str, Any], beside: Mapping[str, Any]) -> Body:
    labels = {"app": name}
    proxy = {"name": "proxy", "image": "bank/proxy:7", **({"resources": beside} if beside else {})}
    app = {"name": "app", "image": f"bank/{name}:1", **({"resources": resources} if resources else {})}
    return {
        "metadata": {"name": name, "labels": {"team": "credit"}, "annotations": {"bank.example/contact": "credit"}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": {**labels, "tier": "web"}, "annotations": {"bank.example/zone": "dmz"}},
                "spec": {
                    "containers": [proxy, app],
                    "nodeSelector": {"type": "kwok"},
                    "tolerations": [{"operator": "Exists"}],
                    "automountServiceAccountToken": False,
                    "terminationGracePeriodSeconds": 1,
                },
            },
        },
    }


def _service(name: str) -> Body:
    return {"metadata": {"name": name}, "spec": {"selector": {"app": name}, "ports": [{"name": "http", "port": 80}]}}


def _route() -> Body:
    rules = [
        {
            "name": "quotes",
            "matches": [{"path": {"type": "PathPrefix", "value": "/quotes"}}],
            "backendRefs": [{"name": NAME, "port": 80, "weight": 3}, {"name": DEPENDENCY, "port": 80}],
        },
        {"backendRefs": [{"name": NAME, "port": 80}]},
    ]
    metadata = {"name": NAME, "labels": {"team": "credit"}, "annotations": {"bank.example/zone": "dmz"}}
    return {"metadata": metadata, "spec": {"parentRefs": [{"name": "edge"}], "rules": rules}}


def _budget() -> Body:
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": NAME}}}
    return {"metadata": {"name": NAME}, "spec": spec}
