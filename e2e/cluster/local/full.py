"""What profile full has on top of the control plane: a real node, images, and the stack on it."""

from __future__ import annotations

from pathlib import Path

from e2e.cluster import packages
from e2e.cluster.context import ClusterError, Say

from . import bootstrap, node
from .control import add, log_tail, wait_until
from .controlplane import KWOK_NODE
from .plan import Component
from .record import Layout

PROGRAMS = (
    "kubernetes",
    "kubectl",
    "kwok",
    "kube-network-policies",
    "containerd",
    "containerd-shim-runc-v2",
    "ctr",
    "runc",
)
FIRST_IMAGES = ("pause", "coredns")  # no pod starts without the one, no name is resolved without the other
OTHER_IMAGES = ("envoy-gateway", "envoy", "prometheus")


def require_packages(say: Say) -> None:
    """Install what a node needs of Debian, or say what to install."""
    packages.require(packages.missing_for_nodes(), say)
    packages.load_modules(say)


def ensure_images(cache: Path, say: Say) -> dict[str, Path]:
    """Have an archive of every image of the stack, built from the cache where it is not there."""
    from e2e.cluster import images  # noqa: PLC0415 - profile api needs nothing of it

    return images.ensure([*FIRST_IMAGES, *OTHER_IMAGES], cache, say)


def runtime(layout: Layout, programs: dict[str, Path]) -> list[Component]:
    """Describe what may start beside the API server: it takes images meanwhile."""
    plugins = packages.cni_folder()
    if plugins is None:
        raise ClusterError("the CNI plugins are gone: install containernetworking-plugins and try again.")
    return [node.containerd(layout, programs, plugins)]


def start(layout: Layout, programs: dict[str, Path], archives: dict[str, Path], say: Say) -> None:
    """Bring the node up, its images in and the stack onto it; returns when all of it is ready."""
    from e2e.cluster import images, stack  # noqa: PLC0415 - profile api needs nothing of them

    kubernetes = programs["kubernetes"]
    wait_until(
        layout.containerd_socket.is_socket,
        within=60,
        failed=lambda: f"containerd of cluster {layout.name} does not listen: {log_tail(layout.state, 'containerd')}",
    )
    cluster = layout.cluster()
    add(
        layout.state,
        [
            node.kubelet(layout, kubernetes),
            node.kube_proxy(layout, kubernetes),
            node.network_policies(layout, programs["kube-network-policies"]),
        ],
    )
    images.load(cluster, [archives[name] for name in FIRST_IMAGES], say)
    bootstrap.wait_for_nodes(layout, (layout.node, KWOK_NODE), say)
    say(f"node {layout.node} Ready")
    stack.install(cluster, say)  # loads the other images while it applies what needs none of them
