"""`feem chaos list`: experiments with their schedules and results, runs, and what is halted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

import typer
from pydantic import ValidationError

from feem.api.experiment import ChaosExperiment
from feem.api.halt import ChaosHalt
from feem.cli.chaos.acts import EXPERIMENTS, HALTS, RUNS, run_of
from feem.cli.cluster import Cluster, connect
from feem.cli.options import Context, Kubeconfig, Namespace
from feem.cli.output import columns
from feem.cli.problem import Forbidden, Problem
from feem.view.chaos import listing as rows

Everywhere = Annotated[bool, typer.Option("--all-namespaces", "-A", help="All namespaces.")]


def list_chaos(
    *,
    namespace: Namespace = None,
    everywhere: Everywhere = False,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """List halts in force, experiments with when they come next and how they went, open runs, and those that ended last."""
    cluster = connect(kubeconfig, context, namespace)
    place = "" if everywhere else cluster.namespace
    for text in told(cluster, place, datetime.now(UTC)):
        typer.echo(text)


def told(cluster: Cluster, namespace: str, now: datetime) -> Iterator[str]:
    """Yield what there is to say about a namespace, or about all where it is empty. Raises Problem."""
    halts = list(_halts(cluster, namespace, now))
    yield from halts
    if halts:
        yield ""
    where = f"namespace {namespace}" if namespace else "this cluster"
    experiments = [_experiment(body) for body in cluster.list(EXPERIMENTS, namespace)]
    found = sorted(experiments, key=lambda one: (one.metadata.namespace, one.metadata.name))
    cells = [[*_place(one.metadata.namespace, namespace), *rows.experiment_row(one, now)] for one in found]
    yield columns([*_header(namespace), *rows.EXPERIMENTS], cells) if cells else f"No experiments in {where}."
    yield ""
    runs = rows.shown_runs([run_of(body) for body in cluster.list(RUNS, namespace)])
    cells = [[*_place(one.metadata.namespace, namespace), *rows.run_row(one, now)] for one in runs]
    yield columns([*_header(namespace), *rows.RUNS], cells) if cells else f"No runs in {where}."


def _halts(cluster: Cluster, namespace: str, now: datetime) -> Iterator[str]:
    try:
        found = [ChaosHalt.read(body) for body in cluster.list(HALTS)]
    except Forbidden:
        yield "Note: you may not list ChaosHalts, so it is not known here whether chaos is halted."
        return
    yield from rows.halts_of(found, namespace, now)


def _experiment(body: dict[str, object]) -> ChaosExperiment:
    try:
        return ChaosExperiment.read(body)
    except ValidationError as odd:
        first = odd.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Problem("ChaosExperiment", f"{where}: {first['msg']}", "use a feem of the operator's version") from odd


def _header(namespace: str) -> list[str]:
    return [] if namespace else ["NAMESPACE"]


def _place(own: str, namespace: str) -> list[str]:
    return [] if namespace else [own]
