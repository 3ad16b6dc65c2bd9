"""A sample log and all that auditors get of it: the evidence pack of a release, the report of a game day, a proof."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.independent.samplefiles import files_of, listed, write_zip
from tests.independent.samplelog import Cosigner, Record, Signer, chain, encode64, proof, publish, vkey
from tests.independent.samplerecords import ORIGIN, STEPS, digest, is_run, records, subject
from tests.independent.sampleruns import ends, report
from tests.independent.verifier_documents import GATES, PAYLOAD_TYPE, PREDICATE, STATEMENT, pre_authentication
from tests.independent.verifier_json import canonical
from tests.independent.verifier_lists import names_of


@dataclass(frozen=True)
class Published:
    """What an auditor has of a log; `signer` is what only the bank should have, None when it is not known."""

    directory: Path
    bundle: Path
    pack: Path
    report: Path
    proof: Path
    entry: Path
    held: Path
    keys: str
    signer: Signer | None


def _documents(signer: Signer, number: int) -> dict[str, bytes]:
    """Write a release's dossier, samples and signed attestation."""
    samples = gzip.compress(b'{"at":1,"value":0.25}\n{"at":2,"value":0.5}\n', mtime=0)
    release = subject("Release", number)
    gates = [{"name": "approvals", "kind": "Approvals", "stage": "Start", "outcome": "Passed", "reason": "Approved"}]
    gates[0]["message"] = "1 of 1 approvals, by risk-officer (risk)"
    image = sha256(b"image %d" % number).hexdigest()
    dossier = {
        "format": "feem.dev/dossier@v1",
        "origin": signer.origin,
        "release": {name: release[name] for name in ("namespace", "name", "uid")}
        | {"service": "scoring", "digest": f"sha256:{image}", "requestedBy": "release-pipeline", "author": "team-dev"}
        | {"createdAt": "2026-11-02T09:00:00Z", "plan": {"steps": [{"weight": 20, "bakeSeconds": 600}]}},
        "result": {
            "reason": "Promoted",
            "message": "all steps held",
            "at": "2026-11-02T10:00:00Z",
            "step": 1,
            "weight": 100,
        },
        "gates": gates,
        "decisions": [{"name": subject("Decision", number)["name"], "verb": "Approve", "by": "risk-officer"}],
        "objectives": [{"target": 0.999, "windowSeconds": 300}],
        "verdicts": [{"objective": "errors", "outcome": "Met", "total": "18014398509481984"}],
        "manifests": {"before": {}, "after": {"env": [{"name": "TOKEN", "value": "redacted sha256:0123456789ab"}]}},
        "samples": [{"name": "tape-errors", "sha256": sha256(samples).hexdigest(), "digest": digest(b"tape")}],
    }
    told = canonical(dossier)
    attestation = envelope(signer, canonical(_statement(release, image, gates, sha256(told).hexdigest())))
    return {"attestation.dsse.json": attestation, "dossier.json": told, "samples/tape-errors.jsonl.gz": samples}


def _statement(release: dict[str, str], image: str, gates: list[dict[str, str]], dossier: str) -> Record:
    return {
        "_type": STATEMENT,
        "subject": [{"name": "pod-template", "digest": {"sha256": image}}],
        "predicateType": PREDICATE,
        "predicate": {
            "verifier": {"id": "https://feem.dev"},
            "timeVerified": "2026-11-02T10:00:00Z",
            "resourceUri": f"feem.dev/releases/{release['namespace']}/{release['name']}",
            "policy": {"uri": "feem.dev/complianceprofiles/strict", "digest": {"sha256": image}},
            "inputAttestations": [{"uri": "dossier.json", "digest": {"sha256": dossier}}],
            "verificationResult": "PASSED",
            "verifiedLevels": ["FEEM_GATES_PASSED"],
            GATES: gates,
        },
    }


def envelope(signer: Signer, payload: bytes) -> bytes:
    """Sign a payload as DSSE has it."""
    signature = signer.ed25519.sign(pre_authentication(payload))
    signatures = [{"keyid": signer.plain.id.hex(), "sig": encode64(signature)}]
    return canonical({"payloadType": PAYLOAD_TYPE, "payload": encode64(payload), "signatures": signatures})


def _pack(
    entries: Sequence[bytes], number: int, documents: dict[str, bytes], note: bytes, keys: str
) -> dict[str, bytes]:
    first = number * len(STEPS)
    files = documents | {"checkpoint": note, "keys.txt": keys.encode()}
    files |= {"README.md": b"# How to verify\n", "report.html": b"<!doctype html><title>scoring</title>\n"}
    for index in range(first, first + len(STEPS) - 1):
        record, its_proof = names_of(index)
        files |= {record: entries[index], its_proof: proof(entries, index, note)}
    release = subject("Release", number)
    release.pop("kind")
    return listed(files, format="feem.dev/evidence-pack@v1", origin=ORIGIN, size=len(entries), release=release)


def sample(folder: Path, count: int = 600) -> Published:
    """Write a log of `count` records (at least 24) and all that auditors get of it."""
    signer, witness = Signer.generate(ORIGIN), Cosigner("witness.example/w1", Ed25519PrivateKey.generate())
    numbers = range(count // len(STEPS))
    number = max(number for number in numbers if not is_run(number))
    documents = _documents(signer, number)
    told = ends(numbers) | {number: digest(documents["attestation.dsse.json"])}
    entries = chain(records(count, told))
    directory, keys = folder / "log", f"# keys of {ORIGIN}\n{signer.keys()}\n{vkey(witness.key)}\n"
    publish(directory, entries, signer)
    note = (directory / "checkpoint").read_bytes()
    note += witness.line(note).encode()
    (directory / "checkpoint").write_bytes(note)
    (directory / "keys.txt").write_text(keys, encoding="utf-8")
    index = count * 5 // 8
    found = Published(
        directory=directory,
        bundle=folder / "log.zip",
        pack=folder / "evidence.zip",
        report=folder / "game-day.zip",
        proof=folder / f"{index:012d}.tlog-proof",
        entry=folder / f"{index:012d}.json",
        held=folder / "held-checkpoint",
        keys=keys,
        signer=signer,
    )
    found.proof.write_bytes(proof(entries, index, note))
    found.entry.write_bytes(entries[index])
    found.held.write_bytes(signer.checkpoint(entries[: count * 2 // 3]))
    write_zip(found.bundle, files_of(directory))
    write_zip(found.pack, _pack(entries, number, documents, note, keys))
    write_zip(found.report, report(entries, note, keys))
    return found
