"""Public keys of logs and witnesses, written as verifier keys (c2sp.org/signed-note): `name+id+base64(type and key)`."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from enum import IntEnum

from feem.core.tlog.note import ID_SIZE, NoteError, decode, valid_name


class Algorithm(IntEnum):
    """Signature types, as C2SP numbers them."""

    ED25519 = 0x01
    """A log's signature over the note's text."""
    COSIGN_ED25519 = 0x04
    """A witness' timestamped cosignature."""
    ML_DSA_44 = 0x06
    """A timestamped cosignature that also commits to the signer's name; by logs and witnesses."""


SIZES = {Algorithm.ED25519: 32, Algorithm.COSIGN_ED25519: 32, Algorithm.ML_DSA_44: 1312}
"""Bytes of a public key."""


@dataclass(frozen=True)
class Key:
    """A public key and whose it is."""

    name: str
    algorithm: Algorithm
    public: bytes

    def __post_init__(self) -> None:
        """Raise NoteError for what cannot be a key."""
        if not valid_name(self.name):
            raise NoteError(f"{self.name!r} cannot be a key's name: no spaces, plus signs or control characters")
        if len(self.public) != SIZES[self.algorithm]:
            raise NoteError(f"the key of {self.name} has {len(self.public)} bytes, not {SIZES[self.algorithm]}")

    @property
    def key_id(self) -> bytes:
        """The four bytes that name it in signature lines."""
        head = self.name.encode() + b"\n" + bytes([self.algorithm])
        return hashlib.sha256(head + self.public).digest()[:ID_SIZE]

    def vkey(self) -> str:
        """Return the key as text."""
        material = base64.b64encode(bytes([self.algorithm]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{material}"


def parse_vkey(text: str) -> Key:
    """Read a verifier key. Raises NoteError when it is malformed, of another algorithm, or its id is not that of the key."""
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise NoteError(f"{text[:60]!r} is no verifier key: name+id+key")
    name, key_id, material = parts
    data = decode(material)
    if not data or data[0] not in {int(algorithm) for algorithm in Algorithm}:
        raise NoteError(f"the key of {name} is of a type that is not known here")
    key = Key(name, Algorithm(data[0]), data[1:])
    if key.key_id.hex() != key_id:
        raise NoteError(f"the key of {name} has the id {key.key_id.hex()}, not {key_id}")
    return key


def parse_keys(text: str) -> tuple[Key, ...]:
    """Read a file of verifier keys, one a line; empty lines and lines that begin with # say nothing. Raises NoteError."""
    lines = (line.strip() for line in text.splitlines())
    keys = tuple(parse_vkey(line) for line in lines if line and not line.startswith("#"))
    if len({(key.name, key.key_id) for key in keys}) != len(keys):
        raise NoteError("a key stands in the file twice")
    return keys
