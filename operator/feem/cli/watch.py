"""`feem watch`: a release as it happens, until it ends."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from feem.cli.cluster import connect
from feem.cli.gathering import Gathering, find_release
from feem.cli.options import Context, Kubeconfig, Namespace, ReleaseName
from feem.cli.output import console
from feem.cli.problem import NotFound, Problem, Unreachable
from feem.view.explanation import one_line
from feem.view.release import ReleaseTree, duration
from feem.view.tree import render

INTERVAL = 1.0
"""Seconds between two looks."""


def watch(
    name: ReleaseName,
    namespace: Namespace = None,
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds to watch at most; 0 means until it ends.")] = 0,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Follow a release until it ends. Exit code 0: promoted; 1: any other end; 2: it could not be watched."""
    cluster = connect(kubeconfig, context, namespace)
    release = find_release(cluster, cluster.namespace, name)["metadata"]["name"]
    gathering = Gathering(cluster, cluster.namespace, release)
    deadline = time.monotonic() + timeout if timeout > 0 else None
    live = sys.stdout.isatty()
    tree = _on_terminal(gathering, deadline) if live else follow(gathering.tree, typer.echo, deadline=deadline)
    if not tree.ended:
        raise Problem(
            f"Release {tree.namespace}/{tree.name}",
            f"it had not ended after {duration(timeout)}: {one_line(tree)}",
            f"feem explain {tree.name} -n {tree.namespace}",
        )
    raise typer.Exit(0 if tree.promoted else 1)


def follow(
    look: Callable[[], ReleaseTree],
    say: Callable[[str], None],
    *,
    deadline: float | None = None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> ReleaseTree:
    """Say one line a change until the release ends or the deadline has passed; a server that is away is waited for."""
    said, silent, tree = "", False, look()
    while True:
        line = one_line(tree)
        if line != said:
            said = line
            say(f"{tree.now.astimezone(UTC).strftime('%H:%M:%S')} {line}")
        if tree.ended or (deadline is not None and clock() >= deadline):
            return tree
        sleep(INTERVAL)
        try:
            tree, silent = look(), False
        except Unreachable as away:
            if not silent:
                say(f"{datetime.now(UTC).strftime('%H:%M:%S')} {away.what}: {away.reason}; trying again")
            silent = True
        except NotFound as gone:
            raise Problem(gone.what, "it was deleted while it was watched") from gone


def _on_terminal(gathering: Gathering, deadline: float | None) -> ReleaseTree:
    out = console()
    with Live(console=out, auto_refresh=False) as live:
        latest = gathering.tree()

        def look() -> ReleaseTree:
            nonlocal latest
            try:
                latest = gathering.tree()
            except Unreachable as away:
                note: RenderableType = Text(f"{away.what}: {away.reason}; trying again", style="yellow")
                live.update(Group(render(latest), note), refresh=True)
                raise
            live.update(render(latest), refresh=True)
            return latest

        return follow(look, lambda _line: None, deadline=deadline)
