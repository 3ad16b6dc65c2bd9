"""Signed notes and the checkpoints in them: C2SP signed-note, tlog-checkpoint and tlog-cosignature, as strict as FEEM reads them."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from tests.independent.verifier_faults import RejectedError

ED25519, COSIGN_ED25519, ML_DSA_44 = 0x01, 0x04, 0x06
PUBLIC = {ED25519: 32, COSIGN_ED25519: 32, ML_DSA_44: 1312}
"""Bytes of a public key, by the signature type."""
NAMES = {ED25519: "Ed25519", COSIGN_ED25519: "Ed25519 cosignature", ML_DSA_44: "ML-DSA-44"}
MOST_SIGNATURES = 64
LATEST = 2**63 - 1
DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
KEY = re.compile(r"([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)")


def decode64(text: str) -> bytes:
    """Read Base 64 (RFC 4648 §4) that has one spelling only: padded, nothing else in it, no stray bits."""
    try:
        found = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error) as problem:
        raise RejectedError(f"{text[:40]!r} is not Base 64") from problem
    if base64.b64encode(found).decode("ascii") != text:
        raise RejectedError(f"{text[:40]!r} is not canonical Base 64")
    return found


def decimal(text: str, what: str) -> int:
    if not DECIMAL.fullmatch(text):
        raise RejectedError(f"{what} {text[:40]!r} is not a decimal number without leading zeros")
    return int(text)


@dataclass(frozen=True)
class Key:
    """A public key somebody trusts."""

    name: str
    type: int
    public: bytes

    @property
    def id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + bytes([self.type]) + self.public).digest()[:4]


def _named(name: str) -> bool:
    return bool(name) and "+" not in name and not any(letter.isspace() for letter in name)


def parse_key(line: str) -> Key:
    """Read a verifier key: `name+key id+Base 64 of the type byte and the public key`."""
    parts = KEY.fullmatch(line)
    if parts is None or not _named(parts[1]):
        raise RejectedError(f"{line[:60]!r} is not a verifier key: name+8 hex digits+Base 64")
    material = decode64(parts[3])
    if len(material) < 2 or PUBLIC.get(material[0]) != len(material) - 1:
        raise RejectedError(f"verifier key of {parts[1]} has a type or a length that is not known here")
    key = Key(parts[1], material[0], material[1:])
    if key.id.hex() != parts[2]:
        raise RejectedError(f"verifier key of {key.name} says id {parts[2]}, but its id is {key.id.hex()}")
    return key


def parse_keys(text: str) -> tuple[Key, ...]:
    """Read a file of verifier keys, one a line; blank lines and those that begin with `#` say nothing."""
    lines = [line.strip() for line in text.split("\n")]
    keys = tuple(parse_key(line) for line in lines if line and not line.startswith("#"))
    if len({(key.name, key.id) for key in keys}) != len(keys):
        raise RejectedError("two of the keys have the same name and id")
    return keys


@dataclass(frozen=True)
class Signature:
    name: str
    key_id: bytes
    blob: bytes


def parse_note(data: bytes) -> tuple[str, tuple[Signature, ...]]:
    """Split a note into its text (final newline included) and its signatures."""
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise RejectedError("note is not UTF-8") from problem
    if any(letter < " " and letter != "\n" for letter in whole):
        raise RejectedError("note has a control character")
    text, blank, block = whole.rpartition("\n\n")
    if not blank or not block.endswith("\n"):
        raise RejectedError("note has no signature lines after an empty line, or no newline at its end")
    lines = block[:-1].split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise RejectedError(f"note has {len(lines)} signatures, more than {MOST_SIGNATURES}")
    return text + "\n", tuple(_signature(line) for line in lines)


def _signature(line: str) -> Signature:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "\u2014" or not _named(parts[1]):
        raise RejectedError(f"note has a line that is not a signature: {line[:60]!r}")
    blob = decode64(parts[2])
    if len(blob) < 5:
        raise RejectedError(f"note has a signature of {parts[1]} that is too short")
    return Signature(parts[1], blob[:4], blob[4:])


@dataclass(frozen=True)
class Checkpoint:
    origin: str
    size: int
    root: bytes


def parse_checkpoint(text: str) -> Checkpoint:
    """Read origin, size and root: three lines and no more."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not all(lines[:3]):
        raise RejectedError("checkpoint is not three lines: origin, size, root")
    if len(lines) > 4:
        raise RejectedError(f"checkpoint has an extension line: {lines[3][:60]!r}")
    root = decode64(lines[2])
    if len(root) != 32:
        raise RejectedError(f"checkpoint has a root of {len(root)} bytes, not 32")
    return Checkpoint(lines[0], decimal(lines[1], "checkpoint size"), root)


def cosigned(name: str, timestamp: int, checkpoint: Checkpoint) -> bytes:
    """Give the `cosigned_message` that an ML-DSA-44 key signs (tlog-cosignature): not the note's text."""
    who, origin = name.encode(), checkpoint.origin.encode()
    if not (0 < len(who) < 256 and 0 < len(origin) < 256):
        raise RejectedError("origin or name of a cosigner is longer than 255 bytes")
    parts = (b"subtree/v1\n\x00", bytes([len(who)]), who, timestamp.to_bytes(8, "big"), bytes([len(origin)]), origin)
    return b"".join(parts) + (0).to_bytes(8, "big") + checkpoint.size.to_bytes(8, "big") + checkpoint.root


def _check(key: Key, signature: Signature, text: str, checkpoint: Checkpoint) -> None:
    blob = signature.blob
    stamp = int.from_bytes(blob[:8], "big")
    if key.type != ED25519 and (len(blob) < 9 or stamp > LATEST):
        raise RejectedError(f"signature of {key.name} has no timestamp below 2^63")
    try:
        if key.type == ED25519:
            Ed25519PublicKey.from_public_bytes(key.public).verify(blob, text.encode())
        elif key.type == COSIGN_ED25519:
            message = f"cosignature/v1\ntime {stamp}\n{text}".encode()
            Ed25519PublicKey.from_public_bytes(key.public).verify(blob[8:], message)
        else:
            MLDSA44PublicKey.from_public_bytes(key.public).verify(blob[8:], cosigned(key.name, stamp, checkpoint))
    except (InvalidSignature, ValueError) as problem:
        raise RejectedError(f"{NAMES[key.type]} signature of {key.name} does not verify") from problem


def open_checkpoint(note: bytes, keys: Sequence[Key]) -> Checkpoint:
    """Check a checkpoint's signatures against the keys that are trusted, and give what it says."""
    text, signatures = parse_note(note)
    checkpoint = parse_checkpoint(text)
    known = {(key.name, key.id): key for key in keys}
    lines = [(signature.name, signature.key_id) for signature in signatures]
    if len(set(lines)) != len(lines):
        raise RejectedError("checkpoint is signed twice by one key")
    signed_by: list[Key] = []
    for signature in signatures:
        key = known.get((signature.name, signature.key_id))
        if key is not None:
            _check(key, signature, text, checkpoint)
            signed_by.append(key)
    wanted = {key.type for key in keys if key.name == checkpoint.origin and key.type in (ED25519, ML_DSA_44)}
    if ED25519 not in wanted:
        raise RejectedError(f"no Ed25519 key of the log {checkpoint.origin!r} is among the trusted keys")
    there = {key.type for key in signed_by if key.name == checkpoint.origin}
    for missing in sorted(wanted - there):
        raise RejectedError(f"checkpoint has no {NAMES[missing]} signature by a trusted key of {checkpoint.origin}")
    return checkpoint
