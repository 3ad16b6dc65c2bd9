"""What is known about a local cluster, on disk: enough to find it again, to end it, and to clean up after a crash."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from e2e.cluster.context import Cluster
from e2e.cluster.processes import Process

from .plan import write_json
from .supervisor import RECORD

_FILE = "cluster.json"
STARTING, READY = "starting", "ready"


@dataclass(frozen=True)
class Layout:
    """Where things are: addresses and ports chosen once for the life of a cluster.

    `link` is the host's end of the veth pair, `address` the cluster's end; both None on profile api.
    """

    name: str
    profile: str
    state: Path
    cache: Path
    host: str
    api_port: int
    etcd_port: int
    etcd_peer_port: int
    link: str | None = None
    address: str | None = None

    @property
    def node(self) -> str:
        return f"feem-{self.name}"

    @property
    def pki(self) -> Path:
        return self.state / "pki"

    @property
    def server(self) -> str:
        return f"https://{self.host}:{self.api_port}"

    @property
    def etcd(self) -> str:
        return f"https://{self.host}:{self.etcd_port}"

    @property
    def audit_log(self) -> Path:
        return self.state / "audit" / "audit.log"

    @property
    def containerd_socket(self) -> Path:
        return self.state / "containerd.sock"

    @property
    def kubeconfig(self) -> Path:
        return self.state / "kubeconfig"

    def cluster(self) -> Cluster:
        full = self.profile == "full"
        return Cluster(
            name=self.name,
            profile=self.profile,
            backend="local",
            state=self.state,
            cache=self.cache,
            kubeconfig=self.kubeconfig,
            address=self.address if full else None,
            containerd=self.containerd_socket if full else None,
            audit_log=self.audit_log,
        )


def cgroup_name(state: Path) -> str:
    """Name of the cgroup all pods of a cluster live under: known from the state folder alone, even without record."""
    return f"feem-{state.name}-{hashlib.sha256(str(state).encode()).hexdigest()[:8]}"


def write_record(layout: Layout, phase: str) -> None:
    fields: dict[str, Any] = asdict(layout) | {"state": str(layout.state), "cache": str(layout.cache)}
    write_json(layout.state / _FILE, {"backend": "local", "phase": phase, "layout": fields})


def read_record(state: Path) -> tuple[Layout, str] | None:
    """Read layout and phase; None when there is no whole record of a local cluster."""
    try:
        document = json.loads((state / _FILE).read_text(encoding="utf-8"))
        if document["backend"] != "local":
            return None
        fields = document["layout"]
        return Layout(**fields | {"state": Path(fields["state"]), "cache": Path(fields["cache"])}), document["phase"]
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        return None


def supervisor_of(state: Path) -> Process | None:
    """Read who supervises a cluster, whether it still lives or not."""
    try:
        return Process(**json.loads((state / RECORD).read_text(encoding="utf-8")))
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
        return None
