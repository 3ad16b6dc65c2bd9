"""Digests of JSON values, equal for equal values whatever the order of their members (RFC 8785)."""

from __future__ import annotations

import functools
import hashlib
import json
from typing import Any

import rfc8785

HASH_LABEL = "pod-template-hash"


def digest_of(value: Any) -> str:
    """Return `sha256:<hex>` over the RFC 8785 bytes of a JSON value."""
    return "sha256:" + hashlib.sha256(rfc8785.dumps(value)).hexdigest()


def template_digest(template: dict[str, Any]) -> str:
    """Return the digest of a pod template, the same for a Deployment and for the ReplicaSet made from it.

    The Deployment controller adds the label `pod-template-hash` to the ReplicaSet's copy; it is left out here.
    """
    metadata = dict(template.get("metadata") or {})
    labels = {key: value for key, value in (metadata.get("labels") or {}).items() if key != HASH_LABEL}
    metadata["labels"] = labels
    metadata.pop("creationTimestamp", None)
    return _known(json.dumps({**template, "metadata": metadata}, sort_keys=True))


@functools.lru_cache(maxsize=4096)
def _known(text: str) -> str:
    """The digest of a template, kept: every visit asks for those of a Deployment and all its ReplicaSets, and they never change."""
    return digest_of(json.loads(text))
