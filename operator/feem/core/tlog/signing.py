"""What is signed over a checkpoint, by logs and witnesses, and whether a signed checkpoint can be believed.

Ed25519 signs the note's text; an Ed25519 cosignature a text with its time before it; ML-DSA-44 a binary structure with the
signer's name and the time (c2sp.org/tlog-cosignature).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from feem.core.tlog.checkpoint import Checkpoint, parse_checkpoint
from feem.core.tlog.note import Note, NoteError, Signature, parse_note
from feem.core.tlog.vkey import Algorithm, Key

STAMP_SIZE = 8
SIGNATURE_SIZES = {Algorithm.ED25519: 64, Algorithm.COSIGN_ED25519: 64, Algorithm.ML_DSA_44: 2420}
_LABEL = b"subtree/v1\n\x00"
_LATEST = 2**63 - 1


class CheckpointError(ValueError):
    """The checkpoint cannot be believed; the sentence says why."""


@dataclass(frozen=True)
class Opened:
    """A checkpoint whose signatures were checked: by which keys of its log and of witnesses, and how many lines are by others."""

    checkpoint: Checkpoint
    log: tuple[Key, ...]
    witnesses: tuple[Key, ...]
    unknown: int


def message(key: Key, checkpoint: Checkpoint, timestamp: int) -> bytes:
    """Return the bytes that this key signs; `timestamp` in POSIX seconds, of no meaning to a plain Ed25519 signature."""
    if key.algorithm is Algorithm.ED25519:
        return checkpoint.text().encode()
    if key.algorithm is Algorithm.COSIGN_ED25519:
        return f"cosignature/v1\ntime {timestamp}\n{checkpoint.text()}".encode()
    return b"".join(
        (
            _LABEL,
            _short(key.name),
            timestamp.to_bytes(8, "big"),
            _short(checkpoint.origin),
            (0).to_bytes(8, "big"),
            checkpoint.size.to_bytes(8, "big"),
            checkpoint.root,
        )
    )


def signature_blob(key: Key, raw: bytes, timestamp: int) -> bytes:
    """Return what follows the key id in a signature line: the algorithm's signature, after its time where it has one."""
    return raw if key.algorithm is Algorithm.ED25519 else timestamp.to_bytes(STAMP_SIZE, "big") + raw


def verify_signature(key: Key, checkpoint: Checkpoint, signature: Signature) -> bool:
    """Whether this key made this signature over this checkpoint."""
    stamped = key.algorithm is not Algorithm.ED25519
    timestamp = int.from_bytes(signature.blob[:STAMP_SIZE], "big") if stamped else 0
    raw = signature.blob[STAMP_SIZE:] if stamped else signature.blob
    if len(raw) != SIGNATURE_SIZES[key.algorithm] or timestamp > _LATEST:
        return False
    return verify_raw(key, message(key, checkpoint, timestamp), raw)


def verify_raw(key: Key, signed: bytes, raw: bytes) -> bool:
    """Whether `raw` is this key's signature over these bytes."""
    try:
        if key.algorithm is Algorithm.ML_DSA_44:
            MLDSA44PublicKey.from_public_bytes(key.public).verify(raw, signed)
        else:
            Ed25519PublicKey.from_public_bytes(key.public).verify(raw, signed)
    except InvalidSignature:
        return False
    return True


def time_of(key: Key, signature: Signature) -> int | None:
    """Return when a signature says it was made, POSIX seconds; None for one without a time."""
    return None if key.algorithm is Algorithm.ED25519 else int.from_bytes(signature.blob[:STAMP_SIZE], "big")


def open_checkpoint(note: str, keys: Sequence[Key]) -> Opened:
    """Check a checkpoint's signatures with the keys one was given. Raises CheckpointError.

    Each line by a known key must verify; unknown ones say nothing. Of the log itself, one signature of each algorithm that its
    known keys have must be there, Ed25519 at least: who strips one kind of signature away makes the note invalid.
    """
    try:
        parsed = parse_note(note)
        checkpoint = parse_checkpoint(parsed.text)
    except NoteError as problem:
        raise CheckpointError(f"this is no checkpoint: {problem}") from problem
    known = {(key.name, key.key_id): key for key in keys}
    signed = _verified(parsed, checkpoint, known)
    log = tuple(
        key for key in signed if key.name == checkpoint.origin and key.algorithm is not Algorithm.COSIGN_ED25519
    )
    ours = {key.algorithm for key in keys if key.name == checkpoint.origin} - {Algorithm.COSIGN_ED25519}
    if Algorithm.ED25519 not in ours:
        names = ", ".join(sorted({key.name for key in keys})) or "none"
        raise CheckpointError(f"no Ed25519 key of the log {checkpoint.origin!r} is known (known: {names})")
    missing = ours - {key.algorithm for key in log}
    if missing:
        words = " and ".join(algorithm.name.replace("_", "-") for algorithm in sorted(missing))
        raise CheckpointError(f"the checkpoint has no {words} signature by its log")
    witnesses = tuple(key for key in signed if key.name != checkpoint.origin and key.algorithm is not Algorithm.ED25519)
    return Opened(checkpoint, log, witnesses, len(parsed.signatures) - len(signed))


def _verified(parsed: Note, checkpoint: Checkpoint, known: dict[tuple[str, bytes], Key]) -> tuple[Key, ...]:
    signed: list[Key] = []
    seen: set[tuple[str, bytes]] = set()
    for signature in parsed.signatures:
        place = (signature.name, signature.key_id)
        if place in seen:
            raise CheckpointError(f"two signatures are by the same key of {signature.name}")
        seen.add(place)
        key = known.get(place)
        if key is None:
            continue
        if not verify_signature(key, checkpoint, signature):
            raise CheckpointError(f"the signature by {key.name} ({key.key_id.hex()}) is wrong")
        signed.append(key)
    return tuple(signed)


def _short(text: str) -> bytes:
    data = text.encode()
    if not 1 <= len(data) <= 255:
        raise CheckpointError(f"a name in an ML-DSA-44 signature has 1 to 255 bytes: {text[:40]!r}")
    return len(data).to_bytes(1, "big") + data
