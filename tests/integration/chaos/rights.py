"""The rights of FEEM's two accounts, exactly as the chart gives them: what is missing there fails here."""

from __future__ import annotations

from pathlib import Path

from e2e.cluster import Cluster, user_kubeconfig
from tests.chart import helm
from tests.integration.kubectl import Kubectl


def kubeconfig_with_role(cluster: Cluster, admin: Kubectl, user: str, role: str) -> Path:
    """Return a kubeconfig of one of FEEM's accounts that may do what its ClusterRole in the chart says, and nothing else.

    The role is bound to a group of its own, so that the account's rights in other tests stay what they are there.
    """
    group = f"chaos-contract-{role}"
    body = helm.named(helm.render(), "ClusterRole", role)
    body["metadata"] = {"name": group}
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": group},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": group},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group}],
    }
    admin.done("apply", manifest={"apiVersion": "v1", "kind": "List", "items": [body, binding]})
    return user_kubeconfig(cluster, user, (group,))
