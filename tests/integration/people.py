"""The people of a bank as the API server knows them: certificates of their own, and no right but what their role gives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from e2e.cluster import Cluster, user_kubeconfig
from tests.chart import helm
from tests.integration.kubectl import Kubectl, Manifest

ROLES = ("product", "dev", "test", "risk", "compliance", "committee")
DIGEST = "sha256:" + "d" * 64


def install_roles(admin: Kubectl) -> None:
    """Put the chart's ClusterRoles of people in force, rendered by helm."""
    wanted = {f"feem-{role}" for role in (*ROLES, "view", "edit", "auditor", "chaos")}
    roles = [body for body in helm.of_kind(helm.render(), "ClusterRole") if body["metadata"]["name"] in wanted]
    assert {body["metadata"]["name"] for body in roles} == wanted
    admin.done("apply", manifest={"apiVersion": "v1", "kind": "List", "items": roles})


@dataclass(frozen=True)
class People:
    """Who works in one namespace. Calling it gives somebody's kubectl."""

    cluster: Cluster
    admin: Kubectl
    namespace: str

    def __call__(self, name: str, *groups: str) -> Kubectl:
        """Somebody without any rights but those of the groups."""
        kubeconfig = user_kubeconfig(self.cluster, name, groups)
        return Kubectl(self.admin.program, kubeconfig, self.namespace)

    def of(self, role: str, name: str) -> Kubectl:
        """Somebody of a role, which they hold through their group, in this namespace only."""
        group = f"bank-{role}"
        self.bind(f"feem-{role}", group)
        return self(name, group, "bank-staff")

    def bind(self, cluster_role: str, group: str, *, everywhere: bool = False) -> None:
        """Give a group a ClusterRole, in this namespace or in the whole cluster."""
        kind = "ClusterRoleBinding" if everywhere else "RoleBinding"
        self.admin.done(
            "apply",
            manifest={
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": kind,
                "metadata": {"name": f"{group}-{cluster_role}"} | ({} if everywhere else {"namespace": self.namespace}),
                "roleRef": {
                    "apiGroup": "rbac.authorization.k8s.io",
                    "kind": "ClusterRole",
                    "name": cluster_role,
                },
                "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group}],
            },
        )


def decision(release: str, verb: str, **spec: Any) -> Manifest:
    """A Decision as a person writes it; what is None is left out."""
    wanted = {"release": release, "verb": verb, "reason": "looked at the report, it is fine", **spec}
    return {
        "apiVersion": "feem.dev/v1alpha1",
        "kind": "Decision",
        "metadata": {"generateName": f"{verb.lower()}-"},
        "spec": {key: value for key, value in wanted.items() if value is not None},
    }


def release(name: str, **spec: Any) -> Manifest:
    """A Release as the operator writes it."""
    body: Manifest = yaml.safe_load((Path(__file__).parent / "manifests" / "release.yaml").read_text())
    body["metadata"] = {"name": name}
    body["spec"] |= spec
    return body


def hours_from_now(hours: float) -> str:
    """A moment as the API writes it."""
    return (datetime.now(UTC) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
