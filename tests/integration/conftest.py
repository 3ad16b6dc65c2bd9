"""The cluster that integration tests talk to: profile `api`, with FEEM's CRDs and policies in force.

FEEM_TEST_CLUSTER names a running cluster to use; without it the cluster `feem-test` is brought up, and left running for the
next time.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import e2e.cluster
from e2e.cluster import binaries
from tests.integration.kubectl import Kubectl, Manifest

ROOT = Path(__file__).parents[2]
OPERATOR = "system:serviceaccount:feem-system:feem"
GROUP = "feem-test"
AsUser = Callable[[str], Kubectl]


@pytest.fixture(scope="session")
def cluster() -> e2e.cluster.Cluster:
    """A running cluster; its CRDs and policies are those of this checkout."""
    found = e2e.cluster.up(os.environ.get("FEEM_TEST_CLUSTER", "feem-test"), "api", "auto", print)
    program = binaries.ensure(["kubectl"], found.cache, print)["kubectl"]
    admin = Kubectl(program, found.kubeconfig)
    admin.done("apply", "--server-side", "--force-conflicts", f"--filename={ROOT / 'crds'}")
    admin.done("wait", "--for=condition=Established", "--timeout=30s", f"--filename={ROOT / 'crds'}")
    admin.done("apply", "--server-side", "--force-conflicts", f"--filename={ROOT / 'policies'}")
    admin.done("apply", manifest=_everything_for(GROUP))
    _wait_for_policies(admin, Kubectl(program, e2e.cluster.user_kubeconfig(found, OPERATOR, (GROUP,))))
    return found


@pytest.fixture(scope="session")
def as_user(cluster: e2e.cluster.Cluster) -> AsUser:
    """Anybody's kubectl, authenticated by certificate; all may do everything, so that only admission says no."""
    program = binaries.ensure(["kubectl"], cluster.cache, print)["kubectl"]

    def user(name: str) -> Kubectl:
        return Kubectl(program, e2e.cluster.user_kubeconfig(cluster, name, (GROUP,)))

    return user


@pytest.fixture(scope="module")
def namespace(as_user: AsUser) -> Iterator[str]:
    """A namespace of the test module's own."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    as_user("admin").done("create", "namespace", name)
    yield name
    as_user("admin").done("delete", "namespace", name, "--wait=false")


def _everything_for(group: str) -> Manifest:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": group},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group}],
    }


def _wait_for_policies(admin: Kubectl, operator: Kubectl) -> None:
    """Policies come into force a moment after they are written: wait until one of each kind answers."""
    name = f"probe-{uuid.uuid4().hex[:8]}"
    admin.done("create", "deployment", name, "--image=probe:1", "--replicas=0")
    operator.done("label", "deployment", name, "feem.dev/governed=probe")
    deadline = time.monotonic() + 30
    try:
        while time.monotonic() < deadline:
            held = admin("patch", "deployment", name, '--patch={"spec":{"minReadySeconds":1,"paused":true}}')
            free = admin("label", "deployment", name, "feem.dev/governed-", "--dry-run=server")
            resumed = admin("patch", "deployment", name, '--patch={"spec":{"paused":null}}', "--output=json")
            if held.code == 0 and free.code != 0 and '"paused": true' in resumed.out:
                return
            time.sleep(0.5)
        pytest.fail(
            "FEEM's policies are not in force after 30 s: see `kubectl get validatingadmissionpolicies -o yaml`"
        )
    finally:
        admin("delete", "deployment", name)


@pytest.fixture(scope="session")
def wait_until() -> Callable[[Callable[[], bool]], None]:
    """Wait for what controllers do a moment later; fails after 30 s."""

    def wait(true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not true():
            assert time.monotonic() < deadline, "not so after 30 s"
            time.sleep(0.2)

    return wait
