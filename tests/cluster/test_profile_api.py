"""Profile api for real: it comes up, serves, survives what is done to it, and goes without a trace."""

from __future__ import annotations

import json
import os
import shutil
import signal
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import e2e.cluster
from e2e.cluster import etcd
from tests.cluster.machine import Machine, deployment, eventually

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    machine = Machine(tmp_path_factory.mktemp("c"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FEEM_STATE", str(machine.root))
        patch.delenv("KUBECONFIG", raising=False)
        try:
            machine.up("t0")
            yield machine
        finally:
            machine.run("down", "--all")
            assert machine.remains() == []


@pytest.fixture
def cluster(machine: Machine) -> e2e.cluster.Cluster:
    """The shared cluster, whatever the test before did to it."""
    return e2e.cluster.up("t0", "api", "local", print)


def test_a_deployment_becomes_ready_and_every_write_is_on_record(
    machine: Machine, cluster: e2e.cluster.Cluster
) -> None:
    machine.kubectl("t0", "apply", "--filename=-", stdin=deployment("registry.example/any:1", replicas=3))
    machine.kubectl("t0", "rollout", "status", "deployment/web", "--timeout=30s")
    assert cluster.audit_log
    events = [json.loads(line) for line in cluster.audit_log.read_text().splitlines()]
    verbs = {event["verb"] for event in events}
    assert verbs <= {"create", "update", "patch", "delete", "deletecollection"}
    assert "leases" not in {event["objectRef"]["resource"] for event in events}
    ours = [event for event in events if event["objectRef"].get("resource") == "deployments"]
    assert ("create", "feem-admin") in {(event["verb"], event["user"]["username"]) for event in ours}
    machine.kubectl("t0", "delete", "deployment/web", "service/web", "--wait=false")


def test_nobody_is_anonymous_and_users_have_the_rights_rbac_gives_them(
    machine: Machine, cluster: e2e.cluster.Cluster
) -> None:
    ann = e2e.cluster.user_kubeconfig(cluster, "ann@bank.example", ["feem:viewers"])
    who = json.loads(machine.kubectl("t0", "auth", "whoami", "--output=json", kubeconfig=ann))["status"]["userInfo"]
    assert who["username"] == "ann@bank.example"
    assert who["groups"] == ["feem:viewers", "system:authenticated"]
    with pytest.raises(AssertionError, match=r'User "ann@bank\.example" cannot list resource "pods"'):
        machine.kubectl("t0", "get", "pods", kubeconfig=ann)
    context = ssl.create_default_context(cafile=str(cluster.state / "pki/ca.crt"))
    server = machine.kubectl("t0", "config", "view", "--output=jsonpath={.clusters[0].cluster.server}")
    for path in ("/readyz", "/version", "/api"):
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(server + path, context=context, timeout=5)  # noqa: S310 - our own https


def test_mutating_policies_are_served_and_pod_security_is_enforced(
    machine: Machine, cluster: e2e.cluster.Cluster
) -> None:
    served = machine.kubectl("t0", "api-resources", "--api-group=admissionregistration.k8s.io")
    assert "mutatingadmissionpolicies" in served
    labels = "pod-security.kubernetes.io/enforce=restricted"
    machine.kubectl("t0", "create", "namespace", "strict")
    machine.kubectl("t0", "label", "namespace", "strict", labels)
    with pytest.raises(AssertionError, match="violates PodSecurity"):
        machine.kubectl("t0", "run", "--namespace=strict", "--image=x:1", "--privileged", "bad")
    machine.kubectl("t0", "delete", "namespace", "strict", "--wait=false")


def test_a_stored_object_can_be_tampered_with_behind_the_api_server(
    machine: Machine, cluster: e2e.cluster.Cluster
) -> None:
    machine.kubectl("t0", "create", "configmap", "ledger", "--from-literal=amount=100")
    key = "/registry/configmaps/default/ledger"
    assert key in etcd.keys(cluster, "/registry/configmaps/default/")
    stored = etcd.get(cluster, key)
    assert stored
    etcd.put(cluster, key, stored.replace(b"100", b"999"))
    e2e.cluster.component_restart(cluster, "kube-apiserver")  # its watch cache has not seen the change
    assert machine.kubectl("t0", "get", "configmap", "ledger", "--output=jsonpath={.data.amount}") == "999"
    assert etcd.get(cluster, "/registry/no/such/key") is None


def test_a_stopped_component_stays_down_until_it_is_started(machine: Machine, cluster: e2e.cluster.Cluster) -> None:
    e2e.cluster.component_stop(cluster, "kube-apiserver")
    with pytest.raises(AssertionError, match="refused"):
        machine.kubectl("t0", "get", "nodes")
    assert "kube-apiserver: stopped" in machine.run("status")
    e2e.cluster.component_start(cluster, "kube-apiserver")
    assert "kwok-0" in machine.kubectl("t0", "get", "nodes")


def test_up_starts_what_a_killed_fault_test_had_stopped(machine: Machine, cluster: e2e.cluster.Cluster) -> None:
    e2e.cluster.component_stop(cluster, "kube-scheduler")
    e2e.cluster.component_stop(cluster, "kube-apiserver")
    assert "starting kube-apiserver, kube-scheduler" in machine.up("t0")
    assert "stopped" not in machine.run("status")


def test_a_given_cluster_is_used_signs_users_and_is_never_ended(
    machine: Machine, cluster: e2e.cluster.Cluster, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "kubeconfig"
    shutil.copy(cluster.kubeconfig, elsewhere)
    said = machine.run("up", "--name", "t5", "--profile", "api", env={"KUBECONFIG": str(elsewhere)})
    assert "backend given" in said
    given = e2e.cluster.find("t5")
    assert given
    assert (given.backend, given.kubeconfig) == ("given", elsewhere)
    bob = e2e.cluster.user_kubeconfig(given, "bob", ["feem:approvers"])
    assert "feem:approvers" in machine.kubectl("t5", "auth", "whoami", kubeconfig=bob)
    machine.run("down", "--name", "t5")
    assert "kwok-0" in machine.kubectl("t0", "get", "nodes")


def test_two_ups_at_once_make_one_cluster_and_names_stand_side_by_side(machine: Machine) -> None:
    with ThreadPoolExecutor(3) as pool:
        said = list(pool.map(machine.up, ("t1", "t1", "t2")))
    assert sum("is up: profile api" in text for text in said[:2]) == 1
    servers = {
        machine.kubectl(name, "config", "view", "--output=jsonpath={.clusters[0].cluster.server}")
        for name in ("t0", "t1", "t2")
    }
    assert len(servers) == 3
    for name in ("t1", "t2"):
        machine.run("down", "--name", name)
        assert machine.processes(name) == 0
        assert not (machine.root / name).exists()
    assert "kwok-0" in machine.kubectl("t0", "get", "nodes")


def test_nothing_runs_on_after_the_supervisor_was_killed_and_up_recovers(machine: Machine) -> None:
    machine.up("t3")
    os.kill(machine.supervisor("t3"), signal.SIGKILL)
    eventually(lambda: machine.processes("t3") == 0)
    assert "t3: does not run" in machine.run("status")
    machine.up("t3")
    assert "kwok-0" in machine.kubectl("t3", "get", "nodes")
    machine.run("down", "--name", "t3")


def test_up_recovers_from_an_up_that_was_killed_half_way(machine: Machine) -> None:
    process = machine.command("up", "--name", "t4", "--profile", "api", "--backend", "local")
    eventually(lambda: (machine.root / "t4" / "running.json").exists() and machine.processes("t4") >= 2)
    process.kill()
    process.communicate()
    assert machine.processes("t4") >= 1
    assert e2e.cluster.find("t4") is None
    machine.up("t4")
    assert "kwok-0" in machine.kubectl("t4", "get", "nodes")
    machine.run("down", "--name", "t4")
    assert machine.processes("t4") == 0
