"""Command lines and configuration of the components: what must be on, what must never be."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.cluster.api import Door
from e2e.cluster.context import ClusterError
from e2e.cluster.local import bootstrap, controlplane, network, node
from e2e.cluster.local.record import Layout, cgroup_name
from tests.cluster.layouts import api_layout, full_layout

PROGRAM = Path("/programs/kubernetes")
PROGRAMS = {name: Path("/programs") / name for name in ("containerd", "containerd-shim-runc-v2", "runc")}


@pytest.fixture
def api(tmp_path: Path) -> Layout:
    return api_layout(tmp_path / "demo")


@pytest.fixture
def full(tmp_path: Path) -> Layout:
    return full_layout(tmp_path / "demo")


def options(argv: tuple[str, ...]) -> dict[str, str]:
    words = [word[2:].partition("=") for word in argv if word.startswith("--")]
    return {name: value if equals else "true" for name, equals, value in words}


def test_the_api_server_knows_everybody_and_writes_down_every_write(api: Layout) -> None:
    given = options(controlplane.apiserver(api, PROGRAM).argv)
    assert given["anonymous-auth"] == "false"
    assert given["authorization-mode"] == "Node,RBAC"
    assert "NodeRestriction" in given["enable-admission-plugins"]
    assert given["audit-log-path"] == str(api.audit_log)
    assert given["bind-address"] == "127.0.0.1"
    assert given["secure-port"] == "20001"


def test_only_a_cluster_with_services_looks_after_their_endpoints(api: Layout, full: Layout) -> None:
    assert options(controlplane.apiserver(api, PROGRAM).argv)["endpoint-reconciler-type"] == "none"
    given = options(controlplane.apiserver(full, PROGRAM).argv)
    assert "endpoint-reconciler-type" not in given
    assert given["bind-address"] == "10.231.0.2"


def test_etcd_asks_everybody_for_a_certificate_of_its_own_authority(api: Layout) -> None:
    given = options(controlplane.etcd(api, PROGRAM).argv)
    assert given["client-cert-auth"] == given["peer-client-cert-auth"] == "true"
    assert given["trusted-ca-file"].endswith("/etcd-ca.crt")
    assert given["listen-client-urls"] == "https://127.0.0.1:20002"
    assert given["listen-peer-urls"] == "https://127.0.0.1:20003"


def test_every_file_a_component_is_told_of_exists(api: Layout) -> None:
    components = [
        controlplane.etcd(api, PROGRAM),
        controlplane.apiserver(api, PROGRAM),
        controlplane.controller_manager(api, PROGRAM),
        controlplane.scheduler(api, PROGRAM),
        controlplane.kwok(api, PROGRAM),
    ]
    for component in components:
        for name, value in options(component.argv).items():
            if value.startswith("/") and value.endswith((".crt", ".key", ".pub", ".yaml", ".kubeconfig")):
                assert Path(value).is_file(), (component.name, name)


def test_the_kubelet_trusts_certificates_only_and_keeps_to_its_cgroup(full: Layout) -> None:
    node.kubelet(full, PROGRAM)
    config = json.loads((full.state / "kubelet.json").read_text())
    assert config["authentication"]["anonymous"] == {"enabled": False}
    assert config["authorization"] == {"mode": "Webhook"}
    assert config["readOnlyPort"] == 0
    assert config["address"] == "10.231.0.2"
    assert config["cgroupRoot"] == f"/{cgroup_name(full.state)}"
    assert config["failCgroupV1"] is False


def test_node_ports_answer_on_the_clusters_address_only(full: Layout) -> None:
    node.kube_proxy(full, PROGRAM)
    config = json.loads((full.state / "proxy.json").read_text())
    assert config["nodePortAddresses"] == ["10.231.0.2/32"]
    assert config["clusterCIDR"] == network.POD_SUBNET


def test_the_enforcer_of_network_policies_minds_the_nodes_own_pods(full: Layout) -> None:
    component = node.network_policies(full, Path("/programs/kube-network-policies"))
    given = options(component.argv)
    assert given["node"] == full.node
    config = yaml.safe_load(Path(given["kubeconfig"]).read_text())
    assert config["current-context"] == f"feem-{full.name}"
    assert [user["name"] for user in config["users"]] == ["network-policies"]
    assert "/usr/sbin" in component.env["PATH"].split(":")  # iptables lives there


def test_the_enforcer_of_network_policies_may_only_look(monkeypatch: pytest.MonkeyPatch, full: Layout) -> None:
    made: list[dict[str, Any]] = []
    monkeypatch.setattr(Door, "create", lambda _self, _path, document: made.append(document))
    bootstrap.create_objects(full)
    role = next(entry for entry in made if entry["kind"] == "ClusterRole" and "policies" in entry["metadata"]["name"])
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"list", "watch"}
    binding = next(entry for entry in made if entry.get("roleRef", {}).get("name") == role["metadata"]["name"])
    assert binding["subjects"] == [
        {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "feem:network-policies"}
    ]


def test_containerd_keeps_all_it_writes_in_the_state_folder_or_in_memory(full: Layout) -> None:
    component = node.containerd(full, PROGRAMS, Path("/usr/lib/cni"))
    config = tomllib.loads((full.state / "containerd.toml").read_text())
    assert config["root"].startswith(str(full.state))
    assert config["state"].startswith("/run/")
    assert config["grpc"]["address"] == str(full.containerd_socket)
    assert component.env["PATH"].startswith("/programs")
    registries = Path(config["plugins"]["io.containerd.cri.v1.images"]["registry"]["config_path"])
    assert tomllib.loads((registries / "_default/hosts.toml").read_text())["server"].startswith("http://127.0.0.1:")
    conflist = json.loads((full.state / "cni/10-feem.conflist").read_text())
    assert [plugin["type"] for plugin in conflist["plugins"]] == ["bridge", "portmap"]


def test_a_socket_path_too_long_for_the_kernel_is_refused_with_the_way_out(tmp_path: Path) -> None:
    layout = full_layout(tmp_path / ("x" * 100))
    with pytest.raises(ClusterError, match="FEEM_STATE"):
        node.containerd(layout, PROGRAMS, Path("/usr/lib/cni"))


def test_the_audit_policy_records_writes_and_skips_what_never_rests(api: Layout) -> None:
    policy = yaml.safe_load(Path(options(controlplane.apiserver(api, PROGRAM).argv)["audit-policy-file"]).read_text())
    writes = [rule for rule in policy["rules"] if rule["level"] == "Metadata"]
    assert [set(rule["verbs"]) for rule in writes] == [{"create", "update", "patch", "delete", "deletecollection"}]
    assert all("resources" not in rule for rule in writes)
    skipped = [entry for rule in policy["rules"] if rule["level"] == "None" for entry in rule.get("resources", [])]
    assert {entry["group"] for entry in skipped} == {
        "",
        "coordination.k8s.io",
        "events.k8s.io",
        "authentication.k8s.io",
        "authorization.k8s.io",
    }


def test_the_played_node_takes_no_pods_by_accident_where_a_real_one_is() -> None:
    assert bootstrap.kwok_node(tainted=True)["spec"]["taints"][0]["effect"] == "NoSchedule"
    assert bootstrap.kwok_node(tainted=False)["spec"] == {}
