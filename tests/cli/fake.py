"""An API server in memory, as far as the command line needs one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from feem.adapters.kubernetes.resources import type_of
from feem.cli.cluster import Person
from feem.cli.problem import Forbidden, NotFound, Problem
from tests.view import bodies as at

Body = dict[str, Any]


class FakeCluster:
    def __init__(self, namespace: str = "lending", user: str = "risk-officer") -> None:
        self.namespace = namespace
        self.user = user
        self.groups: tuple[str, ...] = ("risk-officers", "system:authenticated")
        self.now = at.NOW
        self.refusals: dict[str, Problem] = {}
        self.objects: dict[tuple[str, str, str], Body] = {}
        self.created: list[Body] = []
        self.requests: list[str] = []
        self.on_create: Callable[[Body], None] = lambda _body: None

    def add(self, resource: str, *bodies: Body) -> None:
        for body in bodies:
            metadata = body["metadata"]
            self.objects[resource, metadata.get("namespace", ""), metadata["name"]] = body

    def forbid(self, *requests: str) -> None:
        """Answer requests such as `get deployments.apps` as RBAC would to somebody without the right."""
        for request in requests:
            verb, resource = request.split()
            said = f'User "{self.user}" cannot {verb} resource "{resource}"'
            self.refusals[request] = Forbidden(resource, said, "ask for one of the roles")

    def _refuse(self, request: str) -> None:
        if request in self.refusals:
            raise self.refusals[request]

    def get(self, resource: str, namespace: str, name: str) -> Body:
        self.requests.append(f"get {resource} {name}")
        self._refuse(f"get {resource}")
        found = self.objects.get((resource, namespace, name))
        if found is None:
            raise NotFound(f"{type_of(resource).kind} {namespace}/{name}", "there is no such object")
        return found

    def list(self, resource: str, namespace: str = "", selector: str = "") -> Iterator[Body]:
        self.requests.append(f"list {resource} {selector}".strip())
        self._refuse(f"list {resource}")
        for (kind, place, _), body in sorted(self.objects.items()):
            if kind == resource and namespace in {"", place}:
                yield body

    def create(self, resource: str, namespace: str, body: Body) -> Body:
        self._refuse(f"create {resource}")
        metadata = {**body["metadata"], "namespace": namespace}
        metadata["name"] = metadata.pop("generateName") + "x7k2p"
        metadata["creationTimestamp"] = "2026-03-02T09:30:00Z"
        stored = {**body, "metadata": metadata}
        self.add(resource, stored)
        self.created.append(stored)
        self.on_create(stored)
        return stored

    def whoami(self) -> Person:
        return Person(self.user, self.groups, self.now)
