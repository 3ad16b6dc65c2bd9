"""Writes logs, proofs and packs in the published formats: a second implementation of the writing side, for tests and attackers.

Slow and plain on purpose: proofs follow the recursive definitions of RFC 6962 §2.1 word by word.
"""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from tests.independent.verifier_json import canonical
from tests.independent.verifier_merkle import EMPTY, leaf_hash, node_hash
from tests.independent.verifier_notes import COSIGN_ED25519, ED25519, ML_DSA_44, Checkpoint, Key, cosigned
from tests.independent.verifier_tiles import WIDTH, path_of

Record = dict[str, Any]
SIGNED_AT = 1_795_000_000
"""When the sample's checkpoints are signed, in seconds of POSIX time."""


def split_at(size: int) -> int:
    """Give the largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def tree_hash(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962 §2.1, over leaf hashes."""
    if len(leaves) < 2:
        return leaves[0] if leaves else EMPTY
    half = split_at(len(leaves))
    return node_hash(tree_hash(leaves[:half]), tree_hash(leaves[half:]))


def inclusion(index: int, leaves: Sequence[bytes]) -> tuple[bytes, ...]:
    """PATH of RFC 6962 §2.1.1."""
    if len(leaves) < 2:
        return ()
    half = split_at(len(leaves))
    if index < half:
        return (*inclusion(index, leaves[:half]), tree_hash(leaves[half:]))
    return (*inclusion(index - half, leaves[half:]), tree_hash(leaves[:half]))


def consistency(first: int, leaves: Sequence[bytes], *, known: bool = True) -> tuple[bytes, ...]:
    """PROOF and SUBPROOF of RFC 6962 §2.1.2."""
    if first == len(leaves):
        return () if known else (tree_hash(leaves),)
    half = split_at(len(leaves))
    if first <= half:
        return (*consistency(first, leaves[:half], known=known), tree_hash(leaves[half:]))
    return (*consistency(first - half, leaves[half:], known=False), tree_hash(leaves[:half]))


def encode64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def vkey(key: Key) -> str:
    return f"{key.name}+{key.id.hex()}+{encode64(bytes([key.type]) + key.public)}"


def line(key: Key, blob: bytes) -> str:
    """Write a signature line of a note."""
    return f"\u2014 {key.name} {encode64(key.id + blob)}\n"


def head(origin: str, size: int, root: bytes) -> str:
    """Write a checkpoint's text."""
    return f"{origin}\n{size}\n{encode64(root)}\n"


@dataclass(frozen=True)
class Signer:
    """The keys of a log, or of an attacker who has them."""

    origin: str
    ed25519: Ed25519PrivateKey
    ml_dsa: MLDSA44PrivateKey

    @classmethod
    def generate(cls, origin: str) -> Signer:
        return cls(origin, Ed25519PrivateKey.generate(), MLDSA44PrivateKey.generate())

    @classmethod
    def of_seeds(cls, origin: str, ed25519: bytes, ml_dsa: bytes) -> Signer:
        return cls(origin, Ed25519PrivateKey.from_private_bytes(ed25519), MLDSA44PrivateKey.from_seed_bytes(ml_dsa))

    @property
    def plain(self) -> Key:
        return Key(self.origin, ED25519, self.ed25519.public_key().public_bytes_raw())

    @property
    def quantum(self) -> Key:
        return Key(self.origin, ML_DSA_44, self.ml_dsa.public_key().public_bytes_raw())

    def keys(self) -> str:
        return f"{vkey(self.plain)}\n{vkey(self.quantum)}\n"

    def lines(self, text: str) -> tuple[str, str]:
        """Sign a checkpoint's text in both ways; an ML-DSA-44 signature is about its first three lines only."""
        origin, size, root = text.split("\n")[:3]
        said = Checkpoint(origin, int(size), base64.b64decode(root))
        quantum = self.ml_dsa.sign(cosigned(self.origin, SIGNED_AT, said))
        return (
            line(self.plain, self.ed25519.sign(text.encode())),
            line(self.quantum, SIGNED_AT.to_bytes(8, "big") + quantum),
        )

    def note(self, text: str) -> bytes:
        return f"{text}\n{''.join(self.lines(text))}".encode()

    def checkpoint(self, entries: Sequence[bytes]) -> bytes:
        root = tree_hash([leaf_hash(entry) for entry in entries])
        return self.note(head(self.origin, len(entries), root))


@dataclass(frozen=True)
class Cosigner:
    """A witness with an Ed25519 key."""

    name: str
    private: Ed25519PrivateKey

    @property
    def key(self) -> Key:
        return Key(self.name, COSIGN_ED25519, self.private.public_key().public_bytes_raw())

    def line(self, note: bytes) -> str:
        text = note.decode().rpartition("\n\n")[0] + "\n"
        signature = self.private.sign(f"cosignature/v1\ntime {SIGNED_AT}\n{text}".encode())
        return line(self.key, SIGNED_AT.to_bytes(8, "big") + signature)


def seal(record: Record) -> bytes:
    """Write a record's entry, with its digest made anew."""
    rest = {name: value for name, value in record.items() if name != "digest"}
    return canonical({**rest, "digest": f"sha256:{sha256(canonical(rest)).hexdigest()}"})


def chain(records: Iterable[Record]) -> list[bytes]:
    """Number records from 0, chain them and seal them: what somebody writes who wants them to look right."""
    entries: list[bytes] = []
    previous = ""
    for index, record in enumerate(records):
        entry = seal({**record, "index": index, "previous": previous})
        previous = json.loads(entry)["digest"]
        entries.append(entry)
    return entries


def pack_entries(entries: Iterable[bytes]) -> bytes:
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def write_tiles(directory: Path, entries: Sequence[bytes]) -> None:
    """Write all tiles of a log in place of those that are there."""
    shutil.rmtree(directory / "tile", ignore_errors=True)
    for first in range(0, len(entries), WIDTH):
        some = entries[first : first + WIDTH]
        _write(directory / path_of(None, first // WIDTH, len(some)), pack_entries(some))
    level, hashes = 0, [leaf_hash(entry) for entry in entries]
    while hashes:
        tiles = [hashes[first : first + WIDTH] for first in range(0, len(hashes), WIDTH)]
        for index, tile in enumerate(tiles):
            _write(directory / path_of(level, index, len(tile)), b"".join(tile))
        level, hashes = level + 1, [tree_hash(tile) for tile in tiles if len(tile) == WIDTH]


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def publish(directory: Path, entries: Sequence[bytes], signer: Signer) -> None:
    """Write tiles and a checkpoint signed with these keys."""
    write_tiles(directory, entries)
    (directory / "checkpoint").write_bytes(signer.checkpoint(entries))


def proof(entries: Sequence[bytes], index: int, note: bytes) -> bytes:
    hashes = inclusion(index, [leaf_hash(entry) for entry in entries])
    return proof_of(index, hashes, note)


def proof_of(index: int, hashes: Iterable[bytes], note: bytes) -> bytes:
    lines = ["c2sp.org/tlog-proof@v1", f"index {index}", *(encode64(found) for found in hashes)]
    return "\n".join(lines).encode() + b"\n\n" + note
