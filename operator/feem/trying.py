"""What a leading operator runs for experiments: their schedules and their runs."""

from __future__ import annotations

from feem.controllers.chaos.experiment import ExperimentController
from feem.controllers.chaos.gather import RunGatherer
from feem.controllers.chaos.judge import RunJudge
from feem.controllers.chaos.routing import CHAOS, EXPERIMENT
from feem.controllers.chaos.run import RunController
from feem.controllers.door import Door
from feem.ports import Ledger
from feem.runtime.loop import Reconcile, by_name
from feem.world import World


def controllers_of(world: World, ledger: Ledger, door: Door, interval: float) -> dict[str, Reconcile]:
    """Wire the controllers of experiments, which look at open runs every `interval` seconds; returns them by kind of key."""
    cluster, clock = world.cluster, world.clock
    judge = RunJudge(world.metrics, clock, interval)
    gatherer = RunGatherer(
        cluster,
        ledger,
        clock,
        faults=world.chaos.faults,
        probing=world.chaos.probing,
        judge=judge,
        allowed=world.chaos.allowed,
        interval=interval,
    )
    figures = world.measurements.chaos
    runs = RunController(cluster, ledger, world.notes, figures, gatherer=gatherer, judge=judge, door=door)
    experiments = ExperimentController(cluster, ledger, world.notes, clock, door)
    return {CHAOS: by_name(runs.reconcile), EXPERIMENT: by_name(experiments.reconcile)}
