"""The pods and images of a release, read from its Deployments and ReplicaSets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from feem.api.release import Release
from feem.core.digest import template_digest
from feem.view.release import ImageChange, TrackView

Body = dict[str, Any]


def tracks_of(
    replica_sets: Sequence[Body], canary: Body | None, release: Release, weight: int, *, promoted: bool
) -> tuple[TrackView, ...]:
    """Return the pods of stable, canary and, from promotion on, the new version; what has none is left out."""
    tracks: list[TrackView] = []
    stable = _named(replica_sets, release.spec.stable.replica_set)
    new = _carrying(replica_sets, release)
    if stable is not None and (_desired(stable) or not promoted):
        tracks.append(_track("stable", "ReplicaSet", stable, 100 - weight))
    if canary is not None:
        tracks.append(_track("canary", "Deployment", canary, weight))
    if new is not None and new is not stable and _desired(new):
        tracks.append(_track("new", "ReplicaSet", new, 100 if promoted and canary is None else None))
    return tuple(tracks)


def _track(name: str, kind: str, body: Body, weight: int | None) -> TrackView:
    containers = body["spec"]["template"]["spec"]["containers"]
    return TrackView(
        name=name,
        workload=f"{kind} {body['metadata']['name']}",
        ready=int((body.get("status") or {}).get("readyReplicas") or 0),
        desired=_desired(body),
        weight=weight,
        images=tuple(str(container.get("image", "")) for container in containers),
    )


def _desired(body: Body) -> int:
    replicas = body["spec"].get("replicas")
    return 1 if replicas is None else int(replicas)


def _named(bodies: Iterable[Body], name: str) -> Body | None:
    return next((body for body in bodies if body["metadata"]["name"] == name), None)


def _carrying(replica_sets: Iterable[Body], release: Release) -> Body | None:
    digest = release.spec.template_digest
    return next((body for body in replica_sets if template_digest(body["spec"]["template"]) == digest), None)


def images_of(release: Release, replica_sets: Iterable[Body]) -> Iterable[ImageChange]:
    """Return each container's image before (from the stable ReplicaSet, if it is still there) and after."""
    stable = _named(replica_sets, release.spec.stable.replica_set)
    containers = stable["spec"]["template"]["spec"]["containers"] if stable else []
    before = {container["name"]: str(container.get("image", "")) for container in containers}
    for item in release.spec.images:
        yield ImageChange(item.name, before.get(item.name, ""), item.image)
