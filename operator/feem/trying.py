"""What a leading operator runs for experiments: their schedules and their runs, in a loop of their own."""

from __future__ import annotations

from dataclasses import dataclass

from feem.controllers.chaos.experiment import ExperimentController
from feem.controllers.chaos.gather import Allowed, RunGatherer
from feem.controllers.chaos.judge import RunJudge
from feem.controllers.chaos.routing import CHAOS, EXPERIMENT
from feem.controllers.chaos.run import RunController
from feem.controllers.door import Door
from feem.ports import Clock, Cluster, Ledger, Metrics, Notes
from feem.ports.chaos import ChaosMeasurements, Faults, Probing
from feem.runtime.loop import Key, Reconcile
from feem.runtime.queue import Queue


@dataclass(frozen=True)
class Chaos:
    """What experiments need: a look at their targets, single values, and where they may run at all."""

    faults: Faults
    probing: Probing
    allowed: Allowed


@dataclass(frozen=True)
class Lab:
    """The ports that experiments share with releases, bound to something; `interval` is in seconds."""

    cluster: Cluster
    ledger: Ledger
    notes: Notes
    metrics: Metrics
    figures: ChaosMeasurements
    clock: Clock
    door: Door
    interval: float


def controllers_of(lab: Lab, chaos: Chaos) -> dict[str, Reconcile]:
    """Wire the controllers of experiments; returns them by kind of key."""
    judge = RunJudge(lab.metrics, lab.clock, lab.interval)
    gatherer = RunGatherer(
        lab.cluster,
        lab.ledger,
        lab.clock,
        faults=chaos.faults,
        probing=chaos.probing,
        judge=judge,
        allowed=chaos.allowed,
        interval=lab.interval,
    )
    runs = RunController(lab.cluster, lab.ledger, lab.notes, lab.figures, gatherer=gatherer, judge=judge, door=lab.door)
    experiments = ExperimentController(lab.cluster, lab.ledger, lab.notes, lab.clock, lab.door)

    async def run(key: Key) -> float | None:
        return await runs.reconcile(key.namespace, key.name)

    async def experiment(key: Key) -> float | None:
        return await experiments.reconcile(key.namespace, key.name)

    return {CHAOS: run, EXPERIMENT: experiment}


def handed_to(other: Queue[Key]) -> dict[str, Reconcile]:
    """Return what moves the keys of experiments to a queue of their own: a slow metrics server must keep no release."""

    async def move(key: Key) -> None:
        other.add(key)

    return dict.fromkeys((CHAOS, EXPERIMENT), move)
