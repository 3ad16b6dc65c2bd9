"""Container images: the stack's own are written without any container tool, Dockerfiles are built without a registry."""

from __future__ import annotations

from e2e.cluster.images.building import build
from e2e.cluster.images.loading import load
from e2e.cluster.images.making import ensure

__all__ = ["build", "ensure", "load"]
