"""What an owner can see of a namespace, and how two looks at it differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from feem.adapters.kubernetes.client import Client
from feem.adapters.kubernetes.resources import (
    DEPLOYMENTS,
    DISRUPTION_BUDGETS,
    NETWORK_POLICIES,
    PODS,
    REPLICASETS,
    ROUTES,
    SERVICES,
    TRAFFIC_POLICIES,
)
from feem.core.chaos.edit import ANNOTATION, LABEL
from feem.ports import Body
from tests.integration.chaos.counting import listed

KINDS = (
    DEPLOYMENTS,
    REPLICASETS,
    PODS,
    SERVICES,
    ROUTES,
    NETWORK_POLICIES,
    DISRUPTION_BUDGETS,
    TRAFFIC_POLICIES,
)
KEPT = ("uid", "labels", "annotations", "ownerReferences", "finalizers")
Snapshot = dict[tuple[str, str], Body]


async def taken(client: Client, namespace: str) -> Snapshot:
    """Look at everything: identity, labels, annotations and spec; no status, no versions, no field managers."""
    found: Snapshot = {}
    for resource in KINDS:
        for body in await listed(client, resource, namespace):
            if resource == PODS and "deletionTimestamp" in body["metadata"]:
                continue
            found[resource, body["metadata"]["name"]] = _said(resource, body)
    return found


def _said(resource: str, body: Body) -> Body:
    metadata = {key: value for key in KEPT if (value := body["metadata"].get(key))}
    ignored = "deployment.kubernetes.io/"
    if resource == REPLICASETS:
        # The Deployment controller copies its Deployment's annotations there, the mark too, and never takes one away again.
        # What it does to people, and what policy leftover.feem.dev does about it, is tested with the policies.
        metadata["annotations"] = _without(metadata.get("annotations") or {}, ANNOTATION)
    noted = {key: value for key, value in (metadata.get("annotations") or {}).items() if not key.startswith(ignored)}
    labels = metadata.get("labels") or {}
    return {"metadata": {**metadata, "labels": labels, "annotations": noted}, "spec": body.get("spec") or {}}


def unmarked(snapshot: Snapshot) -> Snapshot:
    """The same without FEEM's marks: what the fault changed apart from saying so."""
    return {key: _unmarked(body) for key, body in snapshot.items()}


def _unmarked(body: Body) -> Body:
    metadata = dict(body["metadata"])
    for group, key in (("labels", LABEL), ("annotations", ANNOTATION)):
        metadata[group] = _without(metadata.get(group) or {}, key)
    return {**body, "metadata": metadata}


def _without(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != key}


def whole(snapshot: Snapshot, *, same_pods: bool) -> Mapping[str, Any]:
    """What has to be the same before and after: objects by name, pods only by what they are where others took their place."""
    named = {" ".join(key): body for key, body in snapshot.items() if same_pods or key[0] != PODS}
    if same_pods:
        return named
    pods = Counter(repr(_anybody(body)) for key, body in snapshot.items() if key[0] == PODS)
    return {**named, "pods, whichever": dict(pods)}


def _anybody(pod: Body) -> Body:
    return {**pod, "metadata": _without(pod["metadata"], "uid")}


def changes(before: Snapshot, after: Snapshot) -> list[str]:
    """What a client sees: objects that came and went, values that are others; without names, so that they can be foretold."""
    lines = [f"- {resource}" for resource, _ in before.keys() - after.keys()]
    lines += [f"+ {resource}" for resource, _ in after.keys() - before.keys()]
    for key in before.keys() & after.keys():
        old, new = dict(_leaves(before[key])), dict(_leaves(after[key]))
        for path in sorted(old.keys() | new.keys()):
            if old.get(path) != new.get(path):
                lines.append(f"{key[0]} {path}: {old.get(path, 'none')} -> {new.get(path, 'none')}")
    return sorted(lines)


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, part in value.items():
            yield from _leaves(part, f"{path}/{key}")
    elif isinstance(value, list) and value:
        for place, part in enumerate(value):
            yield from _leaves(part, f"{path}/{place}")
    else:
        yield path, value
