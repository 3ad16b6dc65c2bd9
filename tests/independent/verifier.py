"""Verifies what FEEM publishes of its audit log, written from the public specifications and docs/audit-format.md alone.

It shares no code with FEEM, so that a mistake in FEEM's own verification does not hide in this one:
`python -m tests.independent.verifier directory DIR | bundle FILE | proof FILE [--entry FILE] | pack FILE | report FILE
[--keys FILE] [--held FILE]` prints `ok …` (exit code 0) or `BAD <index or -> <reason>` (exit code 1).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.independent.verifier_faults import RejectedError
from tests.independent.verifier_notes import Checkpoint, Key, open_checkpoint, parse_keys
from tests.independent.verifier_packs import check_pack
from tests.independent.verifier_proofs import check_proof, parse_proof
from tests.independent.verifier_reports import check_report
from tests.independent.verifier_tiles import Archive, Files, Folder, bundle, walk


@dataclass(frozen=True)
class Verdict:
    """Whether it verifies; else the first bad index (None: the fault is not at one entry) and why."""

    ok: bool
    index: int | None
    told: str

    def __str__(self) -> str:
        return f"ok {self.told}" if self.ok else f"BAD {'-' if self.index is None else self.index} {self.told}"


def check_log(files: Files, keys: Sequence[Key], held: bytes | None = None) -> Checkpoint:
    """Check a whole published log, and that it goes on from the checkpoint that somebody held."""
    note = files.read("checkpoint")
    if note is None:
        raise RejectedError("checkpoint is missing")
    checkpoint = open_checkpoint(note, keys)
    if held is None:
        walk(files, checkpoint)
        return checkpoint
    kept = open_checkpoint(held, keys)
    if kept.origin != checkpoint.origin:
        raise RejectedError(f"held checkpoint is of another log, {kept.origin}")
    if kept.size > checkpoint.size:
        told = f"log was cut: it has {checkpoint.size} entries, but had {kept.size} when the checkpoint was held"
        raise RejectedError(told, checkpoint.size)
    if walk(files, checkpoint, (kept.size,))[kept.size] != kept.root:
        raise RejectedError(f"log was forked: its first {kept.size} entries are not those of the held checkpoint")
    return checkpoint


def judge(
    kind: str, path: Path, keys: str | None = None, *, held: bytes | None = None, entry: bytes | None = None
) -> Verdict:
    """Judge a `directory`, `bundle`, `pack`, `report` or `proof` (of `entry`). Keys and entry not given are those beside it."""
    try:
        return Verdict(ok=True, index=None, told=_judge(kind, path, keys, held, entry))
    except RejectedError as problem:
        return Verdict(ok=False, index=problem.index, told=problem.reason)
    except OSError as problem:
        return Verdict(ok=False, index=None, told=f"cannot be read: {problem}")


def _judge(kind: str, path: Path, keys: str | None, held: bytes | None, entry: bytes | None) -> str:
    if kind == "proof":
        trusted = _trusted(keys, lambda: _beside(path))
        proof = parse_proof(path.read_bytes())
        data = path.with_suffix(".json").read_bytes() if entry is None else entry
        checkpoint = check_proof(proof, data, trusted)
        return f"entry {proof.index} of {checkpoint.origin}, {checkpoint.size} entries"
    if kind in ("pack", "report"):
        trusted = _trusted(keys, lambda: Archive(path).read("keys.txt"))
        if kind == "pack":
            checkpoint, count = check_pack(path, trusted)
            return f"{count} records of {checkpoint.origin}, {checkpoint.size} entries"
        checkpoint, count, runs = check_report(path, trusted)
        return f"{count} records about {runs} chaos runs of {checkpoint.origin}, {checkpoint.size} entries"
    files: Files = Folder(path) if kind == "directory" else bundle(path)
    checkpoint = check_log(files, _trusted(keys, lambda: files.read("keys.txt")), held)
    return f"{checkpoint.size} entries of {checkpoint.origin}"


def _trusted(keys: str | None, otherwise: Callable[[], bytes | None]) -> tuple[Key, ...]:
    if keys is not None:
        return parse_keys(keys)
    found = otherwise()
    if found is None:
        raise RejectedError("no keys: give the ones that you trust, with --keys FILE")
    try:
        return parse_keys(found.decode("utf-8"))
    except UnicodeDecodeError as problem:
        raise RejectedError("keys.txt is not UTF-8") from problem


def _beside(path: Path) -> bytes | None:
    return next((found for folder in path.resolve().parents[:2] if (found := Folder(folder).read("keys.txt"))), None)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="verifier", description="Verify what FEEM publishes of its audit log.")
    parser.add_argument("kind", choices=("directory", "bundle", "proof", "pack", "report"))
    parser.add_argument("path", type=Path)
    parser.add_argument("--keys", type=Path, help="verifier keys that you trust, one a line (else those beside it)")
    parser.add_argument("--held", type=Path, help="a checkpoint that you kept, of a directory or bundle")
    parser.add_argument("--entry", type=Path, help="the entry's bytes, for a proof (else the file `.json` beside it)")
    given = parser.parse_args(arguments)
    if given.entry and given.kind != "proof":
        parser.error("--entry belongs to a proof")
    if given.held and given.kind not in ("directory", "bundle"):
        parser.error("--held belongs to a directory or bundle")
    keys = given.keys.read_text(encoding="utf-8") if given.keys else None
    held, entry = (path.read_bytes() if path else None for path in (given.held, given.entry))
    verdict = judge(given.kind, given.path, keys, held=held, entry=entry)
    print(verdict)
    if keys is None:
        print("the keys are those that lie beside it: compare them with the ones that you were given", file=sys.stderr)
    return 0 if verdict.ok else 1


if __name__ == "__main__":
    sys.exit(main())
