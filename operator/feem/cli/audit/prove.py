"""`feem audit prove`: one entry with a proof that anybody can check alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from feem.cli.audit.published import checked, entries_of, needed_head
from feem.cli.audit.source import Source, opened
from feem.cli.cluster import ApiServer, connect
from feem.cli.options import Context, Kubeconfig
from feem.cli.problem import Problem
from feem.core.audit.published import CHECKPOINT
from feem.core.audit.record import name_of
from feem.core.tlog.checkpoint import parse_checkpoint
from feem.core.tlog.layout import TileNodes
from feem.core.tlog.merkle import inclusion_proof, leaf_hash
from feem.core.tlog.note import NoteError, parse_note
from feem.core.tlog.proof import Proof
from feem.core.tlog.tile import WIDTH, entries_path, unpack_entries
from feem.core.tlog.tree import Tree


def prove_entry(
    index: Annotated[int, typer.Argument(help="The entry.", min=0)],
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder to write to.")] = Path(),
    source: Annotated[
        Path | None,
        typer.Option("--from", help="A published directory or bundle, instead of the cluster.", show_default=False),
    ] = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Write an entry's bytes and its proof (c2sp.org/tlog-proof), which leads to the signed checkpoint."""
    if source is not None:
        with opened(source) as found:
            entry, proof = from_published(found, index)
    else:
        entry, proof = _from_cluster(connect(kubeconfig, context, None), index)
    place = out / f"{name_of(index)}.tlog-proof"
    data = out / f"{name_of(index)}.json"
    try:
        out.mkdir(parents=True, exist_ok=True)
        data.write_bytes(entry)
        place.write_text(proof.wire(), encoding="utf-8")
    except OSError as refused:
        raise Problem(f"folder {out}", str(refused.strerror), "give another --out") from refused
    typer.echo(f"Entry {index} and its proof are in {data} and {place}.")
    typer.echo(f"Check them with: feem audit verify {place} --entry {data} --keys KEYS")


def from_published(source: Source, index: int) -> tuple[bytes, Proof]:
    """Return an entry and its proof from a published log. Raises Problem."""
    try:
        note = (source.read(CHECKPOINT) or b"").decode()
        size = parse_checkpoint(parse_note(note).text).size
        if index >= size:
            raise Problem(f"entry {index}", f"the checkpoint covers {size} entries", "wait for the next checkpoint")
        width = min(WIDTH, size - index // WIDTH * WIDTH)
        packed = source.read(entries_path(index // WIDTH, width)) or source.read(entries_path(index // WIDTH))
        entry = unpack_entries(packed or b"")[index % WIDTH]
        proof = Proof(index, inclusion_proof(TileNodes(source.read, size), index, size), note)
    except (NoteError, ValueError, IndexError) as broken:
        raise Problem(
            f"entry {index}", f"the published log is damaged ({broken})", "feem audit verify DIR says where"
        ) from broken
    return entry, proof


def _from_cluster(cluster: ApiServer, index: int) -> tuple[bytes, Proof]:
    head, tree, wanted = needed_head(cluster), Tree(), b""
    if index >= head.size:
        text = f"the signed checkpoint covers {head.size} entries"
        raise Problem(f"entry {index}", text, "wait for the next checkpoint: kubectl get auditlog")
    for place, entry in enumerate(entries_of(cluster, head.size)):
        tree.append(leaf_hash(entry))
        wanted = entry if place == index else wanted
    checked(tree, head)
    return wanted, Proof(index, tree.inclusion(index), head.note)
