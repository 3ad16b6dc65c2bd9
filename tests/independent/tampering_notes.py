"""Tampering with the checkpoint's text, and what is needed to take notes apart."""

from __future__ import annotations

import base64
from pathlib import Path

from tests.independent.samplelog import Signer, head
from tests.independent.tampering_kinds import Context, size_of, tampering
from tests.independent.verifier_notes import parse_checkpoint, parse_keys


def parts(path: Path) -> tuple[str, list[str]]:
    """Take a checkpoint apart: text and signature lines, each with its newline."""
    text, _, block = (path / "checkpoint").read_text(encoding="utf-8").rpartition("\n\n")
    return text + "\n", block.splitlines(keepends=True)


def rewrite(path: Path, text: str, lines: list[str]) -> None:
    (path / "checkpoint").write_bytes(f"{text}\n{''.join(lines)}".encode())


def signed_by(lines: list[str], context: Context, *types: int) -> list[str]:
    """Give the lines signed by trusted keys of these types."""
    ids = {key.id for key in parse_keys(context.published.keys) if key.type in types}
    return [one for one in lines if base64.b64decode(one.split(" ")[2])[:4] in ids]


def corrupted(one: str, at: int) -> str:
    dash, name, blob = one.split(" ")
    data = bytearray(base64.b64decode(blob))
    data[at] ^= 1
    return f"{dash} {name} {base64.b64encode(data).decode()}\n"


def retext(path: Path, old: str, new: str) -> None:
    text, lines = parts(path)
    changed = text.replace(old, new, 1)
    if changed == text:
        raise ValueError(f"checkpoint has no {old!r}")
    rewrite(path, changed, lines)


@tampering("one bit of the checkpoint's root flipped", "directory")
def root_flipped(path: Path, context: Context) -> int | None:
    text, lines = parts(path)
    said = parse_checkpoint(text)
    rewrite(path, head(said.origin, said.size, bytes([said.root[0] ^ 1]) + said.root[1:]), lines)
    return None


@tampering("checkpoint with a larger size", "directory")
def larger(path: Path, context: Context) -> int | None:
    size = size_of(path)
    retext(path, f"\n{size}\n", f"\n{size + 1}\n")
    return None


@tampering("checkpoint with a smaller size", "directory")
def smaller(path: Path, context: Context) -> int | None:
    size = size_of(path)
    retext(path, f"\n{size}\n", f"\n{size - 1}\n")
    return None


@tampering("checkpoint with a smaller size, signed with the log's keys", "directory", keys=True)
def smaller_signed(path: Path, context: Context) -> int | None:
    said = parse_checkpoint(parts(path)[0])
    size = said.size // 256 * 256
    (path / "checkpoint").write_bytes(context.signer.note(head(said.origin, size, said.root)))
    return None


@tampering("origin of the checkpoint changed", "directory")
def other_origin(path: Path, context: Context) -> int | None:
    origin = parts(path)[0].split("\n", 1)[0]
    retext(path, origin, origin + "2")
    return None


@tampering("checkpoint of a look-alike origin, signed with a key of that name", "directory")
def look_alike(path: Path, context: Context) -> int | None:
    said = parse_checkpoint(parts(path)[0])
    signer = Signer.generate(said.origin.replace("a", "\u0430", 1))
    (path / "checkpoint").write_bytes(signer.note(head(signer.origin, said.size, said.root)))
    return None


@tampering("extension line added", "directory")
def extension(path: Path, context: Context) -> int | None:
    text, lines = parts(path)
    rewrite(path, text + "pruned-before 100\n", lines)
    return None


@tampering("extension line added and signed with the log's keys", "directory", keys=True)
def extension_signed(path: Path, context: Context) -> int | None:
    (path / "checkpoint").write_bytes(context.signer.note(parts(path)[0] + "pruned-before 100\n"))
    return None


@tampering("size with a leading zero, signed with the log's keys", "directory", keys=True)
def leading_zero(path: Path, context: Context) -> int | None:
    text = parts(path)[0].replace("\n", "\n0", 1)
    (path / "checkpoint").write_bytes(context.signer.note(text))
    return None


@tampering("carriage returns in the checkpoint", "directory")
def carriage_returns(path: Path, context: Context) -> int | None:
    found = path / "checkpoint"
    found.write_bytes(found.read_bytes().replace(b"\n", b"\r\n"))
    return None


@tampering("text after the signatures", "directory")
def trailing(path: Path, context: Context) -> int | None:
    found = path / "checkpoint"
    found.write_bytes(found.read_bytes() + b"see also: elsewhere\n")
    return None
