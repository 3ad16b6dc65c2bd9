"""Profile full for real: pods, names, Services, NodePorts; and nothing of it left on the host afterwards."""

from __future__ import annotations

import os
import signal
import urllib.request
from collections.abc import Iterator

import pytest

import e2e.cluster
from e2e.cluster import images
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


def test_pods_run_and_are_reached_and_a_kill_of_the_first_process_leaves_nothing(machine: Machine) -> None:
    rules, settings = traces()
    machine.up(NAME, "full")
    cluster = e2e.cluster.find(NAME)
    assert cluster
    assert cluster.address
    link = network_link(machine)
    images.load(cluster, images.ensure(["python"], cache_root(), print).values(), print)
    machine.kubectl(NAME, "label", "namespace", "default", "pod-security.kubernetes.io/enforce=restricted")
    web = deployment("python:3.11-slim-bookworm", "python3", "-m", "http.server", "8080", replicas=2)
    machine.kubectl(NAME, "apply", "--filename=-", stdin=web)
    machine.kubectl(NAME, "rollout", "status", "deployment/web", "--timeout=60s")

    with urllib.request.urlopen(f"http://{cluster.address}:30123/", timeout=10) as answer:
        assert answer.status == 200
    assert machine.kubectl(NAME, "exec", "deployment/web", "--", "python3", "-c", ASK).split() == ["200", "200"]
    assert "GET /" in machine.kubectl(NAME, "logs", "--selector=app=web")
    e2e.cluster.component_restart(cluster, "kube-apiserver")
    machine.kubectl(NAME, "rollout", "status", "deployment/web", "--timeout=60s")

    os.kill(machine.supervisor(NAME), signal.SIGKILL)
    eventually(lambda: machine.processes(NAME) == 0)
    machine.run("down", "--name", NAME)
    assert machine.remains() == []
    assert traces() == (rules, settings)
    assert link not in network.links()
    assert not [path for root in cgroups.hierarchies() for path in root.glob(f"feem-{NAME}-*")]
