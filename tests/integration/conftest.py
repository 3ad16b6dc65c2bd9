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
from typing import Any

import pytest

import e2e.cluster
from e2e.cluster import binaries
from tests.integration.kubectl import Kubectl, Manifest

ROOT = Path(__file__).parents[2]
OPERATOR = "system:serviceaccount:feem-system:feem"
REAPER = f"{OPERATOR}-reaper"
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
    _wait_for_policies(admin)
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


def _wait_for_policies(admin: Kubectl) -> None:
    """Policies come into force a moment after they are written, in the order of their writing: wait for two written last."""
    name = f"probe-{uuid.uuid4().hex[:8]}"
    probe: Manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}
    for manifest in _probes(name):
        admin.done("create", manifest=manifest)
    deadline = time.monotonic() + 30
    try:
        while admin("create", "--dry-run=server", manifest=probe).code == 0:
            if time.monotonic() > deadline:
                pytest.fail(
                    "FEEM's policies are not in force after 30 s: see `kubectl get validatingadmissionpolicies -o yaml`"
                )
            time.sleep(0.2)
    finally:
        for kind in ("mutatingadmissionpolicy", "validatingadmissionpolicy"):
            admin("delete", f"{kind},{kind}binding", name, "--wait=false")


def _probes(name: str) -> list[Manifest]:
    """A policy that marks one ConfigMap, and one that refuses it once it is marked."""
    rules = [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"], "operations": ["CREATE"]}]
    group = "admissionregistration.k8s.io/v1"
    common = {
        "matchConstraints": {"resourceRules": rules},
        "matchConditions": [{"name": "the-probe", "expression": f"object.metadata.name == '{name}'"}],
    }
    mark = {"expression": "[JSONPatch{op: 'add', path: '/data', value: {'marked': 'yes'}}]"}
    marks = {
        **common,
        "reinvocationPolicy": "Never",
        "mutations": [{"patchType": "JSONPatch", "jsonPatch": mark}],
    }
    refuses = {**common, "validations": [{"expression": "!has(object.data)", "message": "in force"}]}
    deny = {"policyName": name, "validationActions": ["Deny"]}
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("MutatingAdmissionPolicy", marks),
        ("MutatingAdmissionPolicyBinding", {"policyName": name}),
        ("ValidatingAdmissionPolicy", refuses),
        ("ValidatingAdmissionPolicyBinding", deny),
    ]
    return [{"apiVersion": group, "kind": kind, "metadata": {"name": name}, "spec": spec} for kind, spec in kinds]


@pytest.fixture(scope="session")
def wait_until() -> Callable[[Callable[[], bool]], None]:
    """Wait for what controllers do a moment later; fails after 30 s."""

    def wait(true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not true():
            assert time.monotonic() < deadline, "not so after 30 s"
            time.sleep(0.2)

    return wait
