"""Objects a cluster needs before anybody uses it, and the waiting for its control plane."""

from __future__ import annotations

from typing import Any

from e2e.cluster.api import Door, RefusedError
from e2e.cluster.context import Say

from .control import log_tail, wait_until
from .controlplane import KWOK_NODE
from .record import Layout

_PATIENCE = 180.0  # seconds; a quiet machine needs 4, one that builds something else at the same time may need 60
_RBAC = "/apis/rbac.authorization.k8s.io/v1"
_KWOK_RULES = [
    {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list", "watch"]},
    {"apiGroups": [""], "resources": ["nodes/status", "pods/status"], "verbs": ["get", "update", "patch"]},
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch", "update", "patch", "delete"]},
    {"apiGroups": ["", "events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch", "update"]},
    {
        "apiGroups": ["coordination.k8s.io"],
        "resources": ["leases"],
        "verbs": ["get", "list", "watch", "create", "update", "patch", "delete"],
    },
]
_POLICY_RULES = [
    {"apiGroups": [""], "resources": ["namespaces", "pods"], "verbs": ["list", "watch"]},
    {"apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"], "verbs": ["list", "watch"]},
]


def wait_for_api(layout: Layout, say: Say | None = None, within: float = _PATIENCE) -> None:
    """Wait until the API server says it is ready to serve."""
    door = Door(layout.server, layout.pki)

    def ready() -> bool:
        try:
            return door.text("/readyz") == "ok"
        except (OSError, RefusedError):
            return False

    wait_until(
        ready,
        within=within,
        pause=0.1,
        waiting=lambda gone: say(f"waiting for the API server: {gone:.0f} s") if say else None,
        failed=lambda: (
            f"the API server of cluster {layout.name} was not ready within {within:.0f} s.\n"
            f"kube-apiserver: {log_tail(layout.state, 'kube-apiserver')}\n"
            f"etcd: {log_tail(layout.state, 'etcd', 3)}\nThe whole logs are in {layout.state}/logs."
        ),
    )


def create_objects(layout: Layout) -> None:
    """Create kwok's node, and the roles of kwok, the enforcer of NetworkPolicies and the API server's kubelet client."""
    door = Door(layout.server, layout.pki)
    for name, rules in (("feem:kwok", _KWOK_RULES), ("feem:network-policies", _POLICY_RULES)):
        role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name}}
        door.create(f"{_RBAC}/clusterroles", {**role, "rules": rules})
        door.create(f"{_RBAC}/clusterrolebindings", _binding(name, name, name))
    client = "kube-apiserver-kubelet-client"
    door.create(f"{_RBAC}/clusterrolebindings", _binding(client, "system:kubelet-api-admin", client))
    door.create("/api/v1/nodes", kwok_node(tainted=layout.profile == "full"))


def kwok_node(*, tainted: bool) -> dict[str, Any]:
    """Describe a node that only kwok knows; tainted where real nodes exist, so that only who asks for it gets it."""
    labels = {"type": "kwok", "kubernetes.io/hostname": KWOK_NODE, "kubernetes.io/os": "linux"}
    taint = {"key": "kwok.x-k8s.io/node", "value": "fake", "effect": "NoSchedule"}
    node: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": KWOK_NODE, "labels": labels, "annotations": {"kwok.x-k8s.io/node": "fake"}},
        "spec": {"taints": [taint]} if tainted else {},
    }
    return node


def wait_for_nodes(layout: Layout, names: tuple[str, ...], say: Say, within: float = _PATIENCE) -> None:
    """Wait until nodes are Ready and pods can be made in namespace default."""
    door = Door(layout.server, layout.pki)

    def ready() -> bool:
        try:
            door.get("/api/v1/namespaces/default/serviceaccounts/default")
            return all(_is_ready(door.get(f"/api/v1/nodes/{name}")) for name in names)
        except (OSError, RefusedError):
            return False

    suspects = ("kubelet", "containerd") if layout.profile == "full" else ("kwok", "kube-controller-manager")
    wait_until(
        ready,
        within=within,
        pause=0.1,
        waiting=lambda gone: say(f"waiting for node {', '.join(names)}: {gone:.0f} s"),
        failed=lambda: (
            f"node {', '.join(names)} of cluster {layout.name} was not Ready within {within:.0f} s.\n"
            + "\n".join(f"{name}: {log_tail(layout.state, name)}" for name in suspects)
        ),
    )


def _is_ready(node: dict[str, Any]) -> bool:
    conditions = {entry["type"]: entry["status"] for entry in node.get("status", {}).get("conditions", [])}
    waits = {taint["key"] for taint in node.get("spec", {}).get("taints", [])}
    return conditions.get("Ready") == "True" and "node.kubernetes.io/not-ready" not in waits


def _binding(name: str, role: str, user: str) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
    }
