"""What users of the service are served: from the route's weights to the images of the pods that answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.integration.kubectl import Kubectl
from tests.integration.operator import NAME

Labels = Mapping[str, str]
KINDS = "httproutes,services,pods,deployments,replicasets"


@dataclass(frozen=True)
class Backend:
    """One backend of the route: its weight, whom its Service selects, and what these pods run."""

    service: str
    weight: int
    selector: tuple[tuple[str, str], ...]
    images: frozenset[str]


@dataclass(frozen=True)
class Production:
    """What answers users, the template of the ReplicaSets behind it, and whether the Deployment's change is held."""

    backends: tuple[Backend, ...]
    stable: tuple[tuple[str, str], ...]
    paused: bool

    @property
    def reached(self) -> frozenset[str]:
        """The images that any user's request can reach."""
        return frozenset(image for item in self.backends if item.weight > 0 for image in item.images)


def production(admin: Kubectl) -> Production:
    """Read it all in one request."""
    objects = admin.read(KINDS)["items"]
    by_kind: dict[str, list[Any]] = {}
    for item in objects:
        by_kind.setdefault(item["kind"], []).append(item)
    services = {item["metadata"]["name"]: item["spec"].get("selector") or {} for item in by_kind.get("Service", ())}
    pods = by_kind.get("Pod", [])
    references = [
        reference
        for body in by_kind.get("HTTPRoute", ())
        for rule in body["spec"]["rules"]
        for reference in rule["backendRefs"]
    ]
    owner = next(item for item in by_kind["Deployment"] if item["metadata"]["name"] == NAME)
    mine = [item for item in by_kind.get("ReplicaSet", ()) if _owned_by(item, owner["metadata"]["uid"])]
    return Production(
        backends=tuple(_backend(reference, services.get(reference["name"], {}), pods) for reference in references),
        stable=tuple(sorted((item["metadata"]["name"], json.dumps(item["spec"]["template"])) for item in mine)),
        paused=bool(owner["spec"].get("paused", False)),
    )


def _backend(reference: dict[str, Any], selector: Labels, pods: list[Any]) -> Backend:
    chosen = [pod for pod in pods if selector and _has(pod["metadata"].get("labels") or {}, selector)]
    images = frozenset(container["image"] for pod in chosen for container in _containers(pod["spec"]))
    return Backend(reference["name"], int(reference.get("weight", 1)), tuple(sorted(selector.items())), images)


def _containers(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [*spec["containers"], *spec.get("ephemeralContainers", ())]


def _has(labels: Labels, selector: Labels) -> bool:
    return all(labels.get(key) == value for key, value in selector.items())


def _owned_by(body: dict[str, Any], uid: str) -> bool:
    return any(owner["uid"] == uid for owner in body["metadata"].get("ownerReferences") or ())
