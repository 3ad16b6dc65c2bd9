"""Backend `kind`: for machines with a Docker engine. Stock images, nothing is built."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import yaml

from . import binaries
from .commands import run
from .context import GATEWAY_PORT, PROMETHEUS_PORT, Cluster, ClusterError, Say
from .local import lifecycle as local
from .ports import is_free
from .versions import KIND_NODE_IMAGE

_FILE = "kind.json"
_NEXT = "Check the Docker engine with `docker info`, or choose --backend local."
_AUDIT_POLICY = Path(__file__).parent / "local" / "audit-policy.yaml"
_NODE_POLICY, _NODE_AUDIT = "/etc/kubernetes/audit/policy.yaml", "/var/log/kubernetes-audit"


def node_image() -> str:
    return os.environ.get("FEEM_KIND_NODE_IMAGE", KIND_NODE_IMAGE)


def node_image_available(say: Say) -> bool:
    """Tell whether the node image is in the engine or can be pulled (which this does)."""
    try:
        run(["docker", "image", "inspect", node_image()], next_step=_NEXT, timeout=30)
    except ClusterError:
        say(f"pulling {node_image()}")
    else:
        return True
    try:
        run(["docker", "pull", "--quiet", node_image()], next_step=_NEXT, timeout=900)
    except ClusterError:
        return False
    return True


def owns(state: Path) -> bool:
    return (state / _FILE).is_file()


def kind_name(state: Path) -> str:
    return state.name if state.name.startswith("feem") else f"feem-{state.name}"


def up(state: Path, profile: str, cache: Path, say: Say) -> Cluster:
    """Make a one-node kind cluster; NodePorts of gateway and Prometheus answer on a loopback address of its own."""
    if not node_image_available(say):
        raise ClusterError(f"kind's node image {node_image()} can neither be found nor pulled. {_NEXT}")
    kind = binaries.ensure(["kind"], cache, say)["kind"]
    if owns(state):
        down(state, say)
    local.purge(state, say)
    (state / "audit").mkdir(parents=True, mode=0o700)
    address = free_loopback()
    document = {"profile": profile, "kind": str(kind), "cache": str(cache), "address": address, "ready": False}
    record = state / _FILE
    record.write_text(json.dumps(document) + "\n", encoding="utf-8")
    config = state / "kind.yaml"
    config.write_text(yaml.safe_dump(configuration(state, address), sort_keys=False), encoding="utf-8")
    say(f"kind creates {kind_name(state)} from {node_image()}")
    run(create_argv(kind, state), next_step=_NEXT, timeout=900)
    cluster = _cluster(state, document)
    say("kind cluster ready")
    if profile == "full":
        from . import stack  # noqa: PLC0415 - profile api does without

        stack.install(cluster, say)
    record.write_text(json.dumps(document | {"ready": True}) + "\n", encoding="utf-8")
    return cluster


def create_argv(kind: Path, state: Path) -> list[str]:
    """Write the command that creates a cluster; the kubeconfig goes into the state folder, not to ~/.kube."""
    return [
        str(kind),
        "create",
        "cluster",
        f"--name={kind_name(state)}",
        f"--image={node_image()}",
        f"--config={state / 'kind.yaml'}",
        f"--kubeconfig={state / 'kubeconfig'}",
        "--wait=180s",
    ]


def down(state: Path, say: Say) -> None:
    """Delete the kind cluster; quiet when its node is gone already."""
    document = json.loads((state / _FILE).read_text(encoding="utf-8"))
    program = Path(document["kind"])
    kind = program if program.exists() else binaries.ensure(["kind"], Path(document["cache"]), say)["kind"]
    argv: list[str | Path] = [
        kind,
        "delete",
        "cluster",
        f"--name={kind_name(state)}",
        f"--kubeconfig={state / 'kubeconfig'}",
    ]
    run(argv, next_step=_NEXT, timeout=300)
    say(f"kind cluster {kind_name(state)} deleted")


def find(state: Path) -> Cluster | None:
    """Return the kind cluster of a state folder when its node runs."""
    if not owns(state):
        return None
    document = json.loads((state / _FILE).read_text(encoding="utf-8"))
    if not document["ready"]:
        return None
    try:
        node = f"{kind_name(state)}-control-plane"
        running = run(["docker", "inspect", "--format", "{{.State.Running}}", node], next_step=_NEXT, timeout=30)
    except ClusterError:
        return None
    return _cluster(state, document) if running.strip() == "true" else None


def free_loopback() -> str:
    """Choose a loopback address on which both NodePorts are free: several clusters share the machine."""
    for last in range(1, 60):
        address = f"127.0.0.{last}"
        if all(is_free(port, address) for port in (GATEWAY_PORT, PROMETHEUS_PORT)):
            return address
    raise ClusterError(
        f"ports {GATEWAY_PORT} and {PROMETHEUS_PORT} are taken on every loopback address tried: end what listens there."
    )


def configuration(state: Path, address: str) -> dict[str, Any]:
    """Describe the cluster to kind: NodePorts on the host, the audit log in our state folder, cgroup v1 allowed."""
    apiserver = {
        "kind": "ClusterConfiguration",
        "apiServer": {
            "extraArgs": [
                {"name": "audit-policy-file", "value": _NODE_POLICY},
                {"name": "audit-log-path", "value": f"{_NODE_AUDIT}/audit.log"},
            ],
            "extraVolumes": [
                _volume("audit-policy", str(Path(_NODE_POLICY).parent), read_only=True),
                _volume("audit-log", _NODE_AUDIT, read_only=False),
            ],
        },
    }
    kubelet = {"kind": "KubeletConfiguration", "failCgroupV1": False}
    return {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "networking": {"apiServerAddress": "127.0.0.1"},
        "nodes": [
            {
                "role": "control-plane",
                "kubeadmConfigPatches": [yaml.safe_dump(patch) for patch in (apiserver, kubelet)],
                "extraPortMappings": [
                    {"containerPort": port, "hostPort": port, "listenAddress": address, "protocol": "TCP"}
                    for port in (GATEWAY_PORT, PROMETHEUS_PORT)
                ],
                "extraMounts": [
                    {"hostPath": str(_AUDIT_POLICY), "containerPath": _NODE_POLICY, "readOnly": True},
                    {"hostPath": str(state / "audit"), "containerPath": _NODE_AUDIT},
                ],
            }
        ],
    }


def _volume(name: str, path: str, *, read_only: bool) -> dict[str, Any]:
    kind = "DirectoryOrCreate"
    return {"name": name, "hostPath": path, "mountPath": path, "readOnly": read_only, "pathType": kind}


def _cluster(state: Path, document: dict[str, Any]) -> Cluster:
    return Cluster(
        name=state.name,
        profile=document["profile"],
        backend="kind",
        state=state,
        cache=Path(document["cache"]),
        kubeconfig=state / "kubeconfig",
        address=document["address"],
        containerd=None,
        audit_log=state / "audit" / "audit.log",
    )
