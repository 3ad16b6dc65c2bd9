"""The Release that a held change asks for: its name and everything it freezes."""

from __future__ import annotations

from typing import Any

from feem.api.release import Release
from feem.api.service import StableRevision
from feem.core.rollout.effects import CreateRelease
from feem.core.rollout.snapshot import ServiceSnapshot, Workload


def request(
    s: ServiceSnapshot, workload: Workload, stable: StableRevision, tried: Release | None
) -> tuple[CreateRelease, str]:
    """Return the Release of the held change, and who asked for it in a sentence; `tried` is the attempt that a Retry repeats."""
    attempt = tried.spec.attempt + 1 if tried is not None else 1
    meta = s.service.metadata
    name = release_name(meta.name, workload.generation, attempt, workload.template_digest, s.releases)
    spec: dict[str, Any] = {
        **(s.release_spec or {}),
        "service": meta.name,
        "deployment": workload.name,
        "deploymentGeneration": workload.generation,
        "attempt": attempt,
        "templateDigest": workload.template_digest,
        "images": [{"name": container, "image": image} for container, image in workload.images],
        "requestedBy": workload.requested_by,
        "stable": stable.wire(),
    }
    who = workload.requested_by or "somebody (no admission policy told who)"
    text = f"{who} changed Deployment {workload.name}; release {name} is requested"
    return CreateRelease(meta.namespace, name, meta.uid, spec), text


def release_name(service: str, generation: int, attempt: int, digest: str, releases: tuple[Release, ...]) -> str:
    """Name a release after the Deployment's generation, so that creating it twice is creating it once.

    A Deployment that was deleted and made anew counts its generations again: then a part of the digest tells the two apart.
    """
    suffix = f"-r{attempt}" if attempt > 1 else ""
    name = f"{service}-{generation}{suffix}"
    if any(item.metadata.name == name for item in releases):
        return f"{service}-{generation}-{digest[7:12]}{suffix}"
    return name
