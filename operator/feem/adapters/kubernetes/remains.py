"""The port `Remains`: what the reaper reads and writes, with an account of its own that may do nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from feem.adapters.kubernetes import faults
from feem.adapters.kubernetes.client import Client
from feem.adapters.kubernetes.errors import NotFound
from feem.core.chaos.edit import LABEL, Target
from feem.ports import FINALIZER, Body

HALTS, RUNS = "chaoshalts.feem.dev", "chaosruns.feem.dev"


class KubernetesRemains:
    """See `feem.ports.chaos.Remains`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def halts(self) -> Sequence[Body]:
        """Return all ChaosHalts."""
        return await self._all(HALTS)

    async def runs(self) -> Sequence[Body]:
        """Return all ChaosRuns."""
        return await self._all(RUNS)

    async def marked(self, resource: str) -> Sequence[Body]:
        """Return the objects of one resource that carry the label; none where the resource is not there."""
        try:
            return await self._all(resource, (("labelSelector", LABEL),))
        except NotFound:
            return ()

    async def take_back(self, target: Target, run_uid: str) -> None:
        """Take a run's fault off one object, as the operator does."""
        await faults.taken_back(self._client, target, run_uid)

    async def let_go(self, run: Body) -> None:
        """Remove FEEM's finalizer, if it is still where it was seen."""
        metadata = run["metadata"]
        place = metadata["finalizers"].index(FINALIZER)
        path = f"/metadata/finalizers/{place}"
        operations: list[Body] = [
            {"op": "test", "path": "/metadata/uid", "value": metadata["uid"]},
            {"op": "test", "path": path, "value": FINALIZER},
            {"op": "remove", "path": path},
        ]
        await self._client.patch(RUNS, metadata["namespace"], metadata["name"], operations)

    async def _all(self, resource: str, query: tuple[tuple[str, str], ...] = ()) -> Sequence[Body]:
        found: list[Body] = []
        async for page in self._client.pages(resource, query=query):
            found += page.get("items") or ()
        return found
