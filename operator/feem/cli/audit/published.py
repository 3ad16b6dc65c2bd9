"""The log of a cluster as it is published: its entries in order, and its signed head."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass

from feem.adapters.kubernetes.resources import RECORDS
from feem.api.auditlog import AuditLog, AuditLogStatus
from feem.cli.cluster import Cluster
from feem.cli.problem import NotFound, Problem
from feem.core.audit.entry import canonical_bytes
from feem.core.tlog.tree import Tree

AUDITLOG = "auditlogs.feem.dev"
NEXT = "kubectl describe auditlog feem"


@dataclass(frozen=True)
class Signed:
    """The head that the AuditLog shows."""

    origin: str
    size: int
    root: bytes
    note: str
    keys: str
    """One verifier key a line."""


def head_of(cluster: Cluster) -> Signed | None:
    """Return the signed head of a cluster's log; None when nothing is signed there."""
    try:
        log = AuditLog.read(cluster.get(AUDITLOG, "", "feem"))
    except NotFound:
        return None
    status = log.status or AuditLogStatus()
    if not status.checkpoint:
        return None
    keys = f"# keys of {log.spec.origin}; compare them with those you were given\n" + "".join(
        f"{key}\n" for key in status.keys
    )
    return Signed(log.spec.origin, status.size, base64.b64decode(status.root), status.checkpoint, keys)


def needed_head(cluster: Cluster) -> Signed:
    """Return the signed head. Raises Problem when there is none."""
    found = head_of(cluster)
    if found is None:
        raise Problem(
            "AuditLog feem",
            "the log has no signed checkpoint: the operator was given no keys, or has not signed yet",
            NEXT,
        )
    return found


def entries_of(cluster: Cluster, size: int) -> Iterator[bytes]:
    """Yield the bytes of the first `size` entries. Raises Problem when one is missing."""
    expected = 0
    for item in cluster.list(RECORDS):
        if expected == size:
            return
        spec = item["spec"]
        if spec.get("index") != expected:
            raise Problem(
                f"AuditRecord {expected:012d}",
                "it is not in the cluster (any more): old entries are kept in the published directory only",
                "give the directory with --from",
            )
        yield canonical_bytes(spec)
        expected += 1
    if expected < size:
        raise Problem(
            f"AuditRecord {expected:012d}", f"it is missing: the checkpoint covers {size} entries", "feem audit verify"
        )


def checked(tree: Tree, head: Signed) -> None:
    """Raise Problem unless the tree has the head's root."""
    if tree.root() != head.root:
        raise Problem(
            f"the {head.size} entries of the cluster",
            "they do not give the root of the signed checkpoint",
            "feem audit verify",
        )
