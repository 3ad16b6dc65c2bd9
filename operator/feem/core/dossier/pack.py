"""Evidence packs: what stands in one, and whether all of it is proven by the log."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from feem.core.audit.record import name_of
from feem.core.audit.verify import Fault, Finding, Walk, read_entry
from feem.core.digest import canonical
from feem.core.dossier.attestation import AttestationError, open_envelope
from feem.core.tlog.proof import check_proof, parse_proof
from feem.core.tlog.signing import CheckpointError, Opened, open_checkpoint
from feem.core.tlog.vkey import Key

FORMAT = "feem.dev/evidence-pack@v1"
INDEX, README, REPORT = "pack.json", "README.md", "report.html"
CHECKPOINT, KEYS = "checkpoint", "keys.txt"
ATTESTATION, DOSSIER = "attestation.dsse.json", "dossier.json"
_PLACES = re.compile(r"records/[0-9]{12}\.json|proofs/[0-9]{12}\.tlog-proof|samples/[a-z0-9.-]+\.jsonl\.gz")
NEEDED = (README, REPORT, CHECKPOINT, KEYS, ATTESTATION, DOSSIER)


def record_path(index: int) -> str:
    """Return where a record's bytes stand."""
    return f"records/{name_of(index)}.json"


def proof_path(index: int) -> str:
    """Return where a record's proof stands."""
    return f"proofs/{name_of(index)}.tlog-proof"


def samples_path(name: str) -> str:
    """Return where a file of samples stands."""
    return f"samples/{name}.jsonl.gz"


def index_of(opened: Opened, release: Mapping[str, Any], files: Mapping[str, bytes]) -> bytes:
    """Return `pack.json`: which release the pack is of, and the SHA-256 of every other file."""
    about = {key: release[key] for key in ("namespace", "name", "uid")}
    sums = {path: hashlib.sha256(data).hexdigest() for path, data in files.items()}
    head = opened.checkpoint
    return canonical({"format": FORMAT, "origin": head.origin, "size": head.size, "release": about, "files": sums})


@dataclass(frozen=True)
class PackVerdict:
    """What a check of a pack found; `release` and `records` as far as they could be read."""

    findings: tuple[Finding, ...]
    opened: Opened | None = None
    release: str = ""
    records: int = 0

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


class _Broken(Exception):  # noqa: N818 - it ends the check, and says why
    pass


def verify_pack(read: Callable[[str], bytes | None], names: Collection[str], keys: Sequence[Key]) -> PackVerdict:
    """Check a pack from its files alone: each is listed, each record is in the log, and the records vouch for the rest."""
    findings: list[Finding] = []
    try:
        index = _index(read, names)
        opened = _opened(read(CHECKPOINT), index, keys)
        records = dict(_records(read, index, keys, findings))
        dossier = _dossier(read, index, records, keys)
        findings += _about(index, dossier, records)
        findings += _samples(index, dossier)
    except _Broken as problem:
        return PackVerdict((*findings, Finding(None, Fault.PACK, str(problem))))
    release = f"{index['release']['namespace']}/{index['release']['name']}"
    return PackVerdict(tuple(findings), opened, release, len(records))


def _index(read: Callable[[str], bytes | None], names: Collection[str]) -> dict[str, Any]:
    data = read(INDEX)
    if data is None:
        raise _Broken(f"there is no {INDEX}")
    try:
        index = json.loads(data)
        shaped = canonical(index) == data and index["format"] == FORMAT and isinstance(index["files"], dict)
        shaped = shaped and all(isinstance(index["release"][key], str) for key in ("namespace", "name", "uid"))
    except (ValueError, KeyError, TypeError) as problem:
        raise _Broken(f"{INDEX} cannot be read ({problem})") from problem
    if not shaped:
        raise _Broken(f"{INDEX} is not of the format {FORMAT}")
    if len(set(names)) != len(names):
        raise _Broken("a file stands in the pack twice")
    odd = set(names) ^ {INDEX, *index["files"]}
    odd |= {name for name in names if name not in (INDEX, *NEEDED) and not _PLACES.fullmatch(name)}
    missing = [name for name in NEEDED if name not in index["files"]]
    if odd or missing:
        raise _Broken(f"{min(odd or missing)} is missing, not listed in {INDEX}, or no file of a pack")
    for name, ought in index["files"].items():
        if hashlib.sha256(read(name) or b"").hexdigest() != ought:
            raise _Broken(f"{name} is not the file that {INDEX} lists")
    return dict(index)


def _opened(note: bytes | None, index: Mapping[str, Any], keys: Sequence[Key]) -> Opened:
    try:
        opened = open_checkpoint((note or b"").decode(), keys)
    except (CheckpointError, UnicodeDecodeError) as problem:
        raise _Broken(f"checkpoint: {problem}") from problem
    if (opened.checkpoint.origin, opened.checkpoint.size) != (index.get("origin"), index.get("size")):
        raise _Broken(f"{INDEX} names another origin or size than the checkpoint")
    return opened


def _records(
    read: Callable[[str], bytes | None], index: Mapping[str, Any], keys: Sequence[Key], findings: list[Finding]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the records that are proven, and note those that are not."""
    walk, last = Walk(), -2
    places = sorted(name for name in index["files"] if name.startswith("records/"))
    proofs = {name for name in index["files"] if name.startswith("proofs/")}
    wanted = {name.replace("records/", "proofs/").removesuffix(".json") + ".tlog-proof" for name in places}
    if proofs != wanted or not places:
        raise _Broken("each record has one proof, and there is at least one record")
    for path in places:
        stem = path.removeprefix("records/").removesuffix(".json")
        place = int(stem) if stem.isdecimal() and path == record_path(int(stem)) else None
        if place is None:
            raise _Broken(f"{path} is not named by a record's index")
        try:
            wire, digest = _proven(read, place, keys)
        except ValueError as problem:
            findings.append(Finding(place, Fault.PROOF, f"record {place}: {problem}"))
            continue
        if place != last + 1:
            walk = Walk(first=place, _index=place - 1, _digests=())
        walk.step(stem, wire, digest)
        findings += [found for found in walk.findings if found.fault in _ALONE]
        walk.findings.clear()
        last = place
        yield place, wire


def _proven(read: Callable[[str], bytes | None], place: int, keys: Sequence[Key]) -> tuple[Any, str]:
    """Return a record and the digest it ought to carry. Raises ValueError unless its proof leads to the pack's checkpoint."""
    data, proof = read(record_path(place)) or b"", parse_proof((read(proof_path(place)) or b"").decode())
    if proof.index != place:
        raise CheckpointError(f"its proof is of entry {proof.index}")
    if proof.checkpoint.encode() != read(CHECKPOINT):
        raise CheckpointError("its proof leads to another checkpoint")
    check_proof(proof, data, keys)
    return read_entry(data)


_ALONE = frozenset({Fault.MALFORMED, Fault.NAME, Fault.DIGEST, Fault.CHAIN})
"""What a record without all of its neighbours can be checked for."""


def _dossier(
    read: Callable[[str], bytes | None],
    index: Mapping[str, Any],
    records: Mapping[int, dict[str, Any]],
    keys: Sequence[Key],
) -> dict[str, Any]:
    """Return the dossier, which the attestation names, which a record names."""
    envelope, data = read(ATTESTATION) or b"", read(DOSSIER) or b""
    digest = "sha256:" + hashlib.sha256(envelope).hexdigest()
    release = index["release"]
    if not any(wire.get("evidence") == digest and _same(wire["subject"], release) for wire in records.values()):
        raise _Broken(f"no record of the release names {ATTESTATION} ({digest})")
    try:
        statement = open_envelope(envelope, keys)
        named = [
            item["digest"]["sha256"] for item in statement["predicate"]["inputAttestations"] if item["uri"] == DOSSIER
        ]
        dossier = json.loads(data)
        about = {key: dossier["release"][key] for key in ("namespace", "name", "uid")}
        templates = [item["digest"]["sha256"] for item in statement["subject"] if item["name"] == "pod-template"]
        same = templates == [dossier["release"]["digest"].removeprefix("sha256:")]
    except (AttestationError, ValueError, KeyError, TypeError) as problem:
        raise _Broken(f"{ATTESTATION}: {problem}") from problem
    if named != [hashlib.sha256(data).hexdigest()]:
        raise _Broken(f"{DOSSIER} is not the one that {ATTESTATION} names")
    if about != release or not same:
        raise _Broken(f"{DOSSIER} is of another release or change than the pack")
    return dict(dossier)


def _about(
    index: Mapping[str, Any], dossier: Mapping[str, Any], records: Mapping[int, dict[str, Any]]
) -> Iterator[Finding]:
    """Each record is about the release, its service, or a decision about it."""
    release, service = index["release"], dossier["release"].get("service")
    decisions = {decision.get("name") for decision in dossier.get("decisions") or ()}
    for place, wire in records.items():
        subject = wire["subject"]
        known = {"ManagedService": {service}, "Decision": decisions}.get(subject["kind"], set())
        near = subject["namespace"] == release["namespace"] and subject["name"] in known
        if not (near or _same(subject, release)):
            text = f"record {place} is about {subject['kind']} {subject['namespace']}/{subject['name']}, not about the pack's release"
            yield Finding(place, Fault.PACK, text)


def _samples(index: Mapping[str, Any], dossier: Mapping[str, Any]) -> Iterator[Finding]:
    named = {samples_path(each["name"]): each["sha256"] for each in dossier.get("samples") or ()}
    there = {path: ought for path, ought in index["files"].items() if path.startswith("samples/")}
    if named != there:
        path = min(set(named.items()) ^ set(there.items()))[0]
        yield Finding(None, Fault.PACK, f"{path} is not the file of samples that {DOSSIER} names")


def _same(subject: Mapping[str, Any], release: Mapping[str, Any]) -> bool:
    return subject["kind"] == "Release" and all(
        subject.get(key) == release[key] for key in ("namespace", "name", "uid")
    )
