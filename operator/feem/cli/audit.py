"""`feem audit …`: read, export and verify the audit log."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from feem.adapters.kubernetes.resources import RECORDS
from feem.api import API_VERSION
from feem.cli.cluster import Body, connect
from feem.cli.options import Context, Kubeconfig, Namespace
from feem.cli.output import columns
from feem.cli.problem import Problem
from feem.core.audit.verify import Report, verify

audit = typer.Typer(no_args_is_help=True, help="Read, export and verify the audit log.")

File = Annotated[
    Path | None,
    typer.Option("--file", "-f", help="A log exported before; no cluster is needed.", show_default=False),
]


@audit.command("verify")
def verify_log(file: File = None, context: Context = None, kubeconfig: Kubeconfig = None) -> None:
    """Check every entry, the chain, and that each act has one outcome. Exit code 1: the log is damaged."""
    where = str(file) if file else "the cluster"
    records = read_file(file) if file else connect(kubeconfig, context, None).list(RECORDS)
    report = verify(in_order(records))
    typer.echo(told(report, where))
    if not report.ok:
        raise typer.Exit(1)


@audit.command("list")
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


@audit.command("export")
def export_log(
    file: Annotated[Path, typer.Option("--file", "-f", help="Where to write; - is standard output.")] = Path("-"),
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Write the whole log as JSON, to be verified elsewhere."""
    records = list(connect(kubeconfig, context, None).list(RECORDS))
    items = [{"metadata": {"name": item["metadata"]["name"]}, "spec": item["spec"]} for item in records]
    text = json.dumps(
        {"apiVersion": API_VERSION, "kind": "AuditRecordList", "items": items}, indent=1, ensure_ascii=False
    )
    if str(file) == "-":
        sys.stdout.write(text + "\n")
        return
    try:
        file.write_text(text + "\n", encoding="utf-8")
    except OSError as refused:
        raise Problem(f"file {file}", str(refused.strerror), "give another --file") from refused
    typer.echo(f"{len(items)} entries written to {file}; check them with: feem audit verify --file {file}")


def read_file(file: Path) -> list[Body]:
    """Read what `feem audit export`, or `kubectl get auditrecords -o json`, wrote."""
    next_step = "feem audit export --file FILE writes one"
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except OSError as missing:
        raise Problem(f"file {file}", str(missing.strerror), next_step) from missing
    except ValueError as broken:
        raise Problem(f"file {file}", f"it is not JSON: {broken}", next_step) from broken
    items = data.get("items") if isinstance(data, dict) else None
    if not isinstance(items, list) or not all(_is_record(item) for item in items):
        raise Problem(f"file {file}", "it is not a list of audit records", next_step)
    return items


def in_order(records: Iterable[Body]) -> list[tuple[str, Any]]:
    """Return (name, spec) by name, which is the order of the log."""
    return sorted(((item["metadata"]["name"], item.get("spec")) for item in records), key=lambda pair: pair[0])


def told(report: Report, where: str) -> str:
    """Say what was verified, or which entry is the first bad one."""
    if not report.entries:
        return f"The audit log in {where} is empty."
    last = report.first + report.entries - 1
    lines = [f"{report.entries} audit entries read from {where}, from {report.first} on."]
    if report.ok:
        lines = [f"Verified {report.entries} audit entries in {where}: {report.first} to {last}."]
        lines.append("Each entry is as it was written and follows the one before; no act has two outcomes.")
    else:
        bad = report.first_bad
        lines.append(f"DAMAGED, first at entry {bad.index if bad else '?'}:")
        lines += [f"  {finding.index}: {finding.fault}: {finding.message}" for finding in report.findings[:20]]
        if len(report.findings) > 20:
            lines.append(f"  … and {len(report.findings) - 20} more")
    if report.open_intents:
        shown = ", ".join(str(index) for index in report.open_intents[:10])
        lines.append(f"Acts without an outcome yet: {len(report.open_intents)} ({shown}).")
    lines += [f"Note: {remark}." for remark in report.remarks]
    lines.append(f"Head: {report.head}  (compare it with one noted elsewhere: a cut-off end shows nowhere else)")
    return "\n".join(lines)


def _is_record(item: Any) -> bool:
    return isinstance(item, dict) and isinstance((item.get("metadata") or {}).get("name"), str)


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
