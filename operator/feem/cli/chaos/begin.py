"""`feem chaos run`: an experiment tried now, by hand, and followed until it is over."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from feem.api.base import ConditionStatus
from feem.api.experiment import ChaosExperiment
from feem.api.run import ChaosRun
from feem.cli.chaos.acts import RUNS, begin, experiment_named, run_of
from feem.cli.chaos.following import follow
from feem.cli.cluster import Cluster, connect
from feem.cli.options import Context, Kubeconfig, Namespace
from feem.cli.problem import Problem
from feem.core.chaos.status import PROGRESSING, is_open, result_of, status_of
from feem.core.conditions import find
from feem.view.release import duration

CODES = {"Passed": 0, "Failed": 1, "Aborted": 3, "Skipped": 3, "Error": 4}
"""Exit codes of results; 2 is for problems, as everywhere."""
INTERRUPTED = 130

Experiment = Annotated[str, typer.Argument(metavar="EXPERIMENT", help="The ChaosExperiment.")]
Reason = Annotated[str, typer.Option("--reason", "-r", help="Why, for the audit log.", show_default=False)]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Follow the run until it is over.")]
Timeout = Annotated[float, typer.Option("--timeout", help="Seconds to follow it at most; 0: until it is over.", min=0)]


def run(
    experiment: Experiment,
    *,
    reason: Reason = "",
    wait: Wait = True,
    timeout: Timeout = 0,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Try an experiment now. Exit code 0: passed; 1: failed; 3: aborted or skipped; 4: error; 2: it could not be tried or followed."""
    cluster = connect(kubeconfig, context, namespace)
    found = experiment_named(cluster, experiment)
    _refuse_unusable(found)
    made = begin(cluster, found, cluster.whoami(), reason)
    typer.echo(f"ChaosRun {cluster.namespace}/{made.metadata.name} was created by {made.spec.requested_by}.")
    if not wait:
        typer.echo(f"See how it goes: kubectl get chaosrun {made.metadata.name} -n {cluster.namespace} --watch")
        return
    try:
        ended = follow(
            lambda: _look(cluster, made), typer.echo, deadline=time.monotonic() + timeout if timeout else None
        )
    except KeyboardInterrupt:
        typer.echo(f"\nThe run goes on. To stop it: {_stop(cluster, made)}", err=True)
        raise typer.Exit(INTERRUPTED) from None
    if is_open(ended):
        state = find(status_of(ended).conditions, PROGRESSING)
        text = f"it was not over after {duration(timeout)}{f': {state.reason}, {state.message}' if state else ''}"
        raise Problem(f"ChaosRun {cluster.namespace}/{made.metadata.name}", text, f"to stop it: {_stop(cluster, made)}")
    typer.echo(f"For the record: feem chaos report {made.metadata.name} -n {cluster.namespace}")
    raise typer.Exit(CODES.get(result_of(ended), CODES["Error"]))


def _look(cluster: Cluster, made: ChaosRun) -> ChaosRun:
    return run_of(cluster.get(RUNS, made.metadata.namespace, made.metadata.name))


def _stop(cluster: Cluster, made: ChaosRun) -> str:
    return f'feem chaos stop {made.metadata.name} -n {cluster.namespace} --reason "…"'


def _refuse_unusable(experiment: ChaosExperiment) -> None:
    """Raise Problem for an experiment that FEEM has refused as it is written now."""
    meta = experiment.metadata
    found = find(experiment.status.conditions, "Accepted") if experiment.status else None
    if found is None or found.status is not ConditionStatus.FALSE or found.observed_generation != meta.generation:
        return
    what = f"ChaosExperiment {meta.namespace}/{meta.name}"
    raise Problem(what, f"it cannot be used: {found.message}", f"correct it: kubectl edit chaos {meta.name}")
