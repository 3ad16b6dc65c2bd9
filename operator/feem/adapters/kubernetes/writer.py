"""Writes that go through to the local copy, each guarded by what it was decided on: resourceVersion or UID."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from feem.adapters.kubernetes.client import Client, with_type
from feem.adapters.kubernetes.errors import AlreadyExists
from feem.adapters.kubernetes.resources import type_of
from feem.adapters.kubernetes.store import Store
from feem.core.ownership import FIELD_MANAGER
from feem.ports import Body, Conflict


class Writer:
    """Every answer of the API server goes into the local copy, so that the next look sees what was written."""

    def __init__(self, client: Client, store: Store) -> None:
        self.client = client
        """For what no local copy is kept of."""
        self._store = store

    def know(self, resource: str, body: Body) -> None:
        """Take in what was written past this writer."""
        self._store.put(resource, body)

    def get(self, resource: str, namespace: str, name: str) -> Body | None:
        """Return an object from the local copy, or None."""
        return self._store.get(resource, namespace, name)

    def need(self, resource: str, namespace: str, name: str) -> Body:
        """Return an object from the local copy; raises Conflict when it is gone, for then the decision is out of date."""
        body = self._store.get(resource, namespace, name)
        if body is None:
            raise Conflict(f"{type_of(resource).kind} {namespace}/{name} does not exist (any more)")
        return body

    def owned(self, resource: str, owner_uid: str) -> Sequence[Body]:
        """Return the objects whose controller is the object with this UID, from the local copy."""
        return self._store.owned(resource, owner_uid)

    async def read(self, resource: str, namespace: str, name: str) -> Body | None:
        """Return an object from the API server, with its managedFields; None when there is none."""
        return await self.client.get(resource, namespace, name)

    async def create(self, resource: str, body: Body) -> Body:
        """Create an object; raises AlreadyExists (a Conflict) when the name is taken."""
        namespace, name = body["metadata"]["namespace"], body["metadata"]["name"]
        try:
            written = await self.client.create(resource, namespace, with_type(resource, body))
        except AlreadyExists:
            existing = await self.client.get(resource, namespace, name)
            if existing is not None:
                self._store.put(resource, existing)
            raise
        self._store.put(resource, written)
        return written

    async def deposit(self, resource: str, body: Body) -> None:
        """Create an object that no copy is kept of; one of this name is the same object."""
        with contextlib.suppress(AlreadyExists):
            await self.client.create(resource, body["metadata"]["namespace"], with_type(resource, body))

    async def apply(self, resource: str, body: Body) -> Body:
        """Server-side apply under FEEM's name, to the object with the UID in the body."""
        metadata = body["metadata"]
        written = await self.client.apply(resource, metadata["namespace"], metadata["name"], with_type(resource, body))
        self._store.put(resource, written)
        return written

    async def merge(self, resource: str, read: Body, patch: Body) -> Body:
        """Patch an object as it was read: its resourceVersion goes along, and any write since is a Conflict."""
        return await self._patch(resource, read, patch, {"resourceVersion": read["metadata"]["resourceVersion"]})

    async def nudge(self, resource: str, read: Body, patch: Body) -> Body:
        """Patch an object whatever was written to it since, as long as it is the same one: its UID goes along."""
        return await self._patch(resource, read, patch, {"uid": read["metadata"]["uid"]})

    async def _patch(self, resource: str, read: Body, patch: Body, guard: Body) -> Body:
        metadata = read["metadata"]
        guarded = {**patch, "metadata": {**patch.get("metadata", {}), **guard}}
        written = await self.client.merge(resource, metadata.get("namespace", ""), metadata["name"], guarded)
        self._store.put(resource, written)
        return written

    async def replace(self, resource: str, body: Body, *, subresource: str = "") -> Body:
        """Replace an object as it was read. Where its managedFields are along, FEEM's own entries are dropped."""
        metadata = dict(body["metadata"])
        if "managedFields" in metadata:
            metadata["managedFields"] = _others(metadata["managedFields"])
        written = await self.client.replace(
            resource,
            metadata.get("namespace", ""),
            metadata["name"],
            with_type(resource, {**body, "metadata": metadata}),
            subresource=subresource,
        )
        self._store.put(resource, written)
        return written

    async def delete(self, resource: str, body: Body) -> None:
        """Delete exactly this object; another one that took its name meanwhile stays."""
        metadata = body["metadata"]
        place = (resource, metadata["namespace"], metadata["name"])
        try:
            left = await self.client.delete(*place, uid=metadata["uid"])
        except Conflict:
            left = await self.client.get(*place)
            if left is not None and left["metadata"]["uid"] == metadata["uid"]:
                raise
        if left is None or left["metadata"]["uid"] != metadata["uid"]:
            self._store.delete(resource, body)
        if left is not None:
            self._store.put(resource, left)


def is_managed(body: Body) -> bool:
    """Whether FEEM owns any field of an object, by its managedFields."""
    return any(entry.get("manager") == FIELD_MANAGER for entry in body["metadata"].get("managedFields") or ())


def _others(entries: Sequence[Body]) -> list[Body]:
    """Return the field ownership without FEEM's; one empty entry is how the API is told that there is none (KEP-555)."""
    return [entry for entry in entries if entry.get("manager") != FIELD_MANAGER] or [{}]
