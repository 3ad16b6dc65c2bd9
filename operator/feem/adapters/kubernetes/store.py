"""The local copy of the watched objects: fed by watches and by our own writes, read by reconciles for nothing."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Sequence

from feem.ports import Body

TOMBSTONES = 10_000
"""How many deleted UIDs are remembered; a write's answer never comes later than that many deletions."""

Place = tuple[str, str]
"""Namespace (empty for cluster-scoped objects) and name."""


def place(body: Body) -> Place:
    """Return where an object stands among those of its resource."""
    metadata = body["metadata"]
    return metadata.get("namespace") or "", metadata["name"]


def uid(body: Body) -> str:
    """Return an object's UID, empty when it carries none."""
    return str(body["metadata"].get("uid") or "")


def version(body: Body) -> int:
    """Return an object's resourceVersion; since Kubernetes 1.35 two of one resource compare as integers (KEP-5504)."""
    return int(body["metadata"].get("resourceVersion") or 0)


def controller_uid(body: Body) -> str:
    """Return the UID of an object's controller owner, empty when it has none."""
    for owner in body["metadata"].get("ownerReferences") or ():
        if owner.get("controller"):
            return str(owner["uid"])
    return ""


class Store:
    """Keeps the newest known state of each object, whatever the order in which events and answers arrive.

    `metadata.managedFields` is dropped: nothing reads it from here, and it is half of an object's size.
    """

    def __init__(self) -> None:
        self._objects: dict[str, dict[str, dict[str, Body]]] = {}
        self._owned: dict[tuple[str, str], dict[Place, Body]] = {}
        self._gone: OrderedDict[str, None] = OrderedDict()

    def get(self, resource: str, namespace: str, name: str) -> Body | None:
        """Return one object, or None."""
        return self._objects.get(resource, {}).get(namespace, {}).get(name)

    def list(self, resource: str, namespace: str | None = None) -> Sequence[Body]:
        """Return all objects of a resource, or those of one namespace."""
        spaces = self._objects.get(resource, {})
        if namespace is not None:
            return list(spaces.get(namespace, {}).values())
        return [body for space in spaces.values() for body in space.values()]

    def owned(self, resource: str, owner_uid: str) -> Sequence[Body]:
        """Return the objects whose controller is the object with this UID."""
        return list(self._owned.get((resource, owner_uid), {}).values())

    def put(self, resource: str, body: Body) -> bool:
        """Take in a state of an object; returns whether it was news: not older than, nor equal to, what is known."""
        if uid(body) in self._gone:
            return False
        namespace, name = place(body)
        held = self.get(resource, namespace, name)
        if held is not None and version(body) <= version(held):
            return False
        if held is not None:
            self._drop(resource, held)
        metadata = {key: value for key, value in body["metadata"].items() if key != "managedFields"}
        self._add(resource, {**body, "metadata": metadata})
        return True

    def delete(self, resource: str, body: Body) -> bool:
        """Take in that this object is gone; returns whether it was known. A newer one of the same name stays."""
        self._bury(uid(body))
        held = self.get(resource, *place(body))
        if held is None or (uid(held) != uid(body) and version(held) > version(body)):
            return False
        self._drop(resource, held)
        self._bury(uid(held))
        return True

    def retain(self, resource: str, uids: Collection[str], listed_at: int) -> Sequence[Body]:
        """Forget what a complete listing at resourceVersion `listed_at` no longer had; returns the forgotten objects."""
        lost = [body for body in self.list(resource) if version(body) <= listed_at and uid(body) not in uids]
        for body in lost:
            self._drop(resource, body)
            self._bury(uid(body))
        return lost

    def _add(self, resource: str, body: Body) -> None:
        namespace, name = place(body)
        self._objects.setdefault(resource, {}).setdefault(namespace, {})[name] = body
        if owner := controller_uid(body):
            self._owned.setdefault((resource, owner), {})[namespace, name] = body

    def _drop(self, resource: str, body: Body) -> None:
        namespace, name = place(body)
        space = self._objects[resource][namespace]
        del space[name]
        if not space:
            del self._objects[resource][namespace]
        if owner := controller_uid(body):
            children = self._owned[resource, owner]
            del children[namespace, name]
            if not children:
                del self._owned[resource, owner]

    def _bury(self, gone: str) -> None:
        if not gone:
            return
        self._gone[gone] = None
        self._gone.move_to_end(gone)
        if len(self._gone) > TOMBSTONES:
            self._gone.popitem(last=False)
