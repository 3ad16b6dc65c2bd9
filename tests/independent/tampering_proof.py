"""Tampering with the proof of one entry, and with the entry beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.independent.samplelog import proof as proof_by_tree
from tests.independent.samplelog import proof_of
from tests.independent.tampering_kinds import Context, entries, flip, reseal, size_of, tampering
from tests.independent.verifier_merkle import leaf_hash
from tests.independent.verifier_proofs import parse_proof


def _replace(path: Path, old: bytes, new: bytes) -> None:
    data = path.read_bytes()
    if old not in data:
        raise ValueError(f"proof has no {old!r}")
    path.write_bytes(data.replace(old, new, 1))


@tampering("proof with another index", "proof")
def another_index(path: Path, context: Context) -> int | None:
    index = parse_proof(path.read_bytes()).index
    _replace(path, b"index %d\n" % index, b"index %d\n" % (index ^ 1))
    return index ^ 1


@tampering("proof with an index beyond the tree", "proof")
def beyond(path: Path, context: Context) -> int | None:
    index = parse_proof(path.read_bytes()).index
    size = size_of(context.published.directory)
    _replace(path, b"index %d\n" % index, b"index %d\n" % (size + index))
    return size + index


@tampering("index of a proof with a leading zero", "proof")
def zero_index(path: Path, context: Context) -> int | None:
    _replace(path, b"\nindex ", b"\nindex 0")
    return None


@tampering("proof of another entry", "proof")
def another_entry(path: Path, context: Context) -> int | None:
    index = parse_proof(path.read_bytes()).index
    context.entry.write_bytes(entries(context.published.directory)[index - 1])
    return index


@tampering("one bit of a proof's entry flipped", "proof")
def entry_flipped(path: Path, context: Context) -> int | None:
    flip(context.entry, 40)
    return parse_proof(path.read_bytes()).index


@tampering("newline after a proof's entry", "proof")
def entry_longer(path: Path, context: Context) -> int | None:
    context.entry.write_bytes(context.entry.read_bytes() + b"\n")
    return parse_proof(path.read_bytes()).index


@tampering("proof with a hash too many", "proof")
def hash_more(path: Path, context: Context) -> int | None:
    proof = parse_proof(path.read_bytes())
    path.write_bytes(proof_of(proof.index, [*proof.hashes, bytes(32)], proof.note))
    return proof.index


@tampering("proof with a hash too few", "proof")
def hash_fewer(path: Path, context: Context) -> int | None:
    proof = parse_proof(path.read_bytes())
    path.write_bytes(proof_of(proof.index, proof.hashes[:-1], proof.note))
    return proof.index


@tampering("two hashes of a proof swapped", "proof")
def hashes_swapped(path: Path, context: Context) -> int | None:
    proof = parse_proof(path.read_bytes())
    first, second, *rest = proof.hashes
    path.write_bytes(proof_of(proof.index, [second, first, *rest], proof.note))
    return proof.index


@tampering("one bit of a proof's hash flipped", "proof")
def hash_flipped(path: Path, context: Context) -> int | None:
    proof = parse_proof(path.read_bytes())
    first, *rest = proof.hashes
    path.write_bytes(proof_of(proof.index, [bytes([first[0] ^ 1]) + first[1:], *rest], proof.note))
    return proof.index


@tampering("proof with a hash of 31 bytes", "proof")
def short_hash(path: Path, context: Context) -> int | None:
    proof = parse_proof(path.read_bytes())
    path.write_bytes(proof_of(proof.index, [*proof.hashes[:-1], proof.hashes[-1][:31]], proof.note))
    return None


@tampering("interior node as leaf: proof that two hashes are an entry", "proof")
def interior_node(path: Path, context: Context) -> int | None:
    proof = parse_proof(path.read_bytes())
    own, sibling = leaf_hash(context.entry.read_bytes()), proof.hashes[0]
    context.entry.write_bytes(sibling + own if proof.index & 1 else own + sibling)
    path.write_bytes(proof_of(proof.index >> 1, proof.hashes[1:], proof.note))
    return proof.index >> 1


@tampering("proof with an earlier checkpoint", "proof")
def earlier_checkpoint(path: Path, context: Context) -> int | None:
    proof = parse_proof(path.read_bytes())
    path.write_bytes(proof_of(proof.index, proof.hashes, context.held.read_bytes()))
    return proof.index


@tampering("proof whose checkpoint is not signed", "proof")
def unsigned(path: Path, context: Context) -> int | None:
    proof = parse_proof(path.read_bytes())
    path.write_bytes(proof_of(proof.index, proof.hashes, proof.note.partition(b"\n\n")[0] + b"\n"))
    return proof.index


@tampering("proof with a root that fits, not signed by the log", "proof")
def fitting_root(path: Path, context: Context) -> int | None:
    proof = parse_proof(path.read_bytes())
    text, _, lines = proof.note.partition(b"\n\n")
    origin, size, _root = text.split(b"\n")
    note = b"\n".join([origin, size, b"A" * 43 + b"="]) + b"\n\n" + lines
    path.write_bytes(proof_of(proof.index, proof.hashes, note))
    return proof.index


@tampering("proof of a later version of the format", "proof")
def later_version(path: Path, context: Context) -> int | None:
    _replace(path, b"tlog-proof@v1", b"tlog-proof@v2")
    return None


@tampering("proof of a record whose index is another one, signed with the log's keys", "proof", keys=True)
def record_of_another_index(path: Path, context: Context) -> int | None:
    proof = parse_proof(path.read_bytes())
    forged = path.parent / "forged"
    shutil.copytree(context.published.directory, forged)
    reseal(forged, context, proof.index, index=proof.index + 1)
    found = entries(forged)
    context.entry.write_bytes(found[proof.index])
    path.write_bytes(proof_by_tree(found, proof.index, (forged / "checkpoint").read_bytes()))
    return proof.index
