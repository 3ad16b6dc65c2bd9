"""Which services a window is for."""

from __future__ import annotations

from feem.api.service import ManagedService
from feem.api.window import ChangeWindow


def applies(window: ChangeWindow, service: ManagedService) -> bool:
    """Whether a window is for this service: it is in one of the scope's namespaces and has all of its labels."""
    scope, meta = window.spec.scope, service.metadata
    if scope is None:
        return True
    here = not scope.namespaces or meta.namespace in scope.namespaces
    return here and all(meta.labels.get(key) == value for key, value in scope.match_labels.items())
