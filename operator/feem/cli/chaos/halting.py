"""`feem chaos stop` and `resume`: one run ended, or all chaos halted, and nothing of a fault left when they return."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from feem.api.run import ChaosRun
from feem.cli.chaos.acts import HALTS, RUNS, ended_as, halt, lift, request_stop, run_of
from feem.cli.chaos.following import INTERVAL, follow
from feem.cli.chaos.server import Editable, connect_to_edit
from feem.cli.cluster import Cluster
from feem.cli.options import Context, Kubeconfig, Namespace
from feem.cli.problem import Forbidden, Problem, Unreachable
from feem.core.chaos.status import is_open, may_be_in_place, status_of
from feem.view.chaos.listing import place_of
from feem.view.release import duration

Run = Annotated[str | None, typer.Argument(metavar="[RUN]", help="The ChaosRun.", show_default=False)]
All = Annotated[bool, typer.Option("--all", help="Halt all chaos: every fault is taken back, and no run begins.")]
Namespaces = Annotated[
    str, typer.Option("--namespaces", help="With --all: only in these, comma-separated.", show_default=False)
]
Reason = Annotated[str, typer.Option("--reason", "-r", help="Why, for the audit log.", show_default=False)]
Timeout = Annotated[float, typer.Option("--timeout", help="Seconds to wait until faults are gone.", min=1)]


def stop(
    name: Run = None,
    *,
    reason: Reason,
    everything: All = False,
    namespaces: Namespaces = "",
    timeout: Timeout = 120,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Take a run's fault back now, or that of all runs with --all. Returns when nothing of it is in place any more."""
    if bool(name) == everything:
        raise Problem("feem chaos stop", "it needs a RUN or --all, and not both", "feem chaos list shows the runs")
    if namespaces and not everything:
        raise Problem("--namespaces", "it says where --all counts", "name the run's own namespace with -n")
    cluster = connect_to_edit(kubeconfig, context, namespace)
    if name:
        stop_one(cluster, name, reason, timeout)
    else:
        asked = tuple(part.strip() for part in namespaces.split(",") if part.strip())
        stop_all(cluster, reason, asked, timeout)


def resume(
    name: Annotated[str, typer.Argument(metavar="HALT", help="The ChaosHalt.")],
    *,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Let chaos go on: delete a ChaosHalt. Runs that it stopped do not begin again."""
    cluster = connect_to_edit(kubeconfig, context, None)
    lift(cluster, name)
    left = sorted(body["metadata"]["name"] for body in cluster.list(HALTS) if body["metadata"]["name"] != name)
    more = f" Other halts are still in force: {', '.join(left)}." if left else ""
    typer.echo(f"ChaosHalt {name} is gone: runs may begin again.{more}")


def stop_one(cluster: Editable, name: str, reason: str, timeout: float) -> None:
    """Stop a run and say what became of its fault. Raises Problem when it is not gone in time."""
    person, began = cluster.whoami(), time.monotonic()
    asked = request_stop(cluster, name, person, reason)
    what = f"ChaosRun {cluster.namespace}/{name}"
    if not is_open(asked):
        typer.echo(f"{what} is over already: {ended_as(asked)}. Nothing was to be stopped.")
        return
    by = asked.spec.stop.by if asked.spec.stop else person.name
    typer.echo(
        f"{what} is stopped by {by}" + ("." if by == person.name else f", who asked for it before {person.name}.")
    )
    found = follow(
        lambda: run_of(cluster.get(RUNS, cluster.namespace, name)),
        lambda _: None,
        deadline=began + timeout,
        until=_gone,
    )
    if not _gone(found):
        raise _not_gone(what, timeout, [found])
    status = status_of(found)
    if status.residue:
        left = "; ".join(status.residue)
        raise Problem(
            what, f"something of the fault is left: {left}", "remove it by hand; status.edits has what was before"
        )
    how = "The fault is gone, and nothing of it is left" if status.undone_at else "Nothing had been injected"
    typer.echo(f"{how}, after {time.monotonic() - began:.1f} s.")
    for text in status.kept:
        typer.echo(f"Left as somebody else wrote it meanwhile: {text}")


def stop_all(cluster: Cluster, reason: str, namespaces: tuple[str, ...], timeout: float) -> None:
    """Halt chaos, and wait until no run of the scope has a fault in place. Raises Problem when one has, after that time."""
    began = time.monotonic()
    name = halt(cluster, cluster.whoami(), reason, namespaces)
    typer.echo(f"ChaosHalt {name} is in force {place_of(namespaces)}: no run begins, every fault is taken back.")
    to_go_on = f"To let chaos go on: feem chaos resume {name}"
    try:
        had, left = _emptied(lambda: list(_in_place(cluster, namespaces)), began + timeout)
    except Forbidden as refused:
        text = f"the halt is in force, but you may not see the runs ({refused.reason})"
        raise Forbidden(
            f"ChaosHalt {name}", text, f"ask somebody who may whether faults are gone. {to_go_on}"
        ) from refused
    if left:
        problem = _not_gone(f"ChaosHalt {name}", timeout, left)
        raise Problem(problem.what, problem.reason, f"{problem.next_step}. {to_go_on}")
    runs = "no run had a fault" if not had else f"{had} run{'s' if had > 1 else ''} had a fault"
    typer.echo(f"{runs} in place; none has one now, after {time.monotonic() - began:.1f} s.")
    typer.echo(to_go_on)


def _emptied(look: Callable[[], list[ChaosRun]], deadline: float) -> tuple[int, list[ChaosRun]]:
    """Look until there are none; returns how many there were in all, and those that are left. A server that is away is waited for.

    Twice in a row there have to be none: a run may just have been about to begin when the halt was made.
    """
    seen, left, empty = set[str](), look(), 0
    while True:
        seen |= {run.metadata.uid or run.metadata.name for run in left}
        empty = 0 if left else empty + 1
        if empty == 2 or time.monotonic() >= deadline:
            return len(seen), left
        time.sleep(INTERVAL / 4)
        try:
            left = look()
        except Unreachable:
            empty = 0


def _in_place(cluster: Cluster, namespaces: Sequence[str]) -> Iterator[ChaosRun]:
    for namespace in namespaces or ("",):
        yield from (run for run in map(run_of, cluster.list(RUNS, namespace)) if may_be_in_place(run))


def _gone(run: ChaosRun) -> bool:
    """Whether nothing of the fault is in place, and nothing will be."""
    return not is_open(run) or status_of(run).undone_at is not None


def _not_gone(what: str, timeout: float, runs: Sequence[ChaosRun]) -> Problem:
    names = ", ".join(f"{run.metadata.namespace}/{run.metadata.name}" for run in runs)
    last = max((at for run in runs if (at := status_of(run).expires_at) is not None), default=None)
    text = f"after {duration(timeout)} the fault of {names} was not taken back yet"
    if not any(may_be_in_place(run) for run in runs):
        text = f"FEEM did not end {names} within {duration(timeout)}; nothing was injected so far"
    step = "see that the operator runs: kubectl get pods -n feem-system"
    if last is not None:
        step += f"; the reaper takes it back from {last.astimezone(UTC):%H:%M:%S} UTC on" + _passed(last)
    return Problem(what, text, step)


def _passed(at: datetime) -> str:
    return " (which has passed: see that it runs too)" if at < datetime.now(UTC) else ""
