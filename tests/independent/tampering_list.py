"""Tampering with what packs and reports are alike in: an attacker writes the list anew, and what it lists must not verify."""

from __future__ import annotations

import json
import warnings
import zipfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.independent.samplelog import Cosigner, chain, proof_of, seal
from tests.independent.tampering_files import amend, both, content, indexes, list_of, prove, repack
from tests.independent.tampering_kinds import Context, records
from tests.independent.verifier_lists import names_of
from tests.independent.verifier_proofs import parse_proof


@both("file changed, list left")
def report_changed(path: Path, context: Context) -> int | None:
    repack(path, {"report.html": b"<p>all gates passed</p>"}, relist=False)
    return None


@both("file removed, list left")
def report_removed(path: Path, context: Context) -> int | None:
    repack(path, {"report.html": None}, relist=False)
    return None


@both("file of another kind added and listed")
def foreign_added(path: Path, context: Context) -> int | None:
    repack(path, {"install.sh": b"#!/bin/sh\n"})
    return None


@both("record changed, list left")
def record_unlisted(path: Path, context: Context) -> int | None:
    index = indexes(path)[1]
    record, _ = names_of(index)
    repack(path, {record: content(path, record) + b" "}, relist=False)
    return None


@both("record changed and listed")
def record_changed(path: Path, context: Context) -> int | None:
    index = indexes(path)[1]
    record, _ = names_of(index)
    said = json.loads(content(path, record)) | {"message": "all gates passed"}
    repack(path, {record: seal(said)})
    return index


@both("record without its proof")
def proof_removed(path: Path, context: Context) -> int | None:
    index = indexes(path)[2]
    repack(path, {names_of(index)[1]: None})
    return None


@both("two records under each other's names")
def records_swapped(path: Path, context: Context) -> int | None:
    first, second = indexes(path)[:2]
    one, other = names_of(first)[0], names_of(second)[0]
    repack(path, {one: content(path, other), other: content(path, one)})
    return first


@both("two proofs under each other's names")
def proofs_swapped(path: Path, context: Context) -> int | None:
    first, second = indexes(path)[:2]
    one, other = names_of(first)[1], names_of(second)[1]
    repack(path, {one: content(path, other), other: content(path, one)})
    return first


@both("proof with a checkpoint that is signed, but is another one")
def other_note(path: Path, context: Context) -> int | None:
    index = indexes(path)[3]
    name = names_of(index)[1]
    found = parse_proof(content(path, name))
    witness = Cosigner("w9.example", Ed25519PrivateKey.generate())
    repack(path, {name: proof_of(index, found.hashes, found.note + witness.line(found.note).encode())})
    return index


@both("hash of a proof changed")
def hash_changed(path: Path, context: Context) -> int | None:
    index = indexes(path)[3]
    name = names_of(index)[1]
    found = parse_proof(content(path, name))
    repack(path, {name: proof_of(index, [bytes(32), *found.hashes[1:]], found.note)})
    return index


@both("size is not the checkpoint's")
def other_size(path: Path, context: Context) -> int | None:
    repack(path, {}, size=list_of(path)["size"] + 1)
    return None


@both("list in another spelling")
def list_spelled(path: Path, context: Context) -> int | None:
    repack(path, {"pack.json": json.dumps(list_of(path)).encode()}, relist=False)
    return None


@both("duplicate JSON keys in the list")
def list_twice(path: Path, context: Context) -> int | None:
    data = content(path, "pack.json").replace(b'{"files":', b'{"files":{},"files":', 1)
    repack(path, {"pack.json": data}, relist=False)
    return None


@both("ZIP with duplicate names")
def duplicate_names(path: Path, context: Context) -> int | None:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("report.html", b"<p>all gates passed</p>")
    return None


@both("ZIP with a path that leads out of it")
def path_outside(path: Path, context: Context) -> int | None:
    repack(path, {"samples/../../report.jsonl.gz": b""})
    return None


@both("list with a member that lists do not have")
def list_longer(path: Path, context: Context) -> int | None:
    repack(path, {}, approvedBy="risk-officer")
    return None


@both("two outcomes of one intent", keys=True)
def two_outcomes(path: Path, context: Context) -> int | None:
    found = {index: json.loads(content(path, names_of(index)[0])) for index in indexes(path)}
    first, *_, place = [index for index, record in found.items() if record["part"] == "Outcome"]
    return amend(path, context, place, intent=found[first]["intent"])


@both("outcome of what is no intent", keys=True)
def outcome_of_fact(path: Path, context: Context) -> int | None:
    found = {index: json.loads(content(path, names_of(index)[0]))["part"] for index in indexes(path)}
    fact = next(index for index, part in found.items() if part == "Fact")
    return amend(path, context, next(at for at, part in found.items() if part == "Outcome" and at > fact), intent=fact)


@both("epoch falls between two records", keys=True)
def epoch_falls(path: Path, context: Context) -> int | None:
    return amend(path, context, indexes(path)[2], epoch=1)


@both("previous chain broken between two records", keys=True)
def chain_broken(path: Path, context: Context) -> int | None:
    return follows(path, context, indexes(path)[1], f"sha256:{'0' * 64}")


@both("first record follows nothing", keys=True)
def follows_nothing(path: Path, context: Context) -> int | None:
    return follows(path, context, indexes(path)[0], "")


def follows(path: Path, context: Context, place: int, previous: str) -> int:
    """Tell that an entry follows another one than it does; those after it do not notice."""
    found = chain(records(context.published.directory))
    broken = records(context.published.directory)[place] | {"previous": previous}
    prove(path, context, [*found[:place], seal(broken), *found[place + 1 :]])
    return place
