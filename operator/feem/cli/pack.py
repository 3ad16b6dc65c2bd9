"""`feem release evidence`: everything that proves a release, in one file."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from feem.adapters.kubernetes.archive import KEY
from feem.adapters.kubernetes.resources import CONFIGMAPS, RELEASES
from feem.api.release import Release, ReleaseStatus
from feem.cli.audit.published import Signed, checked, entries_of, needed_head
from feem.cli.audit.source import Source, opened
from feem.cli.cluster import ApiServer, connect
from feem.cli.options import Context, Kubeconfig, Namespace
from feem.cli.problem import Problem
from feem.core.audit.published import CHECKPOINT, KEYS
from feem.core.dossier.making import Contents, Proven, files_of
from feem.core.dossier.pack import verify_pack
from feem.core.dossier.selecting import about
from feem.core.tlog.checkpoint import parse_checkpoint
from feem.core.tlog.merkle import leaf_hash
from feem.core.tlog.note import NoteError, parse_note
from feem.core.tlog.proof import Proof
from feem.core.tlog.signing import CheckpointError, open_checkpoint
from feem.core.tlog.tile import WIDTH, bundles_for, entries_path, unpack_entries
from feem.core.tlog.tree import Tree
from feem.core.tlog.vkey import parse_keys
from feem.sample.build import write_zip
from feem.view.report.page import render

release = typer.Typer(no_args_is_help=True, help="Releases that have ended: the evidence of one, in one file.")

VERDICT = "Made by `feem release evidence`; every record, proof and signature was checked before it was written."


@release.callback()
def releases() -> None:
    """Releases that have ended."""


@release.command("evidence")
def evidence(
    name: Annotated[str, typer.Argument(help="The Release; it must have ended.")],
    file: Annotated[
        Path | None, typer.Option("--file", "-f", "-o", help="Where to write.", show_default="NAME.evidence.zip")
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from", help="The published log, when old entries are not in the cluster any more.", show_default=False
        ),
    ] = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Write records, proofs, gate results, decisions, samples, manifests and a report of a release into one ZIP file."""
    cluster = connect(kubeconfig, context, namespace)
    found = Release.read(cluster.get(RELEASES, cluster.namespace, name))
    dossier, envelope = _sealed(found)
    if source is not None:
        with opened(source) as log:
            head = _head(log)
            contents = _contents(head, _entries(log, head.size), dossier, envelope, _samples(cluster, dossier))
    else:
        head = needed_head(cluster)
        contents = _contents(head, entries_of(cluster, head.size), dossier, envelope, _samples(cluster, dossier))
    files = files_of(contents, render(contents.dossier, contents.wires, contents.documents, contents.note, VERDICT))
    verdict = verify_pack(files.get, list(files), parse_keys(head.keys))
    if not verdict.ok:
        bad = verdict.findings[0]
        raise Problem(
            f"the evidence of {cluster.namespace}/{name}",
            bad.message,
            "feem audit verify says whether the log is whole",
        )
    file = file or Path(f"{name}.evidence.zip")
    try:
        write_zip(file, files)
    except OSError as refused:
        raise Problem(f"file {file}", str(refused.strerror), "give another --file") from refused
    typer.echo(f"{verdict.records} records with proofs, {len(files)} files: {file}. Read report.html in it.")
    typer.echo(f"Check it anywhere with: feem audit verify {file} --keys KEYS")


def _sealed(found: Release) -> tuple[dict[str, Any], bytes]:
    status, meta = found.status or ReleaseStatus(), found.metadata
    if not status.attestation or not status.dossier:
        reason = (
            "it has not ended yet"
            if status.completed_at is None
            else "it was not sealed: the operator had no keys when it ended"
        )
        raise Problem(f"Release {meta.namespace}/{meta.name}", reason, f"feem explain {meta.name} -n {meta.namespace}")
    try:
        dossier: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(status.dossier)))
    except (ValueError, OSError, zlib.error) as broken:
        raise Problem(
            f"Release {meta.namespace}/{meta.name}", f"its dossier is damaged ({broken})", "restore its status"
        ) from broken
    return dossier, status.attestation.encode()


def _contents(
    head: Signed, entries: Iterator[bytes], dossier: dict[str, Any], envelope: bytes, samples: dict[str, bytes]
) -> Contents:
    """Walk the log once: its tree for the proofs, and the entries about the release."""
    sealed, tree, chosen = "sha256:" + hashlib.sha256(envelope).hexdigest(), Tree(), dict[int, bytes]()
    seen = about(dossier)
    for index, entry in enumerate(entries):
        tree.append(leaf_hash(entry))
        if seen(index, json.loads(entry)):
            chosen[index] = entry
    checked(tree, head)
    if not any(json.loads(entry).get("evidence") == sealed for entry in chosen.values()):
        name = f"{dossier['release']['namespace']}/{dossier['release']['name']}"
        text = f"the end of release {name} is not covered by the signed checkpoint yet, which has {head.size} entries"
        raise Problem("AuditLog feem", text, "try again in a few seconds; kubectl describe auditlog feem")
    try:
        believed = open_checkpoint(head.note, parse_keys(head.keys))
    except CheckpointError as problem:
        raise Problem("AuditLog feem", str(problem), "kubectl describe auditlog feem") from problem
    records = [Proven(entry, Proof(index, tree.inclusion(index), head.note)) for index, entry in chosen.items()]
    return Contents(believed, head.note, head.keys, records, dossier, envelope, samples)


def _samples(cluster: ApiServer, dossier: dict[str, Any]) -> dict[str, bytes]:
    namespace, found = dossier["release"]["namespace"], {}
    for each in dossier["samples"]:
        data = cluster.get(CONFIGMAPS, namespace, each["name"]).get("binaryData") or {}
        document = base64.b64decode(data.get(KEY, ""))
        if hashlib.sha256(document).hexdigest() != each["sha256"]:
            text = "its samples are not those that the dossier names"
            raise Problem(f"ConfigMap {namespace}/{each['name']}", text, "restore it from a backup")
        found[each["name"]] = document
    return found


def _head(log: Source) -> Signed:
    try:
        note, keys = (log.read(CHECKPOINT) or b"").decode(), (log.read(KEYS) or b"").decode()
        head = parse_checkpoint(parse_note(note).text)
    except (NoteError, UnicodeDecodeError) as broken:
        raise Problem("the published log", str(broken), "feem audit verify DIR says what is wrong") from broken
    return Signed(head.origin, head.size, head.root, note, keys)


def _entries(log: Source, size: int) -> Iterator[bytes]:
    for index, width in bundles_for(size):
        data = log.read(entries_path(index, width)) or log.read(entries_path(index, WIDTH))
        try:
            yield from unpack_entries(data or b"")[:width]
        except ValueError as broken:
            raise Problem("the published log", str(broken), "feem audit verify DIR says what is wrong") from broken
