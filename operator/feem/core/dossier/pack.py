"""Evidence packs: what stands in one, and whether all of it is proven by the log."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from feem.core.audit.verify import Fault, Finding
from feem.core.digest import canonical
from feem.core.dossier.attestation import AttestationError, open_envelope
from feem.core.dossier.parts import (
    CHECKPOINT,
    INDEX,
    KEYS,
    README,
    REPORT,
    WHICH,
    Broken,
    Read,
    check_files,
    opened_of,
    read_index,
    records_of,
    sums_of,
)
from feem.core.tlog.signing import Opened
from feem.core.tlog.vkey import Key

FORMAT = "feem.dev/evidence-pack@v1"
ATTESTATION, DOSSIER = "attestation.dsse.json", "dossier.json"
_PLACES = re.compile(r"records/[0-9]{12}\.json|proofs/[0-9]{12}\.tlog-proof|samples/[a-z0-9.-]+\.jsonl\.gz")
NEEDED = (README, REPORT, CHECKPOINT, KEYS, ATTESTATION, DOSSIER)


def samples_path(name: str) -> str:
    """Return where a file of samples stands."""
    return f"samples/{name}.jsonl.gz"


def index_of(opened: Opened, release: Mapping[str, Any], files: Mapping[str, bytes]) -> bytes:
    """Return `pack.json`: which release the pack is of, and the SHA-256 of every other file."""
    about = {key: release[key] for key in WHICH}
    head, sums = opened.checkpoint, sums_of(files)
    return canonical({"format": FORMAT, "origin": head.origin, "size": head.size, "release": about, "files": sums})


@dataclass(frozen=True)
class PackVerdict:
    """What a check of a pack found; `release`, or the number of `runs` of a game day, and `records` as far as they could be read."""

    findings: tuple[Finding, ...]
    opened: Opened | None = None
    release: str = ""
    records: int = 0
    runs: int = 0

    @property
    def kind(self) -> str:
        """What it is called."""
        return "game day report" if self.runs else "evidence pack"

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    @property
    def about(self) -> str:
        """What the pack is of, for people."""
        of = f"{self.runs} chaos run{'s' if self.runs > 1 else ''}" if self.runs else f"Release {self.release}"
        return f"{self.records} records of {of}"


def verify_pack(read: Read, names: Collection[str], keys: Sequence[Key]) -> PackVerdict:
    """Check a pack from its files alone: each is listed, each record is in the log, and the records vouch for the rest."""
    findings: list[Finding] = []
    try:
        index = _index(read, names)
        opened = opened_of(read(CHECKPOINT), index, keys)
        records = dict(records_of(read, index, keys, findings))
        dossier = _dossier(read, index, records, keys)
        findings += _about(index, dossier, records)
        findings += _samples(index, dossier)
    except Broken as problem:
        return PackVerdict((*findings, Finding(None, Fault.PACK, str(problem))))
    release = f"{index['release']['namespace']}/{index['release']['name']}"
    return PackVerdict(tuple(findings), opened, release, len(records))


def _index(read: Read, names: Collection[str]) -> dict[str, Any]:
    index = read_index(read, FORMAT, ("release",))
    which = index["release"]
    if (
        not isinstance(which, dict)
        or set(which) != set(WHICH)
        or not all(isinstance(one, str) for one in which.values())
    ):
        raise Broken(f"{INDEX} does not say which release the pack is of")
    check_files(read, names, index, NEEDED, _PLACES)
    return index


def _dossier(
    read: Read,
    index: Mapping[str, Any],
    records: Mapping[int, dict[str, Any]],
    keys: Sequence[Key],
) -> dict[str, Any]:
    """Return the dossier, which the attestation names, which a record names."""
    envelope, data = read(ATTESTATION) or b"", read(DOSSIER) or b""
    digest = "sha256:" + hashlib.sha256(envelope).hexdigest()
    release = index["release"]
    if not any(wire.get("evidence") == digest and _same(wire["subject"], release) for wire in records.values()):
        raise Broken(f"no record of the release names {ATTESTATION} ({digest})")
    try:
        statement = open_envelope(envelope, keys)
        named = [
            item["digest"]["sha256"] for item in statement["predicate"]["inputAttestations"] if item["uri"] == DOSSIER
        ]
        dossier = json.loads(data)
        about = {key: dossier["release"][key] for key in WHICH}
        templates = [item["digest"]["sha256"] for item in statement["subject"] if item["name"] == "pod-template"]
        same = templates == [dossier["release"]["digest"].removeprefix("sha256:")]
    except (AttestationError, ValueError, KeyError, TypeError) as problem:
        raise Broken(f"{ATTESTATION}: {problem}") from problem
    if named != [hashlib.sha256(data).hexdigest()]:
        raise Broken(f"{DOSSIER} is not the one that {ATTESTATION} names")
    if about != release or not same:
        raise Broken(f"{DOSSIER} is of another release or change than the pack")
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
    return subject["kind"] == "Release" and all(subject.get(key) == release[key] for key in WHICH)
