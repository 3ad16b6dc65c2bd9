"""Signed notes (c2sp.org/signed-note): a text, an empty line, and lines with signatures."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

DASH = "\u2014"
MAX_SIGNATURES = 64
MAX_BYTES = 1_000_000
ID_SIZE = 4
_SPACE = 0x20


class NoteError(ValueError):
    """The text is no signed note; the sentence says why."""


@dataclass(frozen=True)
class Signature:
    """One signature line: by whom, with which of their keys, and the algorithm's bytes."""

    name: str
    key_id: bytes
    blob: bytes

    def line(self) -> str:
        """Return the line, without its newline."""
        return f"{DASH} {self.name} {base64.b64encode(self.key_id + self.blob).decode()}"


@dataclass(frozen=True)
class Note:
    """A text that ends in a newline, and what was signed over it."""

    text: str
    signatures: tuple[Signature, ...]

    def wire(self) -> str:
        """Return the note as it is stored."""
        return self.text + "\n" + "".join(signature.line() + "\n" for signature in self.signatures)


def parse_note(wire: str) -> Note:
    """Read a note. Raises NoteError; nothing in it is trusted yet."""
    if len(wire) > MAX_BYTES:
        raise NoteError(f"a note has at most {MAX_BYTES} characters")
    if any(ord(character) < _SPACE and character != "\n" for character in wire):
        raise NoteError("a note has no control characters but newlines")
    text, found, lines = wire.rpartition("\n\n")
    if not found or not text:
        raise NoteError("there is no empty line between text and signatures")
    if not lines.endswith("\n"):
        raise NoteError("the note does not end in a newline")
    return Note(text + "\n", parse_lines(lines))


def parse_lines(lines: str) -> tuple[Signature, ...]:
    """Read signature lines, each ended by a newline. Raises NoteError."""
    signatures = tuple(_parse_line(line) for line in lines.removesuffix("\n").split("\n"))
    if len(signatures) > MAX_SIGNATURES:
        raise NoteError(f"a note has at most {MAX_SIGNATURES} signatures here")
    return signatures


def valid_name(name: str) -> bool:
    """Whether this can be a key's name: no spaces of any script, no plus, no control characters."""
    return bool(name) and "+" not in name and name.isprintable() and not any(letter.isspace() for letter in name)


def decode(text: str) -> bytes:
    """Return the bytes of standard base64 in its one right spelling. Raises NoteError."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as problem:
        raise NoteError(f"{text[:20]!r} is not base64") from problem
    if base64.b64encode(data).decode() != text:
        raise NoteError(f"{text[:20]!r} is not canonical base64")
    return data


def _parse_line(line: str) -> Signature:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != DASH or not valid_name(parts[1]):
        raise NoteError(f"{line[:60]!r} is no signature line")
    data = decode(parts[2])
    if len(data) <= ID_SIZE:
        raise NoteError(f"the signature by {parts[1]} is too short")
    return Signature(parts[1], data[:ID_SIZE], data[ID_SIZE:])
