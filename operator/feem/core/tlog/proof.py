"""Proofs that a reader can check alone (c2sp.org/tlog-proof): index, audit path and signed checkpoint in one text."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from feem.core.tlog.checkpoint import decimal
from feem.core.tlog.merkle import HASH_SIZE, leaf_hash, verify_inclusion
from feem.core.tlog.note import NoteError, decode
from feem.core.tlog.signing import CheckpointError, Opened, open_checkpoint
from feem.core.tlog.vkey import Key

HEADER = "c2sp.org/tlog-proof@v1"
LONGEST_PATH = 63


@dataclass(frozen=True)
class Proof:
    """An entry's index, its audit path, and the note of the checkpoint that it leads to."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    extra: bytes = b""
    """Not authenticated: never rely on it."""

    def wire(self) -> str:
        """Return the proof as text."""
        lines = [HEADER, *([f"extra {base64.b64encode(self.extra).decode()}"] if self.extra else ())]
        lines += [f"index {self.index}", *(base64.b64encode(value).decode() for value in self.hashes)]
        return "\n".join(lines) + "\n\n" + self.checkpoint


def parse_proof(wire: str) -> Proof:
    """Read a proof. Raises NoteError; nothing in it is trusted yet."""
    head, found, checkpoint = wire.partition("\n\n")
    lines = head.split("\n")
    if not found or lines[0] != HEADER:
        raise NoteError(f"a proof begins with {HEADER}")
    del lines[0]
    extra = decode(lines.pop(0).removeprefix("extra ")) if lines and lines[0].startswith("extra ") else b""
    if not lines or not lines[0].startswith("index "):
        raise NoteError("a proof says the index of its entry")
    index = decimal(lines.pop(0).removeprefix("index "))
    hashes = tuple(decode(line) for line in lines)
    if len(hashes) > LONGEST_PATH or any(len(value) != HASH_SIZE for value in hashes):
        raise NoteError(f"an audit path has at most {LONGEST_PATH} hashes of {HASH_SIZE} bytes")
    return Proof(index, hashes, checkpoint, extra)


def check_proof(proof: Proof, entry: bytes, keys: Sequence[Key]) -> Opened:
    """Check that the entry stands at the proof's index of a log with a believable checkpoint. Raises CheckpointError."""
    opened = open_checkpoint(proof.checkpoint, keys)
    size, root = opened.checkpoint.size, opened.checkpoint.root
    if not verify_inclusion(leaf_hash(entry), proof.index, size, proof.hashes, root):
        raise CheckpointError(
            f"entry {proof.index} is not proven: its path does not lead to the root of {size} entries"
        )
    return opened
