"""Backend `given`: the user's own cluster. It is used, and never ended."""

from __future__ import annotations

import json
import os
from pathlib import Path

from . import binaries
from .commands import run
from .context import Cluster, ClusterError, Say

_FILE = "given.json"
_NEXT = "Check KUBECONFIG, or unset it to let this command make a cluster of its own."


def owns(state: Path) -> bool:
    return (state / _FILE).is_file()


def up(state: Path, profile: str, cache: Path, say: Say) -> Cluster:
    """Take note of the cluster that KUBECONFIG names, after it has answered; profile full gets what it lacks."""
    kubeconfig = _kubeconfig()
    kubectl = binaries.ensure(["kubectl"], cache, say)["kubectl"]
    call: list[str | Path] = [kubectl, f"--kubeconfig={kubeconfig}"]
    version = json.loads(run([*call, "version", "--output=json"], next_step=_NEXT, timeout=60))
    say(f"{kubeconfig} answers with Kubernetes {version['serverVersion']['gitVersion']}")
    address = os.environ.get("FEEM_NODE_ADDRESS") or _node_address(call) if profile == "full" else None
    document: dict[str, str | None] = {
        "profile": profile,
        "kubeconfig": str(kubeconfig),
        "cache": str(cache),
        "address": address,
    }
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    cluster = _cluster(state, document)
    if profile == "full":
        from . import stack  # noqa: PLC0415 - profile api does without

        stack.install(cluster, say)
    (state / _FILE).write_text(json.dumps(document) + "\n", encoding="utf-8")
    return cluster


def down(state: Path, say: Say) -> None:
    """Forget a given cluster; what runs in it is its owner's."""
    say(f"cluster {state.name} was given by KUBECONFIG: it is forgotten here and goes on as it is")


def find(state: Path) -> Cluster | None:
    if not owns(state):
        return None
    return _cluster(state, json.loads((state / _FILE).read_text(encoding="utf-8")))


def _cluster(state: Path, document: dict[str, str | None]) -> Cluster:
    return Cluster(
        name=state.name,
        profile=str(document["profile"]),
        backend="given",
        state=state,
        cache=Path(str(document["cache"])),
        kubeconfig=Path(str(document["kubeconfig"])),
        address=document["address"],
        containerd=None,
        audit_log=None,
    )


def _kubeconfig() -> Path:
    text = os.environ.get("KUBECONFIG", "")
    if not text:
        raise ClusterError("backend given needs the environment variable KUBECONFIG, which is not set. " + _NEXT)
    if os.pathsep in text:
        raise ClusterError(
            f"KUBECONFIG names several files ({text}): merge them with `kubectl config view --flatten --minify` into "
            "one and name that."
        )
    path = Path(text).expanduser().absolute()
    if not path.is_file():
        raise ClusterError(f"KUBECONFIG names {path}, which is no file. {_NEXT}")
    return path


def _node_address(call: list[str | Path]) -> str:
    """Return where NodePorts answer: the external address of a node, else its internal one."""
    nodes = json.loads(run([*call, "get", "nodes", "--output=json"], next_step=_NEXT, timeout=60))["items"]
    for kind in ("ExternalIP", "InternalIP"):
        for node in nodes:
            for entry in node["status"].get("addresses", []):
                if entry["type"] == kind:
                    return str(entry["address"])
    raise ClusterError("no node of the given cluster has an address: set FEEM_NODE_ADDRESS to where NodePorts answer.")
