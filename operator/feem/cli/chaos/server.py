"""The API server, with the two further verbs that stopping chaos takes."""

from __future__ import annotations

from typing import Protocol

from kubernetes.client import ApiClient

from feem.adapters.kubernetes.resources import type_of
from feem.cli.cluster import ApiServer, Body, Cluster, connect

_MERGE = "application/merge-patch+json"


class Editable(Cluster, Protocol):
    """A cluster in which a person also changes and deletes what they may."""

    def merge(self, resource: str, namespace: str, name: str, patch: Body) -> Body:
        """Write some members of an object (RFC 7396) and return it as stored."""
        ...

    def delete(self, resource: str, namespace: str, name: str) -> None:
        """Delete an object."""
        ...


class EditingServer(ApiServer):
    """Implements Editable."""

    def __init__(self, api: ApiClient, namespace: str) -> None:
        super().__init__(api, namespace)
        self._merging = _Merging(ApiClient(api.configuration, "Content-Type", _MERGE), namespace)

    def merge(self, resource: str, namespace: str, name: str, patch: Body) -> Body:
        """Write some members of an object and return it as stored."""
        return self._merging.merge(resource, namespace, name, patch)

    def delete(self, resource: str, namespace: str, name: str) -> None:
        """Delete an object."""
        kind = type_of(resource)
        self._send("DELETE", kind.path(namespace, name), _what(resource, namespace, name))


class _Merging(ApiServer):
    """The same server over a client whose bodies are merge patches."""

    def merge(self, resource: str, namespace: str, name: str, patch: Body) -> Body:
        path = type_of(resource).path(namespace, name)
        return self._send("PATCH", path, _what(resource, namespace, name), body=patch)


def _what(resource: str, namespace: str, name: str) -> str:
    kind = type_of(resource).kind
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"


def connect_to_edit(kubeconfig: str | None, context: str | None, namespace: str | None) -> EditingServer:
    """Connect as `connect` does."""
    plain = connect(kubeconfig, context, namespace)
    return EditingServer(plain._api, plain.namespace)  # noqa: SLF001 - the same connection, with more verbs
