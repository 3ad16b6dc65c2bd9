"""Digests of JSON values, equal for equal values whatever the order of their members (RFC 8785)."""

from __future__ import annotations

import functools
import hashlib
import json
from typing import Any

import rfc8785

HASH_LABEL = "pod-template-hash"
EXACT = 2**53
"""Integers below it are the same in every JSON reader."""


def canonical(value: Any) -> bytes:
    """Return RFC 8785 bytes of a JSON value; integers beyond 2**53, which that form cannot tell apart, as decimal strings.

    Raises ValueError for what JSON cannot carry: NaN, infinities, lone surrogates.
    """
    try:
        return bytes(rfc8785.dumps(value))
    except rfc8785.IntegerDomainError:
        return bytes(rfc8785.dumps(_exact(value)))


def digest_of(value: Any) -> str:
    """Return `sha256:<hex>` over the canonical bytes of a JSON value."""
    return "sha256:" + hashlib.sha256(canonical(value)).hexdigest()


def _exact(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _exact(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_exact(member) for member in value]
    return str(value) if type(value) is int and abs(value) >= EXACT else value


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
