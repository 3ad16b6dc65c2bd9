"""Tampering that only shows against a checkpoint that somebody kept."""

from __future__ import annotations

from pathlib import Path

from tests.independent.samplelog import Signer, chain, head, publish, write_tiles
from tests.independent.tampering_kinds import Context, entries, flip, records, tampering
from tests.independent.verifier_notes import parse_checkpoint, parse_note


def _kept_size(context: Context) -> int:
    return parse_checkpoint(parse_note(context.held.read_bytes())[0]).size


@tampering("truncation: the log cut back to an earlier checkpoint that it had signed", "held")
def truncated(path: Path, context: Context) -> int | None:
    earlier, newest = context.held.read_bytes(), (path / "checkpoint").read_bytes()
    kept = entries(path)[: _kept_size(context)]
    write_tiles(path, kept)
    (path / "checkpoint").write_bytes(earlier)
    context.held.write_bytes(newest)
    return len(kept)


@tampering("truncation by one entry, signed with the log's keys", "held", keys=True)
def truncated_by_one(path: Path, context: Context) -> int | None:
    found = entries(path)
    context.held.write_bytes((path / "checkpoint").read_bytes())
    publish(path, found[:-1], context.signer)
    return len(found) - 1


def _fork(path: Path, context: Context, size: int | None) -> None:
    found = records(path)
    place = _kept_size(context) - 1
    found[place]["message"] = "approved by the committee"
    publish(path, chain(found)[:size], context.signer)


@tampering("fork: the last kept entry rewritten, chained and signed with the log's keys", "held", keys=True)
def forked(path: Path, context: Context) -> int | None:
    _fork(path, context, None)
    return None


@tampering("fork of the same size as the held checkpoint", "held", keys=True)
def forked_same_size(path: Path, context: Context) -> int | None:
    _fork(path, context, _kept_size(context))
    return None


@tampering("held checkpoint with a wrong signature", "held")
def held_flipped(path: Path, context: Context) -> int | None:
    lines = context.held.read_bytes().splitlines(keepends=True)
    flip(context.held, len(b"".join(lines[:5])) - 10)
    return None


@tampering("held checkpoint that the log has not signed", "held")
def held_forged(path: Path, context: Context) -> int | None:
    text = parse_note(context.held.read_bytes())[0]
    context.held.write_bytes(Signer.generate(text.split("\n", 1)[0]).note(text))
    return None


@tampering("held checkpoint of another tree, signed with the log's keys", "held", keys=True)
def held_of_another_tree(path: Path, context: Context) -> int | None:
    said = parse_checkpoint(parse_note(context.held.read_bytes())[0])
    context.held.write_bytes(context.signer.note(head(said.origin, said.size, bytes(32))))
    return None
