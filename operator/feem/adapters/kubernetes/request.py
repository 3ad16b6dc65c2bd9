"""One request to the API server, as the client sends it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from feem.adapters.kubernetes.resources import ResourceType
from feem.ports import Body

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


@dataclass(frozen=True)
class Request:
    """One request: `verb` as RBAC names it, the HTTP method, and where to."""

    verb: str
    method: str
    type: ResourceType
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    query: tuple[tuple[str, str], ...] = ()
    body: Body | Sequence[Body] | None = None
    """An object; of a JSON patch (RFC 6902) its operations."""
    content_type: str = JSON
    accept: str = JSON
    timeout: float | None = None

    def __str__(self) -> str:
        place = "/".join(part for part in (self.namespace, self.name) if part)
        return " ".join(part for part in (self.verb, self.type.kind, place, self.subresource) if part)
