"""`feem chaos …`: try experiments, watch them, stop all of it, and report on a game day."""

from __future__ import annotations

import typer

from feem.cli.chaos.begin import run
from feem.cli.chaos.halting import resume, stop
from feem.cli.chaos.listing import list_chaos
from feem.cli.chaos.reporting import report

chaos = typer.Typer(no_args_is_help=True, help="Try chaos experiments, stop them, and report on a game day.")
chaos.command("run")(run)
chaos.command("list")(list_chaos)
chaos.command("stop")(stop)
chaos.command("resume")(resume)
chaos.command("report")(report)
