# ruff: noqa: ARG002 - the signatures are those of what is simulated
"""What faults need of the client beside the methods of releases: JSON patches, listings by label, evictions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from feem.ports import Body, Conflict, Refused
from tests.chaos.patching import Impossible, Untrue, patched
from tests.world.api import OPERATOR, Api
from tests.world.client import SimulatedClient

REAPER = "system:serviceaccount:feem-system:feem-reaper"


class FaultClient(SimulatedClient):
    """`by` is whose requests these are; only the operator's are counted and open to accidents."""

    def __init__(self, api: Api, by: str = OPERATOR) -> None:
        super().__init__(api)
        self._by = by
        self._end: BaseException | None = None

    async def patch(
        self, resource: str, namespace: str, name: str, operations: Sequence[Body], *, subresource: str = ""
    ) -> Body:
        def act() -> Body:
            old = self._api.get(resource, namespace, name)
            if old is None:
                raise Conflict(f"{resource} {name} not found")
            try:
                new = patched(old, operations)
            except (Untrue, Impossible) as problem:
                raise Conflict(f"{resource} {name}: {problem}") from problem
            return self._api.update(resource, new, self._by)

        written: Body = self._told(f"patch/{subresource}" if subresource else "patch", resource, name, act)
        return written

    async def evict(self, namespace: str, name: str, *, uid: str, grace_seconds: int | None = None) -> None:
        await self.delete("pods", namespace, name, uid=uid)

    async def delete(
        self, resource: str, namespace: str, name: str, *, uid: str, grace_seconds: int | None = None
    ) -> Body | None:
        def act() -> Body | None:
            if self._api.get(resource, namespace, name) is None:
                return None
            return self._api.delete(resource, namespace, name, self._by, uid)

        found: Body | None = self._told("delete", resource, name, act)
        return found

    async def pages(
        self, resource: str, *, namespace: str = "", query: tuple[tuple[str, str], ...] = (), **_: Any
    ) -> AsyncIterator[Body]:
        wanted = dict(query).get("labelSelector", "")
        parts = [part.partition("=") for part in wanted.split(",") if part]
        found = [
            body
            for body in self._api.list(resource)
            if (not namespace or body["metadata"].get("namespace") == namespace)
            and all(_fits(body, key, sign, value) for key, sign, value in parts)
        ]
        yield {"metadata": {}, "items": found}

    def _told(self, verb: str, resource: str, name: str, act: Any) -> Any:
        if self._by != OPERATOR:
            return act()
        if self._end is not None:
            raise self._end  # a process that has ended does not write, whatever else it had begun
        try:
            return self._api.asked(verb, resource, name, act)
        except Exception:
            raise
        except BaseException as end:
            self._end = end
            raise


def _fits(body: Body, key: str, sign: str, value: str) -> bool:
    labels = body["metadata"].get("labels") or {}
    return key in labels and (not sign or labels[key] == value)


__all__ = ["REAPER", "FaultClient", "Refused"]
