# ruff: noqa: ARG002 - the signatures are those of what is simulated
"""The operator's side of the API in memory: the methods of the Kubernetes client that the effects use."""

from __future__ import annotations

import copy
from typing import Any

from feem.adapters.kubernetes.errors import AlreadyExists
from feem.ports import Body, Conflict
from tests.world.api import OPERATOR, Api


class SimulatedClient:
    """Every call is one request, counted and open to faults."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def get(self, resource: str, namespace: str, name: str) -> Body | None:
        found: Body | None = self._api.asked("get", resource, name, lambda: self._api.get(resource, namespace, name))
        return found

    async def create(self, resource: str, namespace: str, body: Body, *, dry_run: bool = False) -> Body:
        if dry_run:
            return self._asked("get", resource, body["metadata"]["name"], lambda: self._try(resource, body))
        return self._asked(
            "create", resource, body["metadata"]["name"], lambda: self._api.create(resource, body, OPERATOR)
        )

    async def replace(self, resource: str, namespace: str, name: str, body: Body, *, subresource: str = "") -> Body:
        status = subresource == "status"
        verb = f"update/{subresource}" if subresource else "update"
        return self._asked(verb, resource, name, lambda: self._api.update(resource, body, OPERATOR, status=status))

    async def merge(self, resource: str, namespace: str, name: str, patch: Body, *, subresource: str = "") -> Body:
        def act() -> Body:
            old = self._api.get(resource, namespace, name) or {"metadata": {"namespace": namespace, "name": name}}
            uid = patch.get("metadata", {}).get("uid")
            if uid is not None and uid != old["metadata"].get("uid"):
                raise Conflict(f"{resource} {name} is another object")
            return self._api.update(resource, merged(old, patch), OPERATOR)

        return self._asked("patch", resource, name, act)

    async def apply(self, resource: str, namespace: str, name: str, body: Body) -> Body:
        def act() -> Body:
            old = self._api.get(resource, namespace, name) or {"metadata": {"namespace": namespace, "name": name}}
            new = merged(old, {"metadata": {"labels": body["metadata"]["labels"]}})
            return self._api.update(resource, new, OPERATOR)

        return self._asked("apply", resource, name, act)

    async def delete(self, resource: str, namespace: str, name: str, *, uid: str) -> Body | None:
        def act() -> Body | None:
            if self._api.get(resource, namespace, name) is None:
                return None
            return self._api.delete(resource, namespace, name, OPERATOR, uid)

        found: Body | None = self._api.asked("delete", resource, name, act)
        return found

    def _try(self, resource: str, body: Body) -> Body:
        """A dry run: refused where the name is taken, and nothing is stored."""
        metadata = body["metadata"]
        if self._api.get(resource, metadata["namespace"], metadata["name"]) is not None:
            raise AlreadyExists(f"{resource} {metadata['name']} exists")
        return body

    def _asked(self, verb: str, resource: str, name: str, act: Any) -> Body:
        result: Body = self._api.asked(verb, resource, name, act)
        return result


def merged(old: Any, patch: Any) -> Any:
    """JSON merge patch (RFC 7396)."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = copy.deepcopy(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result
