"""Proofs that one entry is in the log, without the log: C2SP tlog-proof."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.independent.verifier_faults import RejectedError
from tests.independent.verifier_merkle import included, leaf_hash
from tests.independent.verifier_notes import Checkpoint, Key, decimal, decode64, open_checkpoint
from tests.independent.verifier_records import Walk

FIRST = "c2sp.org/tlog-proof@v1"
MOST_HASHES = 63


@dataclass(frozen=True)
class Proof:
    index: int
    hashes: tuple[bytes, ...]
    note: bytes


def parse_proof(data: bytes) -> Proof:
    """Read a proof: index, hashes from the leaf's sibling up, and the checkpoint as it is."""
    head, blank, note = data.partition(b"\n\n")
    try:
        lines = head.decode("utf-8").split("\n")
    except UnicodeDecodeError as problem:
        raise RejectedError("proof is not UTF-8") from problem
    if not blank or lines[0] != FIRST:
        raise RejectedError(f"proof does not begin with {FIRST}, or has no empty line before its checkpoint")
    rest = lines[1:]
    if rest and rest[0].startswith("extra "):
        decode64(rest.pop(0).removeprefix("extra "))
    if not rest or not rest[0].startswith("index "):
        raise RejectedError("proof has no line with the index")
    index = decimal(rest[0].removeprefix("index "), "proof's index")
    hashes = tuple(decode64(line) for line in rest[1:])
    if len(hashes) > MOST_HASHES or any(len(found) != 32 for found in hashes):
        raise RejectedError(f"proof has hashes that are not of 32 bytes, or more than {MOST_HASHES}")
    return Proof(index, hashes, note)


def check_proof(proof: Proof, entry: bytes, keys: Sequence[Key]) -> Checkpoint:
    """Check that the log has signed a tree with this entry at this index, and that it is a record of that index."""
    try:
        checkpoint = open_checkpoint(proof.note, keys)
    except RejectedError as problem:
        raise problem.at(proof.index) from problem
    check_inclusion(proof, entry, checkpoint)
    Walk(whole=False).step(proof.index, entry)
    return checkpoint


def check_inclusion(proof: Proof, entry: bytes, checkpoint: Checkpoint) -> None:
    if not included(leaf_hash(entry), proof.index, checkpoint.size, proof.hashes, checkpoint.root):
        raise RejectedError("proof does not lead from the entry at its index to the checkpoint's root", proof.index)
