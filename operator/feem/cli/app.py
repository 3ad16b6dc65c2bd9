"""All commands of `feem`."""

from __future__ import annotations

import importlib

import typer

from feem import __version__
from feem.cli.allow import add_acts
from feem.cli.audit import audit
from feem.cli.chaos import chaos
from feem.cli.decide import add_verbs
from feem.cli.evidence import evidence
from feem.cli.get import explain, get
from feem.cli.pack import release
from feem.cli.slo import slo
from feem.cli.watch import watch
from feem.cli.windows import windows

app = typer.Typer(
    name="feem",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Governed grey releases: see them, understand them, decide about them, verify their log.",
)
app.command()(get)
app.command()(watch)
app.command()(explain)
app.command()(windows)
add_verbs(app)
add_acts(app)
app.add_typer(audit, name="audit")
app.add_typer(chaos, name="chaos")
app.add_typer(evidence, name="evidence")
app.add_typer(release, name="release")
app.add_typer(slo, name="slo")


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(f"feem {__version__}")


@app.command()
def reaper() -> None:
    """Run the reaper, which takes back faults that no operator came for; it is told everything by FEEM_* variables."""
    code = importlib.import_module("feem.reaper").main()  # only the reaper needs its half of the program
    raise typer.Exit(code if isinstance(code, int) else 0)


@app.command()
def operator() -> None:
    """Run the operator; it is told everything by FEEM_* environment variables."""
    code = importlib.import_module("feem.app").main()  # only the operator needs its half of the program
    raise typer.Exit(code if isinstance(code, int) else 0)
