"""Sets the stage: the people's rights, the Deployments, the governed services and the Releases that requests are about."""

from __future__ import annotations

from collections.abc import Callable

from bench.admission import objects
from bench.admission.cells import (
    LARGE,
    LENDING,
    ORDINARY,
    RELEASES,
    RISK,
    ROLE,
    SCORING,
    TEAM,
    decisions_namespace,
    of_large_size,
)
from bench.admission.policies import apply, await_true
from bench.admission.wire import Account, Wire

SERVICES = 10
"""Governed services in the namespace: a policy may look at each of them when a pod is made."""
HEADROOM = (100, 200, 400)
"""Containers of the Deployments that show whether the limits are near."""
RBAC = "rbac.authorization.k8s.io"


def set_up(admin: Wire, say: Callable[[str], None]) -> None:
    """Create everything, while no policy is bound; raises RefusedError."""
    _people(admin)
    for namespace in (LENDING, *(decisions_namespace(count) for count in RELEASES)):
        apply(admin, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    await_true(lambda: _exists(admin, f"/api/v1/namespaces/{LENDING}/serviceaccounts/default"), "account default")
    for name, governed in ((ORDINARY, False), (SCORING, True), (LARGE, True)):
        containers, labels = of_large_size(name)
        body = objects.deployment(LENDING, name, governed=governed, version="1", containers=containers, labels=labels)
        admin.done("POST", f"/apis/apps/v1/namespaces/{LENDING}/deployments", body)
    for containers in HEADROOM:
        admin.done("POST", f"/apis/apps/v1/namespaces/{LENDING}/deployments", headroom(containers, "1"))
    others = (f"service-{number}" for number in range(SERVICES - 2))
    for name in (SCORING, LARGE, *others):
        path = f"/apis/{objects.FEEM}/namespaces/{LENDING}/managedservices"
        _with_status(admin, path, objects.service(LENDING, name), objects.service_status(name))
    for count in RELEASES:
        namespace = decisions_namespace(count)
        path = f"/apis/{objects.FEEM}/namespaces/{namespace}/releases"
        for number in range(1, count + 1):
            _with_status(admin, path, objects.release(namespace, number), objects.release_status())
        say(f"{count} Releases are in namespace {namespace}")


def headroom(containers: int, version: str) -> objects.Body:
    """Return a governed Deployment of some size."""
    return objects.deployment(
        LENDING, f"headroom-{containers}", governed=True, version=version, containers=containers, labels=64
    )


def _people(admin: Wire) -> None:
    """Give the people their rights through their groups, as RBAC is asked in every request."""
    rules = [
        {"apiGroups": ["feem.dev"], "resources": ["decisions"], "verbs": ["create"]},
        {"apiGroups": ["feem.dev"], "resources": ["approvalroles"], "resourceNames": [ROLE], "verbs": ["approve"]},
    ]
    role = {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": {"name": "bench-risk"}, "rules": rules}
    apply(admin, role)
    apply(admin, _bound(RISK, "bench-risk"))
    apply(admin, _bound(TEAM, "edit"))


def _bound(account: Account, role: str) -> objects.Body:
    (group,) = account.groups
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": f"bench-{group}"},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": RBAC, "kind": "Group", "name": group}],
    }


def _with_status(admin: Wire, path: str, body: objects.Body, status: objects.Body) -> None:
    made = admin.done("POST", path, body)
    admin.done("PUT", f"{path}/{made['metadata']['name']}/status", {**made, "status": status})


def _exists(admin: Wire, path: str) -> bool:
    return admin.ask("GET", path).fine
