"""Profile full for real: pods, names, Services, NodePorts, policies; and nothing of it left on the host afterwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import e2e.cluster
from e2e.cluster import Cluster, binaries, images
from e2e.cluster.local import cgroups, network
from e2e.cluster.local.record import read_record
from e2e.cluster.paths import cache_root
from tests.cluster.machine import Machine, deployment, eventually, traces

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(os.geteuid() != 0, reason="backend local makes namespaces, a bridge and cgroups: root only"),
]
NAME = "t6"
ASK = """
import ssl, urllib.request as u
print(u.urlopen("http://web.default.svc.cluster.local/", timeout=5).status)
folder = "/var/run/secrets/kubernetes.io/serviceaccount"
context = ssl.create_default_context(cafile=folder + "/ca.crt")
token = open(folder + "/token").read()
call = u.Request("https://10.96.0.1/version", headers={"Authorization": "Bearer " + token})
print(u.urlopen(call, context=context, timeout=5).status)
"""
# for each line read: is a new connection made, and is a request answered on the one kept since the beginning?
VISITOR = """
import socket, sys
address, waits = (sys.argv[1], 8080), False
kept = socket.create_connection(address, timeout=5)
kept.settimeout(0.3)
for line in sys.stdin:
    new, answer = True, b""
    try:
        socket.create_connection(address, timeout=0.3).close()
    except OSError:
        new = False
    if not waits:
        kept.sendall(b"HEAD / HTTP/1.1\\r\\nHost: web\\r\\n\\r\\n")
    try:
        answer = kept.recv(65536)
    except OSError:
        pass
    waits = not answer
    print(new, not waits, flush=True)
"""
ISOLATION = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "alone"},
    "spec": {"podSelector": {"matchLabels": {"alone": "yes"}}, "policyTypes": ["Ingress"]},
}


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    machine = Machine(tmp_path_factory.mktemp("c"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FEEM_STATE", str(machine.root))
        patch.delenv("KUBECONFIG", raising=False)
        try:
            yield machine
        finally:
            machine.run("down", "--all")
            assert machine.remains() == []


def network_link(machine: Machine) -> str:
    """Return the host's end of the cluster's veth pair."""
    found = read_record(machine.root / NAME)
    assert found
    assert found[0].link in network.links()
    return str(found[0].link)


@pytest.fixture(scope="module")
def before(machine: Machine) -> tuple[list[str], list[str]]:
    """Take note of the host as it is without the cluster."""
    return traces()


@pytest.fixture(scope="module")
def cluster(machine: Machine, before: object) -> Cluster:
    """Bring a cluster up, with two pods behind a Service."""
    machine.up(NAME, "full")
    cluster = e2e.cluster.find(NAME)
    assert cluster
    images.load(cluster, images.ensure(["python"], cache_root(), print).values(), print)
    machine.kubectl(NAME, "label", "namespace", "default", "pod-security.kubernetes.io/enforce=restricted")
    command = ("python3", "-m", "http.server", "8080", "--protocol", "HTTP/1.1")
    machine.kubectl(NAME, "apply", "--filename=-", stdin=deployment("python:3.11-slim-bookworm", *command, replicas=2))
    machine.kubectl(NAME, "rollout", "status", "deployment/web", "--timeout=60s")
    return cluster


def pods(machine: Machine) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = json.loads(machine.kubectl(NAME, "get", "pods", "--output=json"))["items"]
    return items


@contextmanager
def visitor(cluster: Cluster, pod: str, address: str) -> Iterator[subprocess.Popen[str]]:
    """Start VISITOR in a pod."""
    program = binaries.ensure(["kubectl"], cluster.cache, print)["kubectl"]
    argv = [str(program), f"--kubeconfig={cluster.kubeconfig}", "exec", "--stdin", pod, "--", "python3", "-c", VISITOR]
    pipe = subprocess.PIPE
    with subprocess.Popen([*argv, address], stdin=pipe, stdout=pipe, text=True, bufsize=1) as process:
        try:
            yield process
        finally:
            process.kill()


def visit(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdin
    assert process.stdout
    process.stdin.write("\n")
    return process.stdout.readline().split()


def answered(cluster: Cluster) -> bool:
    """Whether the answer is 200; until kube-proxy has heard of the first ready pod, its rules refuse connections."""
    try:
        with urllib.request.urlopen(f"http://{cluster.address}:30123/", timeout=10) as answer:
            return bool(answer.status == 200)
    except urllib.error.URLError as err:
        if isinstance(err.reason, ConnectionRefusedError):
            return False
        raise


def test_pods_run_and_are_reached(machine: Machine, cluster: Cluster) -> None:
    eventually(lambda: answered(cluster))
    assert machine.kubectl(NAME, "exec", "deployment/web", "--", "python3", "-c", ASK).split() == ["200", "200"]
    assert "GET /" in machine.kubectl(NAME, "logs", "--selector=app=web")
    e2e.cluster.component_restart(cluster, "kube-apiserver")
    machine.kubectl(NAME, "rollout", "status", "deployment/web", "--timeout=60s")


def test_a_policy_cuts_new_and_kept_connections_but_no_probes_and_both_go_on_without_it(
    machine: Machine, cluster: Cluster
) -> None:
    visited, visiting = pods(machine)
    machine.kubectl(NAME, "label", "pod", visited["metadata"]["name"], "alone=yes")
    with visitor(cluster, visiting["metadata"]["name"], visited["status"]["podIP"]) as process:
        assert visit(process) == ["True", "True"]
        machine.kubectl(NAME, "create", "--filename=-", stdin=json.dumps(ISOLATION))
        eventually(lambda: visit(process) == ["False", "False"], within=10)
        time.sleep(4)  # a probe each second: three that fail would be seen
        assert visit(process) == ["False", "False"]
        assert [pod["status"]["containerStatuses"][0]["ready"] for pod in pods(machine)] == [True, True]
        machine.kubectl(NAME, "delete", "networkpolicy", "alone")
        eventually(lambda: visit(process)[0] == "True", within=10)
        eventually(lambda: visit(process) == ["True", "True"], within=30)  # when TCP tries again, later each time


def test_a_kill_of_the_first_process_leaves_nothing(
    machine: Machine, cluster: Cluster, before: tuple[list[str], list[str]]
) -> None:
    link = network_link(machine)
    os.kill(machine.supervisor(NAME), signal.SIGKILL)
    eventually(lambda: machine.processes(NAME) == 0)
    machine.run("down", "--name", NAME)
    assert machine.remains() == []
    assert traces() == before
    assert link not in network.links()
    assert not [path for root in cgroups.hierarchies() for path in root.glob(f"feem-{NAME}-*")]
