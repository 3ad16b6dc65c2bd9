"""Pod templates as evidence shows them: what runs, without what is secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from feem.core.audit.texts import MASK, masked
from feem.core.digest import digest_of

_SHOWN_ANNOTATIONS = ("feem.dev/", "kubectl.kubernetes.io/restartedAt", "prometheus.io/")
"""Annotations that are shown as they are; of all others only whether they changed."""
_CARRYING_VALUES = frozenset({"args", "command"})
_LETTERS = 12


def redacted(template: Mapping[str, Any]) -> dict[str, Any]:
    """Return a pod template in which secrets are replaced by the beginning of their digest, so that a comparison still tells changes.

    Secret counts as: values of environment variables, annotations of others, and whatever looks like a credential.
    """
    metadata = dict(template.get("metadata") or {})
    annotations = {
        key: value if key.startswith(_SHOWN_ANNOTATIONS) and masked(value) == value else stand_in(value)
        for key, value in (metadata.get("annotations") or {}).items()
    }
    if annotations:
        metadata["annotations"] = annotations
    return {**_walk(dict(template)), "metadata": _walk(metadata)}


def stand_in(value: Any) -> str:
    """Return what stands in the place of a secret."""
    return f"redacted {digest_of(value)[: len('sha256:') + _LETTERS]}"


def _walk(value: Any) -> Any:
    if isinstance(value, dict):
        if "name" in value and isinstance(value.get("value"), str):
            return {**{key: _walk(item) for key, item in value.items()}, "value": stand_in(value["value"])}
        return {key: _commands(item) if key in _CARRYING_VALUES else _walk(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_walk(item) for item in value]
    return stand_in(value) if isinstance(value, str) and MASK in masked(value) else value


def _commands(words: Any) -> Any:
    """A word such as `--password=…`, or the one after `--token`, may be a secret."""
    if not isinstance(words, list):
        return _walk(words)
    kept: list[Any] = []
    for word in words:
        before = str(kept[-1]) if kept else ""
        secret = MASK in masked(f"{before} {word}" if before.startswith("-") and "=" not in before else str(word))
        kept.append(stand_in(word) if secret else word)
    return kept
