"""An API server in memory, as far as the command line needs one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from feem.adapters.kubernetes.resources import type_of
from feem.cli.problem import NotFound

Body = dict[str, Any]


class FakeCluster:
    def __init__(self, namespace: str = "lending", user: str = "noor") -> None:
        self.namespace = namespace
        self.user = user
        self.objects: dict[tuple[str, str, str], Body] = {}
        self.created: list[Body] = []
        self.requests: list[str] = []
        self.on_create: Callable[[Body], None] = lambda _body: None

    def add(self, resource: str, *bodies: Body) -> None:
        for body in bodies:
            metadata = body["metadata"]
            self.objects[resource, metadata.get("namespace", ""), metadata["name"]] = body

    def get(self, resource: str, namespace: str, name: str) -> Body:
        self.requests.append(f"get {resource} {name}")
        found = self.objects.get((resource, namespace, name))
        if found is None:
            raise NotFound(f"{type_of(resource).kind} {namespace}/{name}", "there is no such object")
        return found

    def list(self, resource: str, namespace: str = "", selector: str = "") -> Iterator[Body]:
        self.requests.append(f"list {resource} {selector}".strip())
        for (kind, place, _), body in sorted(self.objects.items()):
            if kind == resource and namespace in {"", place}:
                yield body

    def create(self, resource: str, namespace: str, body: Body) -> Body:
        metadata = {**body["metadata"], "namespace": namespace}
        metadata["name"] = metadata.pop("generateName") + "x7k2p"
        metadata["creationTimestamp"] = "2026-03-02T09:30:00Z"
        stored = {**body, "metadata": metadata}
        self.add(resource, stored)
        self.created.append(stored)
        self.on_create(stored)
        return stored

    def whoami(self) -> str:
        return self.user
