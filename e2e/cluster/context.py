"""What everybody who works on a cluster needs to know about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Say = Callable[[str], None]  # takes one progress line

PROFILES = ("api", "full")  # in rising order: a profile is a floor, a later one serves the earlier ones too
GATEWAY_PORT = 30080  # NodePort of the gateway `edge`
PROMETHEUS_PORT = 30090  # NodePort of Prometheus
BACKENDS = ("auto", "given", "kind", "local")


@dataclass(frozen=True)
class Cluster:
    """A running cluster, so that stack, tests and demo need not know which backend made it.

    `address` is where NodePorts answer from the host; None on profile `api`.
    `containerd` is the runtime's socket as seen from the host, `audit_log` the API server's audit log (JSON lines,
    level Metadata for every write); both only exist where this machine runs the components itself.
    """

    name: str
    profile: str
    backend: str
    state: Path
    cache: Path
    kubeconfig: Path
    address: str | None
    containerd: Path | None
    audit_log: Path | None


class ClusterError(RuntimeError):
    """Says object, reason and next step; the command line prints it plainly and ends with a non-zero code."""
