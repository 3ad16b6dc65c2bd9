"""Writing to the terminal or to a pipe."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import typer
from rich.console import Console, RenderableType

from feem.view.release import duration

PIPE_WIDTH = 160


def console() -> Console:
    """Return a console; into a pipe it writes plain text, wide enough that nothing is cut."""
    return Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)


def show(content: RenderableType) -> None:
    """Print a rendering; into a pipe without the padding that a terminal needs."""
    out = console()
    if out.is_terminal:
        out.print(content)
        return
    with out.capture() as captured:
        out.print(content)
    typer.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Line up columns as kubectl does."""
    lines = [list(header), *[list(row) for row in rows]]
    widths = [max(len(line[at]) for line in lines) for at in range(len(header))]
    return "\n".join(
        "   ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def age(body: dict[str, Any]) -> str:
    """Return how long ago an object was created, as kubectl says it."""
    created = datetime.fromisoformat(body["metadata"]["creationTimestamp"])
    return duration((datetime.now(UTC) - created).total_seconds())


def condition(body: dict[str, Any], kind: str, part: str = "reason") -> str:
    """Return a condition's reason (or message), empty when there is none."""
    for item in (body.get("status") or {}).get("conditions") or ():
        if item.get("type") == kind:
            return str(item.get(part) or "")
    return ""
