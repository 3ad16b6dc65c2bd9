"""`feem audit list` and `show`: entries as rows, and one of them in full."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from feem.adapters.kubernetes.resources import RECORDS
from feem.cli.cluster import Body, connect
from feem.cli.options import Context, Kubeconfig, Namespace
from feem.cli.output import columns
from feem.core.audit.record import name_of


def list_log(
    release: Annotated[str | None, typer.Option("--release", help="Only entries about this Release.")] = None,
    namespace: Namespace = None,
    last: Annotated[int, typer.Option("--last", help="Only the newest N entries; 0 means all.", min=0)] = 0,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """List entries, oldest first."""
    cluster = connect(kubeconfig, context, namespace)
    specs = [record["spec"] for record in cluster.list(RECORDS)]
    if release:
        about = ("Release", cluster.namespace, release)
        specs = [spec for spec in specs if _subject(spec) == about]
    elif namespace:
        specs = [spec for spec in specs if _subject(spec)[1] == namespace]
    rows = [_row(spec) for spec in (specs[-last:] if last else specs)]
    if not rows:
        typer.echo("No entries.", err=True)
        return
    typer.echo(columns(["INDEX", "TIME", "PART", "ACTION", "SUBJECT", "REASON", "ACTOR", "MESSAGE"], rows))


def show_entry(
    index: Annotated[int, typer.Argument(help="The entry.", min=0)],
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Show one entry in full, with the outcome of an act or the act of an outcome."""
    cluster = connect(kubeconfig, context, None)
    spec = cluster.get(RECORDS, "", name_of(index))["spec"]
    typer.echo(json.dumps(spec, indent=2, ensure_ascii=False))
    if spec["part"] == "Outcome":
        typer.echo(f"It ends the act announced by entry {spec['intent']}: feem audit show {spec['intent']}")
    elif spec["part"] == "Intent":
        ended = next((item["spec"] for item in cluster.list(RECORDS) if item["spec"].get("intent") == index), None)
        end = (
            f"{ended['reason']}, by entry {ended['index']} at {ended['time'][:19]}"
            if ended
            else "without an outcome yet"
        )
        typer.echo(f"The act is {'ended: ' if ended else ''}{end}")


def _subject(spec: Body) -> tuple[str, str, str]:
    subject = spec["subject"]
    return subject["kind"], subject.get("namespace") or "", subject["name"]


def _row(spec: Body) -> list[str]:
    kind, namespace, name = _subject(spec)
    place = f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"
    part = f"Outcome of {spec['intent']}" if spec["part"] == "Outcome" else spec["part"]
    said = spec.get("message") or "; ".join(spec.get("effects") or ())
    return [
        str(spec["index"]),
        spec["time"][:19],
        part,
        spec["action"],
        place,
        spec.get("reason") or "",
        spec["actor"],
        said,
    ]
