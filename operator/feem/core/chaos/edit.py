"""What a fault does to the cluster, as edits that know their own inverse.

An edit stands on the object that it changed, with all that is needed to take it back, in the very request that changes it: there is
no moment at which a crash leaves a fault that nobody can undo. `Mark` is what stands there. See ADR 0020.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Body = Mapping[str, Any]

LABEL = "feem.dev/chaos"
"""Label of every object that carries a fault; its value is the UID of the run. The reaper finds them by it."""
ANNOTATION = "feem.dev/chaos"
"""The annotation with the mark."""
ABSENT = "\x00absent"
"""In the place of a value: there was none. No JSON of the API server has a NUL in it."""

PODS, DEPLOYMENTS = "pods", "deployments.apps"
NETWORK_POLICIES = "networkpolicies.networking.k8s.io"
ROUTES = "httproutes.gateway.networking.k8s.io"
TRAFFIC_POLICIES = "backendtrafficpolicies.gateway.envoyproxy.io"
KINDS = {
    PODS: "Pod",
    DEPLOYMENTS: "Deployment",
    NETWORK_POLICIES: "NetworkPolicy",
    ROUTES: "HTTPRoute",
    TRAFFIC_POLICIES: "BackendTrafficPolicy",
}
"""Everything that a fault may touch, by its name as a resource: what the reaper looks through."""


class MarkUnreadable(ValueError):  # noqa: N818 - it names what is the matter
    """The annotation is not a mark of this version."""


@dataclass(frozen=True)
class Target:
    """One object, by where it is and which one it is; the UID is empty for one that is not made yet."""

    resource: str
    namespace: str
    name: str
    uid: str = ""

    def __str__(self) -> str:
        return f"{KINDS.get(self.resource, self.resource)} {self.namespace}/{self.name}"


@dataclass(frozen=True)
class Field:
    """One value that is replaced: a JSON pointer (RFC 6901), what was there, and what the fault puts there; ABSENT for nothing."""

    path: str
    before: Any
    after: Any

    def wire(self) -> dict[str, Any]:
        """Return it as JSON; what is absent is left out."""
        wire: dict[str, Any] = {"path": self.path}
        if self.before != ABSENT:
            wire["before"] = self.before
        if self.after != ABSENT:
            wire["after"] = self.after
        return wire

    @classmethod
    def of(cls, wire: Any) -> Field:
        """Read it back; raises ValueError, KeyError or TypeError."""
        path = wire["path"]
        if not isinstance(path, str) or not path.startswith("/"):
            raise ValueError(f"{path!r} is no JSON pointer")
        return cls(path, wire.get("before", ABSENT), wire.get("after", ABSENT))


@dataclass(frozen=True)
class Mark:
    """Whose fault it is, until when (UTC) it may stay, and what it replaced; `made`: FEEM made the whole object for the fault."""

    run: str
    namespace: str
    run_uid: str
    expires_at: datetime
    fields: tuple[Field, ...] = ()
    made: bool = False

    @property
    def labels(self) -> dict[str, str]:
        """What the object is found by."""
        return {LABEL: self.run_uid}

    def text(self) -> str:
        """Return the annotation's value."""
        wire = {
            "run": self.run,
            "namespace": self.namespace,
            "runUid": self.run_uid,
            "expiresAt": self.expires_at.astimezone(UTC).isoformat(timespec="seconds"),
            "made": self.made,
            "fields": [item.wire() for item in self.fields],
        }
        return json.dumps(wire, separators=(",", ":"), sort_keys=True)


def mark_of(body: Body) -> Mark | None:
    """Return the mark that an object carries, None when it carries none. Raises MarkUnreadable for one that was tampered with."""
    metadata = body["metadata"]
    text = (metadata.get("annotations") or {}).get(ANNOTATION)
    if text is None:
        return None
    try:
        wire = json.loads(text)
        fields = tuple(Field.of(item) for item in wire["fields"])
        expires = datetime.fromisoformat(wire["expiresAt"])
        names = (wire["run"], wire["namespace"], wire["runUid"])
        made = wire["made"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise MarkUnreadable(
            f"annotation {ANNOTATION} of {metadata['name']} is no mark of a fault: {problem!r}"
        ) from problem
    whole = all(isinstance(name, str) for name in names) and isinstance(made, bool) and isinstance(wire["fields"], list)
    if expires.tzinfo is None or not whole:
        raise MarkUnreadable(
            f"annotation {ANNOTATION} of {metadata['name']} lacks a time zone, a name, fields or what was made"
        )
    return Mark(*names, expires, fields, made=made)


@dataclass(frozen=True)
class Make:
    """Create an object for the fault. Undo: delete it, whatever became of it."""

    resource: str
    body: Body = field(repr=False)

    @property
    def target(self) -> Target:
        """The object that will be there."""
        metadata = self.body["metadata"]
        return Target(self.resource, metadata["namespace"], metadata["name"])

    def __str__(self) -> str:
        return f"create {self.target}"


@dataclass(frozen=True)
class Change:
    """Replace values of an object. Undo: put back each that is still as the fault left it.

    `subresource` is where the values have to be written, where that is not the object itself: then the mark is written first.
    """

    target: Target
    fields: tuple[Field, ...]
    subresource: str = ""

    def __str__(self) -> str:
        parts = ", ".join(f"{item.path} from {_shown(item.before)} to {_shown(item.after)}" for item in self.fields)
        return f"change {parts} of {self.target}"


@dataclass(frozen=True)
class Tag:
    """Mark an object without changing it otherwise, so that another object of the fault selects it by the label."""

    target: Target

    def __str__(self) -> str:
        return f"mark {self.target}"


@dataclass(frozen=True)
class Remove:
    """Take a pod away, by eviction or deletion. There is nothing to undo: its ReplicaSet makes another."""

    target: Target
    evict: bool
    grace_seconds: int | None = None

    def __str__(self) -> str:
        return f"{'evict' if self.evict else 'delete'} {self.target}"


Edit = Make | Change | Tag | Remove


def _shown(value: Any) -> str:
    text = "nothing" if value == ABSENT else json.dumps(value, separators=(",", ":"))
    return text if len(text) <= 80 else f"{text[:77]}…"
