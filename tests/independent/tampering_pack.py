"""Tampering with an evidence pack. The list of files is not signed, so an attacker writes it anew; what it lists must not verify."""

from __future__ import annotations

import base64
import json
import warnings
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.independent.sampledocuments import envelope, listed
from tests.independent.samplelog import Cosigner, Signer, proof, proof_of, read_zip, write_zip
from tests.independent.tampering_kinds import Context, entries, tampering
from tests.independent.verifier_json import canonical
from tests.independent.verifier_packs import index_of
from tests.independent.verifier_proofs import parse_proof

DSSE = "attestation.dsse.json"


def repack(path: Path, changed: dict[str, bytes | None], *, relist: bool = True, **about: Any) -> None:
    """Change files (None: remove) and members of pack.json; the list follows unless told otherwise."""
    files = {name: data for name, data in {**read_zip(path), **changed}.items() if data is not None}
    if relist:
        said = json.loads(files["pack.json"]) | about
        files = listed(files, said["origin"], said["size"], said["release"])
    write_zip(path, files)


def content(path: Path, name: str) -> bytes:
    return read_zip(path)[name]


def release(path: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads(content(path, "pack.json"))["release"]
    return found


def indexes(path: Path) -> list[int]:
    return sorted({index for name in read_zip(path) if (index := index_of(name)) is not None})


def names(index: int) -> tuple[str, str]:
    return f"records/{index:012d}.json", f"proofs/{index:012d}.tlog-proof"


@tampering("pack: file changed, list left", "pack")
def report_changed(path: Path, context: Context) -> int | None:
    repack(path, {"report.html": b"<p>all gates passed</p>"}, relist=False)
    return None


@tampering("pack: file removed, list left", "pack")
def report_removed(path: Path, context: Context) -> int | None:
    repack(path, {"report.html": None}, relist=False)
    return None


@tampering("pack: file added, list left", "pack")
def file_added(path: Path, context: Context) -> int | None:
    repack(path, {"samples/more.jsonl.gz": b""}, relist=False)
    return None


@tampering("pack: file of another kind added and listed", "pack")
def foreign_added(path: Path, context: Context) -> int | None:
    repack(path, {"install.sh": b"#!/bin/sh\n"})
    return None


@tampering("pack: record changed, list left", "pack")
def record_unlisted(path: Path, context: Context) -> int | None:
    index = indexes(path)[1]
    record, _ = names(index)
    repack(path, {record: content(path, record) + b" "}, relist=False)
    return None


@tampering("pack: record changed and listed", "pack")
def record_changed(path: Path, context: Context) -> int | None:
    index = indexes(path)[1]
    record, _ = names(index)
    said = json.loads(content(path, record)) | {"message": "all gates passed"}
    said.pop("digest")
    said["digest"] = f"sha256:{sha256(canonical(said)).hexdigest()}"
    repack(path, {record: canonical(said)})
    return index


@tampering("pack: record without its proof", "pack")
def proof_removed(path: Path, context: Context) -> int | None:
    index = indexes(path)[2]
    repack(path, {names(index)[1]: None})
    return None


@tampering("pack: two records under each other's names", "pack")
def records_swapped(path: Path, context: Context) -> int | None:
    first, second = indexes(path)[:2]
    one, other = names(first)[0], names(second)[0]
    repack(path, {one: content(path, other), other: content(path, one)})
    return first


@tampering("pack: two proofs under each other's names", "pack")
def proofs_swapped(path: Path, context: Context) -> int | None:
    first, second = indexes(path)[:2]
    one, other = names(first)[1], names(second)[1]
    repack(path, {one: content(path, other), other: content(path, one)})
    return first


@tampering("pack: proof with a checkpoint that is signed, but is not the pack's", "pack")
def other_note(path: Path, context: Context) -> int | None:
    index = indexes(path)[3]
    name = names(index)[1]
    found = parse_proof(content(path, name))
    witness = Cosigner("w9.example", Ed25519PrivateKey.generate())
    repack(path, {name: proof_of(index, found.hashes, found.note + witness.line(found.note).encode())})
    return index


@tampering("pack: hash of a proof changed", "pack")
def hash_changed(path: Path, context: Context) -> int | None:
    index = indexes(path)[3]
    name = names(index)[1]
    found = parse_proof(content(path, name))
    repack(path, {name: proof_of(index, [bytes(32), *found.hashes[1:]], found.note)})
    return index


@tampering("pack: record from another release, with a good proof", "pack")
def other_release(path: Path, context: Context) -> int | None:
    about = {"kind": "Release", "name": release(path)["name"]}

    def foreign(subject: dict[str, str]) -> bool:
        return subject["kind"] == about["kind"] and subject["name"] != about["name"]

    return _with_foreign(path, context, foreign)


def _with_foreign(path: Path, context: Context, foreign: Any) -> int:
    found = entries(context.published.directory)
    there = indexes(path)
    subjects = [json.loads(entry)["subject"] for entry in found]
    index = next(place for place, one in enumerate(subjects) if foreign(one) and place not in there)
    note = content(path, "checkpoint")
    size = json.loads(content(path, "pack.json"))["size"]
    record, its_proof = names(index)
    repack(path, {record: found[index], its_proof: proof(found[:size], index, note)})
    return index


@tampering("pack: record about something that no release is about, with a good proof", "pack")
def foreign_kind(path: Path, context: Context) -> int | None:
    kinds = ("Release", "ManagedService", "Decision")
    return _with_foreign(path, context, lambda subject: subject["kind"] not in kinds)


@tampering("pack: named as another release", "pack")
def renamed(path: Path, context: Context) -> int | None:
    repack(path, {}, release=release(path) | {"name": "another-9"})
    return None


@tampering("pack: named as a release of the same name with another uid", "pack")
def other_uid(path: Path, context: Context) -> int | None:
    repack(path, {}, release=release(path) | {"uid": "00000000-0000-0000-0000-000000000000"})
    return None


@tampering("pack: size is not the checkpoint's", "pack")
def other_size(path: Path, context: Context) -> int | None:
    repack(path, {}, size=json.loads(content(path, "pack.json"))["size"] + 1)
    return None


@tampering("pack: checkpoint signed by others under the log's name", "pack")
def swapped_key(path: Path, context: Context) -> int | None:
    text = content(path, "checkpoint").decode().rpartition("\n\n")[0] + "\n"
    forger = Signer.generate(text.split("\n", 1)[0])
    note = forger.note(text)
    changed: dict[str, bytes | None] = {"checkpoint": note, "keys.txt": forger.keys().encode()}
    for index in indexes(path):
        name = names(index)[1]
        changed[name] = proof_of(index, parse_proof(content(path, name)).hashes, note)
    changed[DSSE] = envelope(forger, base64.b64decode(json.loads(content(path, DSSE))["payload"]))
    repack(path, changed)
    return None


@tampering("pack: list in another spelling", "pack")
def list_spelled(path: Path, context: Context) -> int | None:
    said = json.loads(content(path, "pack.json"))
    repack(path, {"pack.json": json.dumps(said).encode()}, relist=False)
    return None


@tampering("pack: duplicate JSON keys in the list", "pack")
def list_twice(path: Path, context: Context) -> int | None:
    data = content(path, "pack.json").replace(b'{"files":', b'{"files":{},"files":', 1)
    repack(path, {"pack.json": data}, relist=False)
    return None


@tampering("pack: ZIP with duplicate names", "pack")
def duplicate_names(path: Path, context: Context) -> int | None:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("report.html", b"<p>all gates passed</p>")
    return None


@tampering("pack: ZIP with a path that leads out of it", "pack")
def path_outside(path: Path, context: Context) -> int | None:
    repack(path, {"samples/../../report.jsonl.gz": b""})
    return None
