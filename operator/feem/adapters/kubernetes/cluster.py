"""The port `Cluster`: reads from the local copy, writes to the API server."""

from __future__ import annotations

from collections.abc import Sequence

from feem.adapters.kubernetes import effects
from feem.adapters.kubernetes.client import Client
from feem.adapters.kubernetes.store import Store
from feem.adapters.kubernetes.writer import Writer
from feem.core.effects import AnyEffect
from feem.ports import FINALIZER, Body


class KubernetesCluster:
    """See `feem.ports.Cluster`."""

    def __init__(self, client: Client, store: Store) -> None:
        self._store = store
        self._writer = Writer(client, store)

    def get(self, resource: str, namespace: str, name: str) -> Body | None:
        """Return one object, or None."""
        return self._store.get(resource, namespace, name)

    def list(self, resource: str, namespace: str | None = None) -> Sequence[Body]:
        """Return all objects of a resource, or of one namespace."""
        return self._store.list(resource, namespace)

    def owned(self, resource: str, owner_uid: str) -> Sequence[Body]:
        """Return the objects whose controller is the object with this UID."""
        return self._store.owned(resource, owner_uid)

    async def perform(self, effect: AnyEffect, intent: int) -> None:
        """Carry out one effect; raises Conflict, Unavailable or Refused."""
        await effects.perform(self._writer, effect, intent)

    async def write_status(self, resource: str, namespace: str, name: str, status: Body, resource_version: str) -> None:
        """Replace an object's status as it was read at `resource_version`."""
        metadata = {"namespace": namespace, "name": name, "resourceVersion": resource_version}
        await self._writer.replace(resource, {"metadata": metadata, "status": status}, subresource="status")

    async def set_finalizer(self, resource: str, namespace: str, name: str, *, present: bool) -> None:
        """Add or remove FEEM's finalizer; an object that is gone has none."""
        body = (
            self._store.get(resource, namespace, name) if not present else self._writer.need(resource, namespace, name)
        )
        if body is None:
            return
        finalizers = list(body["metadata"].get("finalizers") or ())
        if present == (FINALIZER in finalizers):
            return
        wanted = [*finalizers, FINALIZER] if present else [item for item in finalizers if item != FINALIZER]
        written = await self._writer.merge(resource, body, {"metadata": {"finalizers": wanted}})
        if written["metadata"].get("deletionTimestamp") and not wanted:
            self._store.delete(resource, written)
