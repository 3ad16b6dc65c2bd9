"""Objects of FEEM's own that come into being once: a Release, a ChaosRun."""

from __future__ import annotations

from dataclasses import dataclass

from feem.adapters.kubernetes.errors import AlreadyExists
from feem.adapters.kubernetes.writer import Writer
from feem.api import API_VERSION
from feem.core.rollout.route import INTENT
from feem.ports import FINALIZER, Body


@dataclass(frozen=True)
class Owner:
    """The object of FEEM's API that goes with what it owns."""

    kind: str
    name: str
    uid: str


async def create_once(
    writer: Writer, resource: str, place: tuple[str, str], spec: Body, owner: Owner, intent: int
) -> None:
    """Create an object at `place` (namespace, name), marked with the number of the entry of the log that announced it.

    One of this name is the same object, made by an attempt whose answer was lost, or by another operator.
    """
    reference = {
        "apiVersion": API_VERSION,
        "kind": owner.kind,
        "name": owner.name,
        "uid": owner.uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }
    metadata = {
        "namespace": place[0],
        "name": place[1],
        "annotations": {INTENT: str(intent)},
        "ownerReferences": [reference],
        "finalizers": [FINALIZER],
    }
    try:
        await writer.create(resource, {"metadata": metadata, "spec": spec})
    except AlreadyExists:
        return
