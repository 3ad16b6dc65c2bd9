"""A client in memory for adapters that need few of its methods, with room for accidents before and after a request."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast

from feem.adapters.kubernetes.client import Client
from feem.adapters.kubernetes.errors import AlreadyExists, NotFound
from feem.ports import Body, Conflict

Accident = Callable[[str, str], Awaitable[None]]
"""Called with verb and name, before or after the request takes effect; raises what shall go wrong."""


async def nothing(_verb: str, _name: str) -> None:
    return None


class FakeClient:
    """One resource at a time is enough: objects are kept by (resource, namespace, name)."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str, str], Body] = {}
        self.requests: list[tuple[str, str]] = []
        self.before: Accident = nothing
        self.after: Accident = nothing
        self.honest_count = True
        self._version = 0

    @property
    def client(self) -> Client:
        return cast(Client, self)

    async def get(self, resource: str, namespace: str, name: str, **_: Any) -> Body | None:
        return await self._ask("get", name, lambda: copy.deepcopy(self.objects.get((resource, namespace, name))))

    async def create(self, resource: str, namespace: str, body: Body, *, dry_run: bool = False) -> Body:
        name = body["metadata"]["name"]

        def act() -> Body:
            if (resource, namespace, name) in self.objects:
                raise AlreadyExists(name)
            return body if dry_run else self._store(resource, namespace, body)

        return cast(Body, await self._ask("create", name, act))

    async def replace(self, resource: str, namespace: str, name: str, body: Body, **_: Any) -> Body:
        def act() -> Body:
            old = self.objects.get((resource, namespace, name))
            if old is None:
                raise NotFound(name)
            if body["metadata"].get("resourceVersion") != old["metadata"]["resourceVersion"]:
                raise Conflict(name)
            return self._store(resource, namespace, body)

        return cast(Body, await self._ask("update", name, act))

    async def merge(self, resource: str, namespace: str, name: str, patch: Body) -> Body:
        def act() -> Body:
            old = self.objects.get((resource, namespace, name))
            if old is None:
                raise NotFound(name)
            return self._store(resource, namespace, {**old, **patch})

        return cast(Body, await self._ask("patch", name, act))

    async def pages(self, resource: str, *, limit: int = 500, **_: Any) -> AsyncIterator[Body]:
        found = [body for key, body in sorted(self.objects.items()) if key[0] == resource]
        for start in range(0, max(len(found), 1), limit):
            await self._ask("list", resource, lambda: None)
            left = max(0, len(found) - start - limit)
            metadata: Body = {"resourceVersion": str(self._version)}
            if left and self.honest_count:
                metadata["remainingItemCount"] = left
            yield {"metadata": metadata, "items": copy.deepcopy(found[start : start + limit])}

    async def _ask(self, verb: str, name: str, act: Callable[[], Body | None]) -> Body | None:
        self.requests.append((verb, name))
        await self.before(verb, name)
        result = act()
        await self.after(verb, name)
        return result

    def _store(self, resource: str, namespace: str, body: Body) -> Body:
        self._version += 1
        stored = copy.deepcopy(body)
        stored["metadata"] |= {"resourceVersion": str(self._version)}
        self.objects[resource, namespace, body["metadata"]["name"]] = stored
        return copy.deepcopy(stored)
