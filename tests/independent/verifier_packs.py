"""Evidence packs: one ZIP that proves what became of one release."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tests.independent.verifier_documents import (
    HEX,
    Members,
    check_statement,
    items,
    members,
    open_envelope,
    read_dossier,
    text,
)
from tests.independent.verifier_faults import RejectedError
from tests.independent.verifier_json import parse_canonical
from tests.independent.verifier_notes import Checkpoint, Key, open_checkpoint
from tests.independent.verifier_proofs import check_inclusion, parse_proof
from tests.independent.verifier_records import Record, Walk
from tests.independent.verifier_tiles import Archive

FORMAT = "feem.dev/evidence-pack@v1"
FIXED = ("README.md", "report.html", "checkpoint", "keys.txt", "attestation.dsse.json", "dossier.json")
NUMBERED = re.compile(r"(?:records/(\d{12})\.json|proofs/(\d{12})\.tlog-proof)", re.ASCII)
SAMPLE = re.compile(r"samples/([^/]+)\.jsonl\.gz")


@dataclass(frozen=True)
class Pack:
    """A pack whose files are the ones that its list says."""

    origin: str
    size: int
    release: Members
    files: dict[str, bytes]


def index_of(name: str) -> int | None:
    """Say which entry a file of a pack is about."""
    found = NUMBERED.fullmatch(name)
    return int(found[1] or found[2]) if found else None


def names_of(index: int) -> tuple[str, str]:
    """Name an entry's record and proof."""
    return f"records/{index:012d}.json", f"proofs/{index:012d}.tlog-proof"


def open_pack(path: Path) -> Pack:
    """Read the list, and every file against it."""
    archive = Archive(path)
    listed = members(parse_canonical(_content(archive, "pack.json")), "pack.json")
    if listed.get("format") != FORMAT or set(listed) != {"format", "origin", "size", "release", "files"}:
        raise RejectedError(f"pack.json is not a {FORMAT} with origin, size, release and files")
    release = members(listed["release"], "pack.json's release")
    if set(release) != {"namespace", "name", "uid"} or not all(isinstance(one, str) for one in release.values()):
        raise RejectedError("pack.json's release is not namespace, name and uid")
    if type(listed["size"]) is not int:
        raise RejectedError("pack.json's size is not a number")
    digests = members(listed["files"], "pack.json's files")
    _complete(set(archive.names), set(digests))
    files = {name: _content(archive, name) for name in archive.names if name != "pack.json"}
    for name, data in sorted(files.items()):
        if not HEX.fullmatch(text(digests[name], "digest in pack.json")) or sha256(data).hexdigest() != digests[name]:
            raise RejectedError(f"{name} is not the file that pack.json lists")
    return Pack(text(listed["origin"], "pack.json's origin"), listed["size"], release, files)


def _complete(there: set[str], digests: set[str]) -> None:
    """Check that the pack has what the list says, what each pack has, and nothing else."""
    for name in sorted((there | digests | set(FIXED)) - {"pack.json"}):
        if name not in there or name not in digests:
            raise RejectedError(f"{name[:80]} is not both in the pack and in its list")
        index = index_of(name)
        if index is not None and not there.issuperset(names_of(index)):
            raise RejectedError(f"pack does not have both the record and the proof of entry {index}")
        if index is None and name not in FIXED and not SAMPLE.fullmatch(name):
            raise RejectedError(f"pack has a file that packs do not have: {name[:80]!r}")


def _content(archive: Archive, name: str) -> bytes:
    data = archive.read(name)
    if data is None:
        raise RejectedError(f"pack has no {name}")
    return data


def check_pack(path: Path, keys: Sequence[Key]) -> tuple[Checkpoint, int]:
    """Check everything that a pack says of itself. Returns its checkpoint and how many records it proves."""
    pack = open_pack(path)
    checkpoint = open_checkpoint(pack.files["checkpoint"], keys)
    if (pack.origin, pack.size) != (checkpoint.origin, checkpoint.size):
        raise RejectedError("pack.json says another origin or size than the checkpoint")
    attestation = pack.files["attestation.dsse.json"]
    payload = open_envelope(attestation, checkpoint.origin, keys)
    check_statement(payload, pack.release, sha256(pack.files["dossier.json"]).hexdigest())
    dossier = read_dossier(pack.files["dossier.json"], checkpoint.origin, pack.release)
    _check_samples(pack, dossier)
    records = _check_records(pack, checkpoint, dossier)
    evidence = f"sha256:{sha256(attestation).hexdigest()}"
    if not any(record.evidence == evidence and record.subject["kind"] == "Release" for record in records):
        raise RejectedError("no record in the pack has the attestation's digest as its evidence")
    return checkpoint, len(records)


def _check_samples(pack: Pack, dossier: Members) -> None:
    named = {
        f"samples/{one.get('name')}.jsonl.gz": one.get("sha256") for one in items(dossier.get("samples"), "samples")
    }
    there = {name for name in pack.files if SAMPLE.fullmatch(name)}
    for name in sorted(there ^ named.keys()):
        raise RejectedError(f"{name[:80]} is not both in the pack and in the dossier")
    for name, digest in sorted(named.items()):
        if sha256(pack.files[name]).hexdigest() != digest:
            raise RejectedError(f"{name} is not the samples that the dossier names")


def _check_records(pack: Pack, checkpoint: Checkpoint, dossier: Members) -> list[Record]:
    walk, records = Walk(whole=False), []
    for index in sorted({found for name in pack.files if (found := index_of(name)) is not None}):
        try:
            record = walk.step(index, _proven(index, pack, checkpoint))
            _belongs(record, pack.release, dossier)
        except RejectedError as problem:
            raise problem.at(index) from problem
        records.append(record)
    return records


def _proven(index: int, pack: Pack, checkpoint: Checkpoint) -> bytes:
    entry, data = (pack.files[name] for name in names_of(index))
    proof = parse_proof(data)
    if proof.index != index:
        raise RejectedError(f"proof is for index {proof.index}")
    if proof.note != pack.files["checkpoint"]:
        raise RejectedError("proof has another checkpoint than the pack")
    check_inclusion(proof, entry, checkpoint)
    return entry


def _belongs(record: Record, release: Members, dossier: Members) -> None:
    subject = record.subject
    decided = [one.get("name") for one in items(dossier.get("decisions"), "dossier's decisions")]
    if subject["namespace"] == release["namespace"]:
        if subject["kind"] == "Release" and (subject["name"], subject["uid"]) == (release["name"], release["uid"]):
            return
        if subject["kind"] == "ManagedService" and subject["name"] == dossier["release"]["service"]:
            return
        if subject["kind"] == "Decision" and subject["name"] in decided:
            return
    raise RejectedError(
        f"record is about {subject['kind']} {subject['namespace']}/{subject['name']}, not about the pack's release"
    )
