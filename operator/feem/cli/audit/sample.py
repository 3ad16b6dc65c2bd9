"""`feem audit sample`: a published log and an evidence pack to try verifiers with, made without a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from feem.cli.problem import Problem
from feem.sample.build import HELD, PACK, write


def sample(
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder to make; it must be empty or not there.")],
    entries: Annotated[
        int, typer.Option("--entries", help="Length of the log, at least.", min=24, max=1_000_000)
    ] = 600,
    proofs: Annotated[
        int, typer.Option("--proofs", help="How many entries get a proof of their own.", min=1, max=100)
    ] = 3,
) -> None:
    """Write a sample: `log/` as tiles, `keys.txt`, an earlier checkpoint, proofs, and the evidence pack of a scripted release."""
    try:
        made = write(out, entries, proofs)
    except FileExistsError as there:
        raise Problem(f"folder {out}", "it is not empty", "give another --out") from there
    except OSError as refused:
        raise Problem(f"folder {out}", str(refused.strerror), "give another --out") from refused
    typer.echo(
        f"{made.tree.size} entries are in {out}/log, proofs in {out}/proofs, the pack is {out}/{PACK}. Check them with:"
    )
    typer.echo(f"  feem audit verify {out}/log --keys {out}/keys.txt --held {out}/{HELD}")
    typer.echo(f"  feem audit verify {out}/{PACK} --keys {out}/keys.txt")
