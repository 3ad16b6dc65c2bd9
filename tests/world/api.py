"""An API server in memory: versions, generations, finalizers, field managers, admission and watch events, all deterministic."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from feem.adapters.kubernetes.errors import AlreadyExists, NotFound
from feem.ports import Body, Conflict
from tests.world.admission import Admission, Denied

OPERATOR = "system:serviceaccount:feem-system:feem"
CONTROLLER = "system:kube-controller-manager"
BOOKKEEPING = ("resourceVersion", "generation", "managedFields")

__all__ = ["CONTROLLER", "OPERATOR", "Act", "Api", "Denied", "Request"]


@dataclass(frozen=True)
class Request:
    """One request of the operator: its number among the operator's writes (from 1), or 0 for a read."""

    number: int
    verb: str
    resource: str
    name: str

    def __str__(self) -> str:
        return f"{self.verb} {self.resource.split('.')[0]} {self.name}"


@dataclass(frozen=True)
class Act:
    """One performance of an effect: its kind, its text, the intent it was announced by, and how often it changed anything."""

    kind: str
    effect: str
    intent: int
    writes: int = 0


@dataclass(frozen=True)
class Event:
    """What a watch tells: the new state of an object, or that it is gone, and whose write it was."""

    resource: str
    body: Body
    gone: bool
    by: str


Fault = Callable[[Request, str], None]
"""Called with a write of the operator and `before` or `after`; raises what shall go wrong."""


class Api:
    """Holds every object; bodies that were handed out never change."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.objects: dict[str, dict[tuple[str, str], Body]] = {}
        self.events: list[Event] = []
        self.requests: list[Request] = []
        self.performed: list[tuple[str, int]] = []
        self.acting: Act | None = None
        self.acts: list[Act] = []
        self.admission = Admission()
        self.fault: Fault | None = None
        self.version = 0
        self._uids = 0
        self.writes = 0

    def get(self, resource: str, namespace: str, name: str) -> Body | None:
        return self.objects.get(resource, {}).get((namespace, name))

    def list(self, resource: str) -> list[Body]:
        return list(self.objects.get(resource, {}).values())

    def create(self, resource: str, body: Body, by: str) -> Body:
        place = _place(body)
        if place in self.objects.setdefault(resource, {}):
            raise AlreadyExists(f"{resource} {place[1]} exists")
        new = copy.deepcopy(body)
        self._uids += 1
        stamp = self._now().strftime("%Y-%m-%dT%H:%M:%SZ")
        new["metadata"] |= {"uid": f"uid-{self._uids}", "generation": 1, "creationTimestamp": stamp}
        return self._store(resource, None, new, by)

    def update(self, resource: str, body: Body, by: str, *, status: bool = False) -> Body:
        """Replace an object, or its status alone; a resourceVersion in the body must be the current one."""
        old = self.get(resource, *_place(body))
        if old is None:
            raise NotFound(f"{resource} {body['metadata']['name']} not found")
        expected = body["metadata"].get("resourceVersion")
        if expected is not None and expected != old["metadata"]["resourceVersion"]:
            raise Conflict(f"{resource} {body['metadata']['name']} has been modified")
        new = copy.deepcopy(old)
        if status:
            new["status"] = copy.deepcopy(body.get("status"))
        else:
            kept = {key: old["metadata"][key] for key in ("uid", "generation", "creationTimestamp")}
            if "deletionTimestamp" in old["metadata"]:
                kept["deletionTimestamp"] = old["metadata"]["deletionTimestamp"]
            managers = body["metadata"].get("managedFields", old["metadata"].get("managedFields"))
            new = {**copy.deepcopy(body), **({"status": old["status"]} if "status" in old else {})}
            new["metadata"] = {**new["metadata"], **kept, "managedFields": copy.deepcopy(managers)}
            self.admission.review(resource, old, new, by, operator=by == OPERATOR)
        if _content(old) == _content(new):
            return old
        if new.get("spec") != old.get("spec"):
            new["metadata"]["generation"] = old["metadata"]["generation"] + 1
        return self._store(resource, old, new, by)

    def delete(self, resource: str, namespace: str, name: str, by: str, uid: str = "") -> Body | None:
        """Delete an object; returns it when finalizers keep it."""
        old = self.get(resource, namespace, name)
        if old is None:
            raise NotFound(f"{resource} {name} not found")
        if uid and uid != old["metadata"]["uid"]:
            raise Conflict(f"{resource} {name} is another object")
        if not old["metadata"].get("finalizers"):
            del self.objects[resource][namespace, name]
            self.version += 1
            self.events.append(Event(resource, old, gone=True, by=by))
            return None
        new = copy.deepcopy(old)
        new["metadata"].setdefault("deletionTimestamp", self._now().strftime("%Y-%m-%dT%H:%M:%SZ"))
        return self._store(resource, old, new, by)

    def asked(self, verb: str, resource: str, name: str, act: Callable[[], Any]) -> Any:
        """Serve one request of the operator, with whatever fault is due."""
        write = verb != "get"
        self.writes += write
        request = Request(self.writes if write else 0, verb, resource, name)
        self.requests.append(request)
        if self.fault is not None and write:
            self.fault(request, "before")
        result = act()
        if self.fault is not None and write:
            self.fault(request, "after")
        return result

    def collect_garbage(self) -> None:
        """Delete what is owned by objects that are gone, until nothing is."""
        found = True
        while found:
            alive = {body["metadata"]["uid"] for bodies in self.objects.values() for body in bodies.values()}
            orphans = [
                (resource, *place)
                for resource, bodies in self.objects.items()
                for place, body in bodies.items()
                if (owners := body["metadata"].get("ownerReferences"))
                and not any(owner["uid"] in alive for owner in owners)
                and "deletionTimestamp" not in body["metadata"]
            ]
            for resource, namespace, name in orphans:
                self.delete(resource, namespace, name, CONTROLLER)
            found = bool(orphans)

    def _store(self, resource: str, old: Body | None, new: Body, by: str) -> Body:
        self.version += 1
        managers = [item for item in new["metadata"].get("managedFields") or () if item]
        name = "feem" if by == OPERATOR else by
        known = {item["manager"] for item in managers}
        if name not in known and _adds(_owned_part(old or {}), _owned_part(new)):
            managers.append({"manager": name})
        new["metadata"]["managedFields"] = managers
        new["metadata"]["resourceVersion"] = str(self.version)
        place = _place(new)
        if "deletionTimestamp" in new["metadata"] and not new["metadata"].get("finalizers"):
            del self.objects[resource][place]
            self.events.append(Event(resource, new, gone=True, by=by))
            return new
        self.objects[resource][place] = new
        self.events.append(Event(resource, new, gone=False, by=by))
        return new


def _place(body: Body) -> tuple[str, str]:
    return body["metadata"].get("namespace", ""), body["metadata"]["name"]


def _content(body: Body) -> Body:
    """Everything but versions; field managers count."""
    metadata = {key: value for key, value in body["metadata"].items() if key not in ("resourceVersion", "generation")}
    metadata["managedFields"] = [item for item in metadata.get("managedFields") or () if item]
    return {**body, "metadata": metadata}


def _owned_part(body: Body) -> Body:
    metadata = {key: value for key, value in (body.get("metadata") or {}).items() if key not in BOOKKEEPING}
    return {"metadata": metadata, "spec": body.get("spec")}


def _adds(old: Any, new: Any) -> bool:
    """Whether `new` sets anything that `old` does not say, so that its writer owns a field."""
    if isinstance(new, dict):
        before = old if isinstance(old, dict) else {}
        return any(key not in before or _adds(before[key], value) for key, value in new.items())
    return bool(old != new)
