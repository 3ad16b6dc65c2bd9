"""Reads Kubernetes objects into the views a decision is made from. Pure: bodies in, frozen dataclasses out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from feem.api.decision import Decision, Verb
from feem.core.digest import HASH_LABEL, template_digest
from feem.core.rollout.mark import parse_undo
from feem.core.rollout.snapshot import Canary, Directives, Revision, Workload

Body = dict[str, Any]

GOVERNED_LABEL = "feem.dev/governed"
PROMOTING_LABEL = "feem.dev/promoting"
UNDO = "feem.dev/undo"
TRACK_LABEL = "feem.dev/track"
RELEASE_LABEL = "feem.dev/release"
REQUESTED_BY = "feem.dev/requested-by"
TEMPLATE_DIGEST = "feem.dev/template-digest"
REVISION = "deployment.kubernetes.io/revision"


def workload_of(body: Body | None) -> Workload | None:
    """Read the governed Deployment."""
    if body is None:
        return None
    metadata, spec, status = body["metadata"], body["spec"], body.get("status") or {}
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    template = spec["template"]
    return Workload(
        name=metadata["name"],
        generation=metadata.get("generation", 1),
        template_digest=template_digest(template),
        replicas=spec.get("replicas", 1),
        paused=bool(spec.get("paused")),
        settled=_settled(metadata, spec, status),
        promoting=PROMOTING_LABEL in labels,
        governed_by=labels.get(GOVERNED_LABEL, ""),
        requested_by=annotations.get(REQUESTED_BY, ""),
        images=tuple((item["name"], item.get("image", "")) for item in _containers(template["spec"])),
        recreates=(spec.get("strategy") or {}).get("type") == "Recreate",
        stuck=_stuck(status),
        deleting=metadata.get("deletionTimestamp") is not None,
        undo=parse_undo(annotations.get(UNDO)),
    )


def revisions_of(bodies: Iterable[Body]) -> tuple[Revision, ...]:
    """Read the ReplicaSets of a Deployment, oldest first."""
    found = [
        Revision(
            name=body["metadata"]["name"],
            template_digest=template_digest(body["spec"]["template"]),
            pod_template_hash=(body["metadata"].get("labels") or {}).get(HASH_LABEL, ""),
            number=int((body["metadata"].get("annotations") or {}).get(REVISION, "0")),
            replicas=(body.get("status") or {}).get("replicas", 0),
        )
        for body in bodies
    ]
    return tuple(sorted(found, key=lambda revision: revision.number))


def canary_of(body: Body | None, replica_sets: Sequence[Body]) -> Canary | None:
    """Read the canary Deployment; somebody else's Deployment of that name is none.

    Its template never changes, so `ready` is true whatever generation the controller has seen; that pods are gone counts only
    once it has seen the latest.
    """
    if body is None or not is_canary(body):
        return None
    metadata, spec, status = body["metadata"], body["spec"], body.get("status") or {}
    seen = status.get("observedGeneration", 0) >= metadata.get("generation", 1)
    newest = max(revisions_of(replica_sets), key=lambda revision: revision.number, default=None)
    return Canary(
        release=(metadata.get("labels") or {}).get(RELEASE_LABEL, ""),
        template_digest=(metadata.get("annotations") or {}).get(TEMPLATE_DIGEST, ""),
        replicas=spec.get("replicas", 1),
        ready=status.get("availableReplicas", 0),
        pods=status.get("replicas", 0) if seen else max(1, status.get("replicas", 0)),
        replica_set=newest.name if newest else "",
        stuck=_stuck(status) if seen else "",
    )


def is_canary(body: Body) -> bool:
    """Whether a Deployment or Service was made by FEEM for a release."""
    return (body["metadata"].get("labels") or {}).get(TRACK_LABEL) == "canary"


def directives_of(decisions: Iterable[Decision]) -> Directives:
    """Fold what people decided about one release, in the order of creation; a later Resume or Promote lifts a Pause."""
    paused = abort = promote = retry = False
    for decision in sorted(decisions, key=lambda item: (str(item.metadata.creation_timestamp), item.metadata.name)):
        match decision.spec.verb:
            case Verb.PAUSE:
                paused = True
            case Verb.RESUME:
                paused = False
            case Verb.PROMOTE:
                paused, promote = False, True
            case Verb.ABORT:
                abort = True
            case Verb.RETRY:
                retry = True
    return Directives(paused=paused, abort=abort, promote=promote, retry=retry)


def _containers(pod: Body) -> list[Body]:
    """Everything that brings an image: containers that run before the others bring one as well."""
    return [*(pod.get("containers") or ()), *(pod.get("initContainers") or ())]


def _settled(metadata: Body, spec: Body, status: Body) -> bool:
    """Whether the rolling update is complete, as `kubectl rollout status` sees it, with every pod available."""
    if status.get("observedGeneration", 0) < metadata.get("generation", 1):
        return False
    desired = spec.get("replicas", 1)
    counts = (status.get(key, 0) for key in ("updatedReplicas", "replicas", "availableReplicas"))
    return all(count == desired for count in counts)


def _stuck(status: Body) -> str:
    """The Deployment controller's sentence when the progress deadline has passed."""
    for item in status.get("conditions") or ():
        if item.get("type") == "Progressing" and item.get("reason") == "ProgressDeadlineExceeded":
            return str(item.get("message") or "ProgressDeadlineExceeded")
    return ""
