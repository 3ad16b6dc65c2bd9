"""What a fault is planned on: one immutable picture of the objects around its target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from feem.core.chaos.edit import Body


@dataclass(frozen=True)
class Scene:
    """Bodies as the API server gave them a moment ago.

    `pods` are those of the ReplicaSet that is hit, without those that are going. `traffic_policies` is None where the gateway has
    no such kind. `dependency` is the Service that a DependencyCut names, and its pods; None when there is none.
    """

    namespace: str
    deployment: Body
    pods: tuple[Body, ...] = ()
    disruption_budgets: tuple[Body, ...] = ()
    autoscalers: tuple[Body, ...] = ()
    network_policies: tuple[Body, ...] = ()
    route: Body | None = None
    traffic_policies: tuple[Body, ...] | None = None
    dependency: Body | None = None
    dependency_pods: tuple[Body, ...] = ()

    @property
    def replicas(self) -> int:
        """How many pods the Deployment asks for."""
        return int(self.deployment["spec"].get("replicas", 1))


@dataclass(frozen=True)
class Unfit:
    """Why a fault cannot be planned on a scene: a CamelCase reason and a sentence with the next step."""

    reason: str
    message: str


def name_of(body: Body) -> str:
    """Return an object's name."""
    return str(body["metadata"]["name"])


def labels_of(body: Body) -> Mapping[str, str]:
    """Return an object's labels."""
    return body["metadata"].get("labels") or {}


def selects(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a LabelSelector (`matchLabels`, `matchExpressions`) selects labels; none selects nothing, an empty one everything."""
    if selector is None:
        return False
    wanted = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_holds(each, labels) for each in selector.get("matchExpressions") or ())


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values") or ()
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    return True  # an operator of a later Kubernetes: rather too many than too few


def is_ready(pod: Body) -> bool:
    """Whether a pod is Ready."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)


def containers_of(pod: Body) -> Sequence[Body]:
    """Return a pod's containers, init containers left out."""
    found: Sequence[Body] = pod["spec"].get("containers") or ()
    return found
