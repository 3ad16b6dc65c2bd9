"""`feem chaos report`: a game day in one file, for reading, printing and proving."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from feem.api.run import ChaosRun
from feem.cli.chaos.acts import RUNS, run_of
from feem.cli.chaos.listing import Everywhere
from feem.cli.chaos.log import Found, looked_up
from feem.cli.cluster import Cluster, connect
from feem.cli.options import Context, Kubeconfig, Namespace
from feem.cli.problem import NotFound, Problem
from feem.cli.span import span
from feem.core.chaos.status import is_open, status_of
from feem.core.dossier.gameday import files_of, verify_gameday
from feem.core.dossier.gameday_text import readme_of
from feem.core.tlog.vkey import parse_keys
from feem.sample.build import write_zip
from feem.view.chaos.report.page import render

PROVEN = "Made by `feem chaos report`; every record, proof and signature was checked before it was written."

Names = Annotated[list[str] | None, typer.Argument(metavar="[RUN]…", help="ChaosRuns that are over.")]
Since = Annotated[
    str | None, typer.Option("--since", help="Instead: all that ended in this time, e.g. 8h or 7d.", show_default=False)
]
File = Annotated[
    Path | None, typer.Option("--file", "-f", "-o", help="Where to write.", show_default="gameday-DAY.zip")
]
From = Annotated[
    Path | None,
    typer.Option(
        "--from", help="The published log, when old entries are not in the cluster any more.", show_default=False
    ),
]


def report(
    names: Names = None,
    *,
    since: Since = None,
    file: File = None,
    source: From = None,
    namespace: Namespace = None,
    everywhere: Everywhere = False,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Write runs, what they proved and what the log has of them into one ZIP file, to be checked with `feem audit verify`."""
    if bool(names) == bool(since) or (names and everywhere):
        raise Problem(
            "feem chaos report", "it needs either RUNs or --since", "feem chaos report --since 7d -n NAMESPACE"
        )
    cluster = connect(kubeconfig, context, namespace)
    now = cluster.whoami().now
    runs = (
        _named(cluster, names) if names else _since(cluster, since or "", now, "" if everywhere else cluster.namespace)
    )
    found = looked_up(cluster, runs, source)
    files = _files(found)
    file = file or Path(f"gameday-{now:%Y-%m-%d}.zip")
    try:
        write_zip(file, files)
    except OSError as refused:
        raise Problem(f"file {file}", str(refused.strerror), "give another --file") from refused
    typer.echo(f"{len(runs)} runs, {len(files)} files: {file}. Read report.html in it.")
    if found.unproven:
        typer.echo(f"NOT PROVEN: {found.unproven}.", err=True)
    else:
        typer.echo(f"Check it anywhere with: feem audit verify {file} --keys KEYS")


def _files(found: Found) -> dict[str, bytes]:
    """Return the report's files, checked as whoever gets them will. Raises Problem."""
    day = found.day
    made = f"Made by `feem chaos report`. NOT PROVEN: {found.unproven}." if found.unproven else PROVEN
    html = render(day.told, day.figures, day.records, day.note, made)
    files = files_of(day, html, readme_of(day, found.unproven))
    if found.unproven:
        return files
    verdict = verify_gameday(files.get, list(files), parse_keys(day.keys))
    if not verdict.ok:
        step = "feem audit verify says whether the log is whole"
        raise Problem("the report of the game day", verdict.findings[0].message, step)
    return files


def _named(cluster: Cluster, names: Sequence[str]) -> list[ChaosRun]:
    runs = []
    for name in dict.fromkeys(names):
        try:
            run = run_of(cluster.get(RUNS, cluster.namespace, name))
        except NotFound as missing:
            raise NotFound(missing.what, missing.reason, f"feem chaos list -n {cluster.namespace}") from missing
        if is_open(run):
            text = "it is not over yet, so there is nothing to report"
            raise Problem(
                f"ChaosRun {cluster.namespace}/{name}", text, f"feem chaos stop {name} -n {cluster.namespace}"
            )
        runs.append(run)
    return runs


def _since(cluster: Cluster, since: str, now: datetime, namespace: str) -> list[ChaosRun]:
    try:
        begin = now - span(since)
    except Problem as odd:
        raise Problem(f"--since {since!r}", odd.reason, odd.next_step) from odd
    runs = [run_of(body) for body in cluster.list(RUNS, namespace)]
    found = [run for run in runs if (over := status_of(run).completed_at) is not None and over >= begin]
    where = f"namespace {namespace}" if namespace else "this cluster"
    if not found:
        raise Problem(where, f"no chaos run has ended in it in the last {since}", "feem chaos list -A shows all")
    still = ", ".join(sorted(run.metadata.name for run in runs if is_open(run)))
    if still:
        typer.echo(f"Left out, for they are not over yet: {still}", err=True)
    return found
