"""Faults in the cluster itself: one component stopped, started, or both, while the rest goes on."""

from __future__ import annotations

from .context import Cluster, ClusterError
from .local import bootstrap, control
from .local.record import Layout, read_record


def component_stop(cluster: Cluster, name: str) -> None:
    """Kill one component (etcd, kube-apiserver, kube-controller-manager, …) and keep it down."""
    control.want(_layout(cluster).state, name, wanted=False)


def component_start(cluster: Cluster, name: str) -> None:
    """Start a stopped component; returns when the API server answers again (if it can)."""
    layout = _layout(cluster)
    control.want(layout.state, name, wanted=True)
    if name in ("etcd", "kube-apiserver"):
        bootstrap.wait_for_api(layout)


def component_restart(cluster: Cluster, name: str) -> None:
    """Kill one component and start it again."""
    component_stop(cluster, name)
    component_start(cluster, name)


def _layout(cluster: Cluster) -> Layout:
    found = read_record(cluster.state)
    if found is None:
        raise ClusterError(
            f"components of cluster {cluster.name} cannot be stopped: only backend local offers it, this is "
            f"{cluster.backend}."
        )
    return found[0]
