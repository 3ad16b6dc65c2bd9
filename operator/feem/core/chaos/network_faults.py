"""Faults of the network, by NetworkPolicies. They can only be added to one another: what one lets through, none forbids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from feem.api.fault import BlastRadius, DependencyCut, Direction, NetworkPartition
from feem.core.chaos.edit import LABEL, NETWORK_POLICIES, Body, Edit, Make, Tag
from feem.core.chaos.pod_faults import Planned, target_of
from feem.core.chaos.radius import below_budget, picked
from feem.core.chaos.scene import Scene, Unfit, labels_of, name_of, selects

NAMESPACE_NAME = "kubernetes.io/metadata.name"
_TYPES = {
    Direction.INGRESS: ("Ingress",),
    Direction.EGRESS: ("Egress",),
    Direction.BOTH: ("Ingress", "Egress"),
}


def made_name(run_uid: str) -> str:
    """Return the name of the objects that a run makes."""
    return f"feem-chaos-{run_uid[:13].rstrip('-')}"


def partition(scene: Scene, radius: BlastRadius, fault: NetworkPartition, run_uid: str) -> Planned:
    """Cut pods off: they are marked, and a policy without rules selects the mark."""
    pods = picked(scene, radius, run_uid)
    if isinstance(pods, Unfit):
        return pods
    types = _TYPES[fault.direction]
    problem = _let_through(scene, pods, types) or below_budget(scene, pods)
    if problem is not None:
        return problem
    spec = {"podSelector": {"matchLabels": {LABEL: run_uid}}, "policyTypes": list(types)}
    return (*_tags(pods), _policy(scene, run_uid, spec))


def cut(scene: Scene, radius: BlastRadius, fault: DependencyCut, run_uid: str) -> Planned:
    """Cut pods off from one dependency: its pods let in everything but what is marked."""
    selector = (scene.dependency or {}).get("spec", {}).get("selector")
    if scene.dependency is None or not selector:
        text = (
            f"Service {fault.service} is not there, or selects no pods: name a Service of namespace {scene.namespace}"
        )
        return Unfit("DependencyMissing", text)
    if not scene.dependency_pods:
        return Unfit("DependencyMissing", f"Service {fault.service} has no pods, so there is nothing to cut off")
    pods = picked(scene, radius, run_uid)
    if isinstance(pods, Unfit):
        return pods
    problem = _let_through(scene, scene.dependency_pods, ("Ingress",))
    if problem is not None:
        return problem
    others = {"matchExpressions": [{"key": LABEL, "operator": "NotIn", "values": [run_uid]}]}
    elsewhere = {"matchExpressions": [{"key": NAMESPACE_NAME, "operator": "NotIn", "values": [scene.namespace]}]}
    spec = {
        "podSelector": {"matchLabels": dict(selector)},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [{"podSelector": others}, {"namespaceSelector": elsewhere}]}],
    }
    return (*_tags(pods), _policy(scene, run_uid, spec))


def _tags(pods: Sequence[Body]) -> tuple[Edit, ...]:
    return tuple(Tag(target_of(pod)) for pod in pods)


def _policy(scene: Scene, run_uid: str, spec: Mapping[str, Any]) -> Make:
    metadata = {"namespace": scene.namespace, "name": made_name(run_uid)}
    return Make(NETWORK_POLICIES, {"metadata": metadata, "spec": dict(spec)})


def _let_through(scene: Scene, pods: Sequence[Body], types: Sequence[str]) -> Unfit | None:
    """Say which policy lets traffic through that the fault's own cannot forbid; None when none does."""
    for policy in scene.network_policies:
        spec = policy["spec"]
        for kind in types:
            rules = spec.get(kind.lower())
            chosen = any(selects(spec.get("podSelector") or {}, labels_of(pod)) for pod in pods)
            if rules and chosen:
                text = (
                    f"NetworkPolicy {name_of(policy)} lets {kind.lower()} traffic of these pods through, and no other policy can "
                    "forbid it: this fault would not work here; use dependencyCut or an HTTP fault where these fit"
                )
                return Unfit("OtherPolicyAllows", text)
    return None
