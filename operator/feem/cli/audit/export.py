"""`feem audit export`: the whole log for somebody else, as a bundle with proofs in it or as plain JSON."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path
from typing import Annotated

import typer

from feem.adapters.kubernetes.resources import RECORDS
from feem.api import API_VERSION
from feem.cli.audit.published import checked, entries_of, needed_head
from feem.cli.audit.source import opened
from feem.cli.cluster import ApiServer, connect
from feem.cli.options import Context, Kubeconfig
from feem.cli.problem import Problem
from feem.core.audit.published import CHECKPOINT, KEYS
from feem.core.tlog.layout import Layout

MANY = 10_000
"""From so many entries on, progress is shown."""
LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The time of all members of a ZIP file, so that equal logs are equal files."""


def export_log(
    file: Annotated[
        Path,
        typer.Option(
            "--file", "-f", help="Where to write: a bundle when the name ends in .zip, else JSON; - is standard output."
        ),
    ] = Path("-"),
    source: Annotated[
        Path | None, typer.Option("--from", help="A published directory, instead of the cluster.", show_default=False)
    ] = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Write the log to one file, to be verified elsewhere: `feem audit verify FILE` needs no cluster."""
    try:
        if source is not None:
            count = _packed(source, file)
        else:
            cluster = connect(kubeconfig, context, None)
            count = _bundle(cluster, file) if file.suffix == ".zip" else _json(cluster, file)
    except OSError as refused:
        raise Problem(f"file {file}", str(refused.strerror), "give another --file") from refused
    if str(file) != "-":
        check = f"feem audit verify {file}" if file.suffix == ".zip" else f"feem audit verify --file {file}"
        typer.echo(f"{count} written to {file}; check them with: {check}")


def write_member(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    """Put a file into an archive, always the same way."""
    archive.writestr(zipfile.ZipInfo(name, LONG_AGO), data, zipfile.ZIP_DEFLATED)


def _bundle(cluster: ApiServer, file: Path) -> str:
    head, layout = needed_head(cluster), Layout()
    with zipfile.ZipFile(file, "w") as archive:
        for entry in entries_of(cluster, head.size):
            for name, data in layout.add(entry):
                write_member(archive, name, data)
                if head.size > MANY:
                    typer.echo(f"\r{layout.tree.size:,} of {head.size:,} entries", err=True, nl=False)
        checked(layout.tree, head)
        for name, data in layout.finish():
            write_member(archive, name, data)
        write_member(archive, CHECKPOINT, head.note.encode())
        write_member(archive, KEYS, head.keys.encode())
    if head.size > MANY:
        typer.echo("", err=True)
    return f"{head.size} entries with their signed checkpoint"


def _packed(source: Path, file: Path) -> str:
    """Pack the files that the checkpoint of a published directory needs."""
    if file.suffix != ".zip":
        raise Problem(
            f"file {file}", "a published directory is exported as a bundle", "give a --file that ends in .zip"
        )
    with opened(source) as found, zipfile.ZipFile(file, "w") as archive:
        names = [name for name in found.names if name in (CHECKPOINT, KEYS) or name.startswith("tile/")]
        if CHECKPOINT not in names:
            raise Problem(
                f"directory {source}", "it has no checkpoint: it is no published log", "give the directory of the log"
            )
        for name in names:
            write_member(archive, name, found.read(name) or b"")
    return f"{len(names)} files of the published log"


def _json(cluster: ApiServer, file: Path) -> str:
    items = [{"metadata": {"name": item["metadata"]["name"]}, "spec": item["spec"]} for item in cluster.list(RECORDS)]
    text = json.dumps(
        {"apiVersion": API_VERSION, "kind": "AuditRecordList", "items": items}, indent=1, ensure_ascii=False
    )
    if str(file) == "-":
        sys.stdout.write(text + "\n")
    else:
        file.write_text(text + "\n", encoding="utf-8")
    return f"{len(items)} entries"
