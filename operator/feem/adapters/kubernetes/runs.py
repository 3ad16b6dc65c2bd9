"""Writes to an experiment's ChaosRuns."""

from __future__ import annotations

from feem.adapters.kubernetes.announced import Owner, create_once
from feem.adapters.kubernetes.writer import Writer
from feem.core.chaos import effects as chaos

RUNS = "chaosruns.feem.dev"


async def create_run(writer: Writer, effect: chaos.CreateRun, intent: int) -> None:
    """Create the run."""
    owner = Owner(effect.owner_kind, effect.owner, effect.experiment_uid)
    await create_once(writer, RUNS, (effect.namespace, effect.name), effect.spec, owner, intent)


async def delete_run(writer: Writer, effect: chaos.DeleteRun) -> None:
    """Delete exactly this run; one that is gone, or another one of its name, is left alone."""
    body = writer.get(RUNS, effect.namespace, effect.name)
    if body is None or body["metadata"]["uid"] != effect.uid or body["metadata"].get("deletionTimestamp"):
        return
    await writer.delete(RUNS, body)
