"""The port `Faults`: what is around the target of an experiment, read from the API server when it is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from feem.adapters.kubernetes.client import Client
from feem.adapters.kubernetes.errors import NotFound
from feem.adapters.kubernetes.resources import (
    AUTOSCALERS,
    DISRUPTION_BUDGETS,
    NAMESPACES,
    NETWORK_POLICIES,
    PODS,
    SERVICES,
    TRAFFIC_POLICIES,
)
from feem.api.fault import Fault
from feem.core.chaos.edit import Target
from feem.core.chaos.scene import Scene
from feem.ports import Body


class KubernetesFaults:
    """See `feem.ports.chaos.Faults`. Only what a fault is planned on is asked for."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def scene(
        self, fault: Fault, namespace: str, *, deployment: Body, replica_set: Body | None, route: Body | None
    ) -> Scene:
        """Gather what a fault is planned on; raises Unavailable or Refused."""
        network = fault.network_partition is not None or fault.dependency_cut is not None
        dependency = fault.dependency_cut.service if fault.dependency_cut is not None else ""
        service = await self._client.get(SERVICES, namespace, dependency) if dependency else None
        behind = ((service or {}).get("spec") or {}).get("selector") or {}
        return Scene(
            namespace=namespace,
            deployment=deployment,
            pods=() if fault.hits_requests else await self._pods_of(namespace, replica_set),
            disruption_budgets=() if fault.hits_requests else await self._all(DISRUPTION_BUDGETS, namespace),
            autoscalers=await self._all(AUTOSCALERS, namespace) if fault.scale_down is not None else (),
            network_policies=await self._all(NETWORK_POLICIES, namespace) if network else (),
            route=route,
            traffic_policies=await self._traffic_policies(namespace) if fault.hits_requests else None,
            dependency=service,
            dependency_pods=await self._all(PODS, namespace, behind) if behind else (),
        )

    async def observe(self, targets: Sequence[Target]) -> Mapping[str, Body | None]:
        """Read objects as they are now, by the text of their target; raises Unavailable or Refused."""
        return {str(each): await self._client.get(each.resource, each.namespace, each.name) for each in targets}

    async def terminating(self, namespace: str) -> bool:
        """Whether a namespace is being deleted, or gone."""
        body = await self._client.get(NAMESPACES, "", namespace)
        return body is None or "deletionTimestamp" in body["metadata"]

    async def _pods_of(self, namespace: str, replica_set: Body | None) -> tuple[Body, ...]:
        if replica_set is None:
            return ()
        uid = replica_set["metadata"]["uid"]
        wanted = (replica_set["spec"].get("selector") or {}).get("matchLabels") or {}
        found = await self._all(PODS, namespace, wanted)
        return tuple(pod for pod in found if _owned(pod, uid) and "deletionTimestamp" not in pod["metadata"])

    async def _traffic_policies(self, namespace: str) -> tuple[Body, ...] | None:
        try:
            return await self._all(TRAFFIC_POLICIES, namespace)
        except NotFound:
            return None  # the gateway is another one

    async def _all(self, resource: str, namespace: str, labels: Mapping[str, str] | None = None) -> tuple[Body, ...]:
        selector = ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items()))
        query = (("labelSelector", selector),) if selector else ()
        found: list[Body] = []
        async for page in self._client.pages(resource, namespace=namespace, query=query):
            found += page.get("items") or ()
        return tuple(found)


def _owned(pod: Body, uid: str) -> bool:
    return any(owner["uid"] == uid for owner in pod["metadata"].get("ownerReferences") or ())
