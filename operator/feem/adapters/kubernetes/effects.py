"""Carries out the writes a rollout asks for: each one looks first, and writes only what is not so yet."""

from __future__ import annotations

from feem.adapters.kubernetes import archive, canary_objects, faults, runs, traffic, undo, workload
from feem.adapters.kubernetes.writer import Writer
from feem.core.chaos import acts
from feem.core.chaos import effects as chaos
from feem.core.effects import AnyEffect
from feem.core.rollout import effects as rollout


async def perform(writer: Writer, effect: AnyEffect, intent: int) -> None:  # noqa: C901, PLR0912 - one line a kind of effect
    """Carry out one effect; raises Conflict, Unavailable or Refused."""
    match effect:
        case rollout.Govern():
            await workload.govern(writer, effect)
        case rollout.Ungovern():
            await workload.ungovern(writer, effect)
        case rollout.CreateRelease():
            await workload.create_release(writer, effect, intent)
        case rollout.PinService():
            await traffic.pin(writer, effect)
        case rollout.UnpinService():
            await traffic.unpin(writer, effect)
        case rollout.ApplyCanary():
            await canary_objects.apply(writer, effect, intent)
        case rollout.DeleteCanary():
            await canary_objects.remove(writer, effect)
        case rollout.SetWeight():
            await traffic.set_weight(writer, effect, intent)
        case rollout.RestoreRoute():
            await traffic.restore_route(writer, effect)
        case rollout.Unpause():
            await workload.unpause(writer, effect)
        case rollout.SettleDeployment():
            await workload.settle(writer, effect)
        case rollout.Pause():
            await workload.pause(writer, effect)
        case rollout.UndoTemplate():
            await undo.undo_template(writer, effect)
        case rollout.EndUndo():
            await undo.end_undo(writer, effect)
        case rollout.KeepEvidence():
            await archive.keep(writer, effect)
        case chaos.CreateRun():
            await runs.create_run(writer, effect, intent)
        case chaos.DeleteRun():
            await runs.delete_run(writer, effect)
        case acts.InjectFault():
            await faults.inject(writer, effect)
        case acts.UndoFault():
            await faults.take_back(writer, effect)
