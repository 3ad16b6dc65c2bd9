"""Private keys of logs and witnesses, kept as 32-byte seeds, and what they sign."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from feem.core.dossier.attestation import pre_authentication
from feem.core.tlog.checkpoint import Checkpoint
from feem.core.tlog.note import Signature
from feem.core.tlog.signing import message, signature_blob
from feem.core.tlog.vkey import Algorithm, Key

SEED_SIZE = 32
FILES = {"ed25519.seed": Algorithm.ED25519, "ml-dsa-44.seed": Algorithm.ML_DSA_44}
"""The files of a log's current keys; with `previous-` before the name, those of before, which sign beside them."""


def generate_seed() -> bytes:
    """Return a new seed."""
    return secrets.token_bytes(SEED_SIZE)


@dataclass(frozen=True)
class SigningKey:
    """One private key and whose it is."""

    name: str
    algorithm: Algorithm
    seed: bytes = field(repr=False)

    @cached_property
    def _private(self) -> Ed25519PrivateKey | MLDSA44PrivateKey:
        if self.algorithm is Algorithm.ML_DSA_44:
            return MLDSA44PrivateKey.from_seed_bytes(self.seed)
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    @cached_property
    def key(self) -> Key:
        """The public half."""
        return Key(self.name, self.algorithm, self._private.public_key().public_bytes_raw())

    def sign(self, checkpoint: Checkpoint, timestamp: int) -> Signature:
        """Sign a checkpoint at a time in POSIX seconds."""
        raw = self._private.sign(message(self.key, checkpoint, timestamp))
        return Signature(self.name, self.key.key_id, signature_blob(self.key, raw, timestamp))

    def sign_bytes(self, data: bytes) -> bytes:
        """Sign any bytes; they must not be mistakable for a checkpoint's."""
        return self._private.sign(data)


class LogSigner:
    """All keys of a log; the first Ed25519 key among them signs statements."""

    def __init__(self, keys: Sequence[SigningKey]) -> None:
        self._keys = tuple(keys)

    @property
    def keys(self) -> Sequence[Key]:
        """The public halves."""
        return tuple(key.key for key in self._keys)

    def sign(self, checkpoint: Checkpoint, timestamp: int) -> Sequence[Signature]:
        """Sign a checkpoint with each key."""
        return tuple(key.sign(checkpoint, timestamp) for key in self._keys)

    def salt(self, purpose: str) -> bytes:
        """Return bytes for one purpose that nobody can guess without the key; always the same ones."""
        signer = next(key for key in self._keys if key.algorithm is Algorithm.ED25519)
        return hmac.digest(signer.seed, f"feem.dev/salt {purpose}".encode(), "sha256")

    def sign_dsse(self, payload_type: str, payload: bytes) -> Mapping[str, object]:
        """Return a DSSE envelope."""
        signer = next(key for key in self._keys if key.algorithm is Algorithm.ED25519)  # the current one comes first
        signature = signer.sign_bytes(pre_authentication(payload_type, payload))
        return {
            "payloadType": payload_type,
            "payload": base64.b64encode(payload).decode(),
            "signatures": [{"keyid": signer.key.key_id.hex(), "sig": base64.b64encode(signature).decode()}],
        }


def load_log_keys(directory: Path, origin: str) -> tuple[SigningKey, ...]:
    """Read a log's keys, the current ones first. Raises ValueError that names the file and what to do."""
    keys = []
    for prefix in ("", "previous-"):
        for name, algorithm in FILES.items():
            path = directory / f"{prefix}{name}"
            try:
                there = path.exists()
            except OSError as problem:
                raise ValueError(f"{path} cannot be read: {problem.strerror}") from problem
            if there:
                keys.append(SigningKey(origin, algorithm, read_seed(path)))
            elif not prefix:
                raise ValueError(
                    f"{path} is missing: a log has the files {' and '.join(FILES)} (`feem audit keygen` makes them)"
                )
    if len({key.key for key in keys}) != len(keys):
        raise ValueError(f"{directory} has a previous key that is the current one: remove the file `previous-…`")
    return tuple(keys)


def read_seed(path: Path) -> bytes:
    """Read a seed: 32 bytes, or their base64. Raises ValueError that names the file and what to do, and quotes nothing of it."""
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise ValueError(f"{path} cannot be read: {problem.strerror}") from problem
    if len(data) == SEED_SIZE:
        return data
    try:
        seed = base64.b64decode(data.strip(), validate=True)
    except binascii.Error:
        seed = b""
    if len(seed) != SEED_SIZE:
        raise ValueError(
            f"{path} is no key: it has to be {SEED_SIZE} bytes, or their base64 (`feem audit keygen` makes one)"
        )
    return seed
