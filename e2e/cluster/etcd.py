"""etcd by the back door, for the test that tampers with a stored record: no API server sees it."""

from __future__ import annotations

import base64
import json
from typing import Any

from .api import Door
from .context import Cluster, ClusterError
from .local.record import read_record


def get(cluster: Cluster, key: str) -> bytes | None:
    """Read the stored bytes under a key such as /registry/feem.dev/auditrecords/<name>; None when there are none."""
    answer = _ask(cluster, "range", {"key": _encode(key.encode())})
    found = answer.get("kvs") or []
    return base64.b64decode(found[0]["value"]) if found else None


def put(cluster: Cluster, key: str, value: bytes) -> None:
    """Replace the stored bytes under a key, past admission, RBAC and audit log."""
    _ask(cluster, "put", {"key": _encode(key.encode()), "value": _encode(value)})


def keys(cluster: Cluster, prefix: str) -> list[str]:
    """List the keys that begin with a prefix, in order."""
    end = prefix.encode()[:-1] + bytes([prefix.encode()[-1] + 1])
    wish = {"key": _encode(prefix.encode()), "range_end": _encode(end), "keys_only": True}
    return [base64.b64decode(entry["key"]).decode() for entry in _ask(cluster, "range", wish).get("kvs") or []]


def _ask(cluster: Cluster, call: str, body: dict[str, Any]) -> dict[str, Any]:
    found = read_record(cluster.state)
    if found is None:
        raise ClusterError(
            f"etcd of cluster {cluster.name} cannot be reached: only backend local offers it, this is {cluster.backend}."
        )
    door = Door(found[0].etcd, found[0].pki, authority="etcd-ca", client="etcd-client")
    answer: dict[str, Any] = json.loads(door.text(f"/v3/kv/{call}", "POST", body))
    return answer


def _encode(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
