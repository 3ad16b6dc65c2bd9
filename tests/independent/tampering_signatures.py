"""Tampering with who signed the checkpoint, and how."""

from __future__ import annotations

import base64
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.independent.samplelog import SIGNED_AT, Cosigner, Signer, line
from tests.independent.tampering_kinds import Context, tampering
from tests.independent.tampering_notes import corrupted, parts, rewrite, signed_by
from tests.independent.verifier_notes import COSIGN_ED25519, ED25519, ML_DSA_44


@tampering("swapped key: signed by others under the log's name", "directory")
def swapped_key(path: Path, context: Context) -> int | None:
    text, _ = parts(path)
    signer = Signer.generate(text.split("\n", 1)[0])
    (path / "checkpoint").write_bytes(signer.note(text))
    (path / "keys.txt").write_text(signer.keys())
    return None


@tampering("swapped key with the log's key id: the id of a known key before another key's signature", "directory")
def forged_id(path: Path, context: Context) -> int | None:
    text, lines = parts(path)
    (own,) = signed_by(lines, context, ED25519)
    key_id = base64.b64decode(own.split(" ")[2])[:4]
    blob = base64.b64encode(key_id + Ed25519PrivateKey.generate().sign(text.encode())).decode()
    rewrite(path, text, [f"\u2014 {own.split(' ')[1]} {blob}\n", *(one for one in lines if one != own)])
    return None


@tampering("unknown signature only", "directory")
def unknown_only(path: Path, context: Context) -> int | None:
    text, _ = parts(path)
    witness = Cosigner("somebody.example/else", Ed25519PrivateKey.generate())
    rewrite(path, text, [witness.line(f"{text}\n".encode())])
    return None


@tampering("ML-DSA signature only", "directory")
def quantum_only(path: Path, context: Context) -> int | None:
    text, lines = parts(path)
    rewrite(path, text, signed_by(lines, context, ML_DSA_44))
    return None


@tampering("Ed25519 signature only, where both keys are known", "directory")
def plain_only(path: Path, context: Context) -> int | None:
    text, lines = parts(path)
    rewrite(path, text, signed_by(lines, context, ED25519))
    return None


@tampering("witness's cosignature only", "directory")
def witness_only(path: Path, context: Context) -> int | None:
    text, lines = parts(path)
    others = [one for one in lines if one not in signed_by(lines, context, ED25519, ML_DSA_44)]
    rewrite(
        path, text, others or [Cosigner("witness.example/w9", Ed25519PrivateKey.generate()).line(f"{text}\n".encode())]
    )
    return None


@tampering("no signature at all", "directory")
def unsigned(path: Path, context: Context) -> int | None:
    (path / "checkpoint").write_text(parts(path)[0], encoding="utf-8")
    return None


def _one_wrong(path: Path, context: Context, of_type: int, at: int) -> None:
    text, lines = parts(path)
    wrong = signed_by(lines, context, of_type)[0]
    rewrite(path, text, [corrupted(one, at) if one == wrong else one for one in lines])


@tampering("one bit of the Ed25519 signature flipped", "directory")
def plain_flipped(path: Path, context: Context) -> int | None:
    _one_wrong(path, context, ED25519, -1)
    return None


@tampering("one bit of the ML-DSA signature flipped", "directory")
def quantum_flipped(path: Path, context: Context) -> int | None:
    _one_wrong(path, context, ML_DSA_44, 1000)
    return None


@tampering("time of the ML-DSA signature changed", "directory")
def stamp_flipped(path: Path, context: Context) -> int | None:
    _one_wrong(path, context, ML_DSA_44, 11)
    return None


@tampering("one bit of a known witness's cosignature flipped, the log's signatures good", "directory")
def witness_flipped(path: Path, context: Context) -> int | None:
    _one_wrong(path, context, COSIGN_ED25519, 20)
    return None


@tampering("signature line twice", "directory")
def twice(path: Path, context: Context) -> int | None:
    text, lines = parts(path)
    rewrite(path, text, [lines[0], *lines])
    return None


@tampering("signatures of an earlier checkpoint under a later text", "directory")
def earlier_signatures(path: Path, context: Context) -> int | None:
    text, _ = parts(path)
    _, _, block = context.held.read_text(encoding="utf-8").rpartition("\n\n")
    rewrite(path, text, block.splitlines(keepends=True))
    return None


@tampering(
    "ML-DSA signature over the note's text instead of the cosigned message, by the log's key", "directory", keys=True
)
def quantum_over_text(path: Path, context: Context) -> int | None:
    text, _ = parts(path)
    plain, _ = context.signer.lines(text)
    blob = SIGNED_AT.to_bytes(8, "big") + context.signer.ml_dsa.sign(text.encode())
    rewrite(path, text, [plain, line(context.signer.quantum, blob)])
    return None


@tampering("sixty-five signatures", "directory")
def too_many(path: Path, context: Context) -> int | None:
    text, lines = parts(path)
    note = f"{text}\n".encode()
    more = [
        Cosigner(f"w{number}.example", Ed25519PrivateKey.generate()).line(note) for number in range(65 - len(lines))
    ]
    rewrite(path, text, [*lines, *more])
    return None


@tampering("stray bits in a signature's Base 64", "directory")
def stray_bits(path: Path, context: Context) -> int | None:
    text, lines = parts(path)
    padded = next(one for one in lines if one.endswith("=\n"))
    at = padded.index("=") - 1
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = letters[letters.index(padded[at]) ^ 1]
    rewrite(path, text, [padded[:at] + other + padded[at + 1 :] if one == padded else one for one in lines])
    return None
