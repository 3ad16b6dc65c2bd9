"""Pod templates as evidence shows them: what runs, without what is secret."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from feem.core.audit.texts import MASK, masked
from feem.core.digest import canonical

_SHOWN_ANNOTATIONS = ("feem.dev/", "kubectl.kubernetes.io/restartedAt", "prometheus.io/")
"""Annotations that are shown as they are; of all others only whether they changed."""
_CARRYING_VALUES = frozenset({"args", "command"})
_LETTERS = 12
_USERS = frozenset({"requestedBy", "by"})
"""Members that name who acts: the log has them as they are, also where they are e-mail addresses."""


def redacted(template: Mapping[str, Any], salt: bytes) -> dict[str, Any]:
    """Return a pod template in which secrets are replaced, equal ones by equal words, so that a comparison still tells changes.

    Secret counts as: values of environment variables, annotations of others, and whatever looks like a credential. `salt` is known
    to the operator alone: without it nobody can try passwords against what stands in their place.
    """
    return _Redaction(salt).template(template)


@dataclass(frozen=True)
class _Redaction:
    salt: bytes

    def template(self, template: Mapping[str, Any]) -> dict[str, Any]:
        metadata = dict(template.get("metadata") or {})
        annotations = {
            key: value if key.startswith(_SHOWN_ANNOTATIONS) and masked(value) == value else self.stand_in(value)
            for key, value in (metadata.get("annotations") or {}).items()
        }
        if annotations:
            metadata["annotations"] = annotations
        return {**self.walk(dict(template)), "metadata": self.walk(metadata)}

    def stand_in(self, value: Any) -> str:
        return "redacted hmac:" + hmac.new(self.salt, canonical(value), "sha256").hexdigest()[:_LETTERS]

    def walk(self, value: Any) -> Any:
        if isinstance(value, dict):
            if "name" in value and isinstance(value.get("value"), str):
                return {**{key: self.walk(item) for key, item in value.items()}, "value": self.stand_in(value["value"])}
            return {
                key: self.commands(item) if key in _CARRYING_VALUES else self.walk(item) for key, item in value.items()
            }
        if isinstance(value, list):
            return [self.walk(item) for item in value]
        return self.stand_in(value) if isinstance(value, str) and MASK in masked(value) else value

    def commands(self, words: Any) -> Any:
        """A word such as `--password=…`, or the one after `--token`, may be a secret."""
        if not isinstance(words, list):
            return self.walk(words)
        kept: list[Any] = []
        for word in words:
            before = str(kept[-1]) if kept else ""
            secret = MASK in masked(f"{before} {word}" if before.startswith("-") and "=" not in before else str(word))
            kept.append(self.stand_in(word) if secret else word)
        return kept


def concealed(value: Any) -> Any:
    """Return a JSON value in which whatever looks secret or personal is `[masked]`, also in JSON that stands in a text.

    No salt is needed: whoever has the value can do it, so that a digest over what is left can be checked by everybody. `header` is
    how an experiment picks requests, which is no secret.
    """
    if isinstance(value, dict):
        pair = "name" in value and isinstance(value.get("value"), str)
        kept = {key: _concealed_member(key, item) for key, item in value.items()}
        return {**kept, "value": MASK} if pair else kept
    if isinstance(value, list):
        return [concealed(item) for item in value]
    return _concealed_text(value) if isinstance(value, str) else value


def _concealed_member(key: str, item: Any) -> Any:
    if key in _USERS and isinstance(item, str):
        return item
    if key == "header" and isinstance(item, dict):
        return {name: concealed(text) for name, text in item.items()}
    return concealed(item)


def _concealed_text(text: str) -> str:
    if text.startswith("{"):
        try:
            return canonical(concealed(json.loads(text))).decode()
        except (ValueError, RecursionError):
            pass
    return masked(text)
