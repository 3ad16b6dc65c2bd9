"""What the log says of runs: their entries with proofs, or, where nothing is signed, the entries alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from feem.adapters.kubernetes.resources import RECORDS
from feem.api.run import ChaosRun
from feem.cli.audit.published import Signed, checked, entries_of, head_of
from feem.cli.audit.source import Source, opened
from feem.cli.cluster import Cluster
from feem.cli.problem import Forbidden, Problem
from feem.core.audit.entry import canonical_bytes
from feem.core.audit.published import CHECKPOINT, KEYS
from feem.core.chaos.proof import ENDED, proof_digest
from feem.core.dossier.gameday import GameDay
from feem.core.dossier.selecting import about_runs
from feem.core.tlog.checkpoint import parse_checkpoint
from feem.core.tlog.merkle import leaf_hash
from feem.core.tlog.note import NoteError, parse_note
from feem.core.tlog.proof import Proof
from feem.core.tlog.signing import CheckpointError, open_checkpoint
from feem.core.tlog.tile import WIDTH, bundles_for, entries_path, unpack_entries
from feem.core.tlog.tree import Tree
from feem.core.tlog.vkey import parse_keys

_DAMAGED = "feem audit verify DIR says what is wrong"


@dataclass(frozen=True)
class Found:
    """A game day with what the log has of it, and why nothing of it is proven, if so."""

    day: GameDay
    unproven: str = ""


def looked_up(cluster: Cluster, runs: Sequence[ChaosRun], source: Path | None) -> Found:
    """Look runs up in the log, that of the cluster or a published one. Raises Problem when it contradicts them."""
    if source is not None:
        with opened(source) as log:
            head = _head(log)
            return Found(_proven(runs, head, _entries(log, head.size)))
    try:
        signed = head_of(cluster)
        if signed is not None:
            return Found(_proven(runs, signed, entries_of(cluster, signed.size)))
        why = "the log has no signed checkpoint: the operator was given no keys, or has not signed yet"
    except Forbidden as refused:
        return Found(GameDay(runs), f"who made it may not read the audit log ({refused.reason})")
    return Found(GameDay(runs, _unsigned(cluster, runs)), why)


def _proven(runs: Sequence[ChaosRun], head: Signed, entries: Iterator[bytes]) -> GameDay:
    """Walk the log once: its tree for the proofs, and the entries about the runs."""
    tree, chosen, about = Tree(), dict[int, bytes](), about_runs(runs)
    for index, entry in enumerate(entries):
        tree.append(leaf_hash(entry))
        if about(json.loads(entry)):
            chosen[index] = entry
    checked(tree, head)
    for run in runs:
        _check_end(run, chosen, head)
    try:
        believed = open_checkpoint(head.note, parse_keys(head.keys))
    except CheckpointError as problem:
        raise Problem("AuditLog feem", str(problem), "kubectl describe auditlog feem") from problem
    proofs = {index: Proof(index, tree.inclusion(index), head.note) for index in chosen}
    return GameDay(runs, chosen, believed, head.note, head.keys, proofs)


def _check_end(run: ChaosRun, chosen: dict[int, bytes], head: Signed) -> None:
    """Raise Problem unless the log has this run as it is, when it was over."""
    meta, digest = run.metadata, proof_digest(run)
    what = f"ChaosRun {meta.namespace}/{meta.name}"
    ends = [wire for entry in chosen.values() if (wire := json.loads(entry))["action"] == ENDED]
    said = {wire["index"]: wire["evidence"] for wire in ends if wire["subject"]["uid"] == meta.uid}
    if not said:
        text = f"its end is not covered by the signed checkpoint yet, which has {head.size} entries"
        raise Problem(what, text, "try again in a few seconds; kubectl describe auditlog feem")
    if digest not in said.values():
        text = f"it is not as it was when it ended: entry {max(said)} of the log has another digest ({said[max(said)]})"
        raise Problem(what, text, "it was edited since, or feem is of another version than the operator: leave it out")


def _unsigned(cluster: Cluster, runs: Sequence[ChaosRun]) -> dict[int, bytes]:
    about = about_runs(runs)
    try:
        specs = [item["spec"] for item in cluster.list(RECORDS)]
    except Forbidden:
        return {}
    return {spec["index"]: canonical_bytes(spec) for spec in specs if about(spec)}


def _head(log: Source) -> Signed:
    try:
        note, keys = (log.read(CHECKPOINT) or b"").decode(), (log.read(KEYS) or b"").decode()
        head = parse_checkpoint(parse_note(note).text)
    except (NoteError, UnicodeDecodeError) as broken:
        raise Problem("the published log", str(broken), _DAMAGED) from broken
    return Signed(head.origin, head.size, head.root, note, keys)


def _entries(log: Source, size: int) -> Iterator[bytes]:
    for index, width in bundles_for(size):
        data = log.read(entries_path(index, width)) or log.read(entries_path(index, WIDTH))
        try:
            yield from unpack_entries(data or b"")[:width]
        except ValueError as broken:
            raise Problem("the published log", str(broken), _DAMAGED) from broken
