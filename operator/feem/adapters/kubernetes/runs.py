"""Writes to an experiment's ChaosRuns."""

from __future__ import annotations

from feem.adapters.kubernetes.errors import AlreadyExists
from feem.adapters.kubernetes.writer import Writer
from feem.api import API_VERSION
from feem.core.chaos import effects as chaos
from feem.core.rollout.route import INTENT
from feem.ports import FINALIZER

RUNS = "chaosruns.feem.dev"


async def create_run(writer: Writer, effect: chaos.CreateRun, intent: int) -> None:
    """Create the run; one of this name is the same run, made by an attempt whose answer was lost, or by another operator."""
    owner = {
        "apiVersion": API_VERSION,
        "kind": effect.owner_kind,
        "name": effect.owner,
        "uid": effect.experiment_uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }
    metadata = {
        "namespace": effect.namespace,
        "name": effect.name,
        "annotations": {INTENT: str(intent)},
        "ownerReferences": [owner],
        "finalizers": [FINALIZER],
    }
    try:
        await writer.create(RUNS, {"metadata": metadata, "spec": effect.spec})
    except AlreadyExists:
        return


async def delete_run(writer: Writer, effect: chaos.DeleteRun) -> None:
    """Delete exactly this run; one that is gone, or another one of its name, is left alone."""
    body = writer.get(RUNS, effect.namespace, effect.name)
    if body is None or body["metadata"]["uid"] != effect.uid or body["metadata"].get("deletionTimestamp"):
        return
    await writer.delete(RUNS, body)
