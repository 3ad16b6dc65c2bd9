"""Checkpoints (c2sp.org/tlog-checkpoint): how large a log is and what its root is, as three lines of text."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from feem.core.tlog.merkle import HASH_SIZE
from feem.core.tlog.note import NoteError, decode


@dataclass(frozen=True)
class Checkpoint:
    """A log's head: its origin, its number of entries, and the root over them."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return the note's text."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint's note. Raises NoteError.

    Extension lines are refused: an ML-DSA-44 signature does not cover them.
    """
    lines = text.removesuffix("\n").split("\n")
    if len(lines) != 3:
        raise NoteError(f"a checkpoint of FEEM has three lines, not {len(lines)}")
    origin, size, root = lines
    if not origin:
        raise NoteError("a checkpoint begins with its origin")
    checkpoint = Checkpoint(origin, decimal(size), decode(root))
    if len(checkpoint.root) != HASH_SIZE:
        raise NoteError(f"a root has {HASH_SIZE} bytes, not {len(checkpoint.root)}")
    return checkpoint


def decimal(text: str) -> int:
    """Return a number below 2**63 written without sign or leading zeros. Raises NoteError."""
    if not (text.isascii() and text.isdigit()) or (text[0] == "0" and text != "0") or len(text) > 19:
        raise NoteError(f"{text[:24]!r} is no number in the form that checkpoints have")
    return int(text)
