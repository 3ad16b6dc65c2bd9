"""What a log sends to a witness (c2sp.org/tlog-witness): the size it goes on from, a consistency proof, a signed checkpoint."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from feem.core.tlog.checkpoint import Checkpoint, decimal, parse_checkpoint
from feem.core.tlog.merkle import HASH_SIZE
from feem.core.tlog.note import Note, NoteError, decode, parse_note

MAX_PROOF = 63
"""Proof lines; no tree below 2**63 entries needs more."""
MAX_BODY = 256 * 1024
"""Bytes: a full proof, and 64 signatures of ML-DSA-44."""
_OLD = "old "


class Malformed(ValueError):  # noqa: N818 - it is an outcome of reading, not an error of the program
    """The request is not in the protocol's form; the sentence says where."""


@dataclass(frozen=True)
class Submission:
    """A request as it was read; nothing in it is believed yet."""

    old: int
    proof: tuple[bytes, ...]
    note: Note
    checkpoint: Checkpoint

    def body(self) -> bytes:
        """Return the request's body."""
        return submission_body(self.old, self.proof, self.note.wire())


def submission_body(old: int, proof: Sequence[bytes], note: str) -> bytes:
    """Return the body that shows this note, which goes on from `old` entries as the proof says."""
    lines = (f"{_OLD}{old}", *(_encode(value) for value in proof))
    return ("\n".join(lines) + "\n\n" + note).encode()


def parse_submission(body: bytes) -> Submission:
    """Read a request's body. Raises Malformed."""
    try:
        text = body.decode()
    except UnicodeDecodeError as problem:
        raise Malformed("the body is not UTF-8") from problem
    head, found, note = text.partition("\n\n")
    if not found:
        raise Malformed("there is no empty line before the checkpoint")
    first, *proof = head.split("\n")
    if not first.startswith(_OLD):
        raise Malformed("the first line is not `old` and a size")
    if len(proof) > MAX_PROOF:
        raise Malformed(f"a proof has at most {MAX_PROOF} lines, not {len(proof)}")
    try:
        parsed = parse_note(note)
        checkpoint = parse_checkpoint(parsed.text)
        return Submission(decimal(first.removeprefix(_OLD)), tuple(_hash(line) for line in proof), parsed, checkpoint)
    except NoteError as problem:
        raise Malformed(str(problem)) from problem


def _hash(line: str) -> bytes:
    value = decode(line)
    if len(value) != HASH_SIZE:
        raise Malformed(f"a proof line is a hash of {HASH_SIZE} bytes, not {len(value)}")
    return value


def _encode(value: bytes) -> str:
    return base64.b64encode(value).decode()
