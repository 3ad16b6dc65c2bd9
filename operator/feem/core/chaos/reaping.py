"""When the reaper takes a fault back: it trusts nothing but what stands on the object, the runs, and the clock."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

from feem.api.halt import ChaosHalt
from feem.api.run import ChaosRun
from feem.core.chaos.edit import Mark
from feem.core.chaos.status import is_open, status_of
from feem.core.finalizer import FINALIZER

OPERATOR_FIRST = timedelta(seconds=2)
"""How long a ChaosHalt is left to the operator, which records what it does."""
SETTLED = timedelta(seconds=30)
"""How long after a run's end a mark may still be on its way off."""
LEFT_ALONE = timedelta(seconds=60)
"""How long a deleted run waits for the operator before its fault is taken back, and its finalizer goes."""


def why_now(mark: Mark, runs: Mapping[str, ChaosRun], halts: Iterable[ChaosHalt], now: datetime) -> str:
    """Say why a fault has to go now: Expired, Halted, RunGone or RunEnded; empty while it may stay."""
    if now >= mark.expires_at:
        return "Expired"
    for halt in halts:
        began = halt.metadata.creation_timestamp
        here = not halt.spec.namespaces or mark.namespace in halt.spec.namespaces
        if here and (began is None or not timedelta() <= now - began < OPERATOR_FIRST):
            return "Halted"
    run = runs.get(mark.run_uid)
    if run is None:
        return "RunGone"
    deleted = run.metadata.deletion_timestamp
    if deleted is not None and now - deleted >= LEFT_ALONE:
        return "RunGone"
    ended = status_of(run).completed_at
    if not is_open(run) and ended is not None and now - ended >= SETTLED:
        return "RunEnded"
    return ""


def is_worth_a_look(runs: Iterable[ChaosRun], halts: Iterable[ChaosHalt]) -> bool:
    """Whether some fault may be in place, or somebody wants all of them gone."""
    return any(True for _ in halts) or any(
        status_of(run).planned_at is not None and (is_open(run) or FINALIZER in run.metadata.finalizers) for run in runs
    )


def may_go(run: ChaosRun, carried: Collection[str], now: datetime) -> bool:
    """Whether a deleted run's finalizer may go: no object carries its fault, and no operator has come for it.

    `carried` are the UIDs of the runs whose label is on any object.
    """
    deleted = run.metadata.deletion_timestamp
    if deleted is None or FINALIZER not in run.metadata.finalizers or now - deleted < LEFT_ALONE:
        return False
    return run.metadata.uid not in carried
