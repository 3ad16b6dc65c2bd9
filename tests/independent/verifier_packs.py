"""Evidence packs: one ZIP that proves what became of one release."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from tests.independent.verifier_documents import Members, check_statement, items, open_envelope, read_dossier
from tests.independent.verifier_faults import RejectedError
from tests.independent.verifier_lists import Form, Listed, named, open_list, proven_records, signed
from tests.independent.verifier_notes import Checkpoint, Key
from tests.independent.verifier_records import Record

SAMPLE = re.compile(r"samples/([^/]+)\.jsonl\.gz")
FORM = Form(
    format="feem.dev/evidence-pack@v1",
    about=("release",),
    fixed=("README.md", "report.html", "checkpoint", "keys.txt", "attestation.dsse.json", "dossier.json"),
    many=SAMPLE,
)


def check_pack(path: Path, keys: Sequence[Key]) -> tuple[Checkpoint, int]:
    """Check everything that a pack says of itself. Returns its checkpoint and how many records it proves."""
    pack = open_list(path, FORM)
    release = named(pack.about["release"], "pack.json's release")
    checkpoint = signed(pack, keys)
    attestation = pack.files["attestation.dsse.json"]
    payload = open_envelope(attestation, checkpoint.origin, keys)
    check_statement(payload, release, sha256(pack.files["dossier.json"]).hexdigest())
    dossier = read_dossier(pack.files["dossier.json"], checkpoint.origin, release)
    _check_samples(pack, dossier)
    records = []
    for record in proven_records(pack, checkpoint):
        try:
            _belongs(record, release, dossier)
        except RejectedError as problem:
            raise problem.at(record.index) from problem
        records.append(record)
    evidence = f"sha256:{sha256(attestation).hexdigest()}"
    if not any(record.evidence == evidence and record.subject["kind"] == "Release" for record in records):
        raise RejectedError("no record in the pack has the attestation's digest as its evidence")
    return checkpoint, len(records)


def _check_samples(pack: Listed, dossier: Members) -> None:
    told = {
        f"samples/{one.get('name')}.jsonl.gz": one.get("sha256") for one in items(dossier.get("samples"), "samples")
    }
    there = {name for name in pack.files if SAMPLE.fullmatch(name)}
    for name in sorted(there ^ told.keys()):
        raise RejectedError(f"{name[:80]} is not both in the pack and in the dossier")
    for name, digest in sorted(told.items()):
        if sha256(pack.files[name]).hexdigest() != digest:
            raise RejectedError(f"{name} is not the samples that the dossier names")


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
