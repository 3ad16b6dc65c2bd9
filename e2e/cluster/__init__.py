"""Clusters to test on: `up`, `down`, `status`, `kubeconfig`, as functions and as `python -m e2e.cluster`."""

from __future__ import annotations

from .context import GATEWAY_PORT, PROMETHEUS_PORT, Cluster, ClusterError, Say
from .faults import component_restart, component_start, component_stop
from .lifecycle import down, find, names, up
from .users import user_kubeconfig

__all__ = [
    "GATEWAY_PORT",
    "PROMETHEUS_PORT",
    "Cluster",
    "ClusterError",
    "Say",
    "component_restart",
    "component_start",
    "component_stop",
    "down",
    "find",
    "names",
    "up",
    "user_kubeconfig",
]
