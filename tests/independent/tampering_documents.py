"""Tampering with what a pack attests: the DSSE envelope, the dossier, the samples."""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from pathlib import Path

from tests.independent.sampledocuments import envelope
from tests.independent.samplefiles import read_zip
from tests.independent.samplelog import Signer, encode64
from tests.independent.tampering_files import content, indexes, repack
from tests.independent.tampering_kinds import Context, tampering
from tests.independent.tampering_pack import DSSE, release
from tests.independent.verifier_documents import pre_authentication
from tests.independent.verifier_json import canonical, parse
from tests.independent.verifier_lists import names_of


@tampering("pack: DSSE payload changed", "pack")
def payload_changed(path: Path, context: Context) -> int | None:
    said = json.loads(content(path, DSSE))
    payload = base64.b64decode(said["payload"]).replace(b"PASSED", b"FAILED", 1)
    repack(path, {DSSE: canonical(said | {"payload": encode64(payload)})})
    return None


@tampering("pack: DSSE signed by another key", "pack")
def signed_by_another(path: Path, context: Context) -> int | None:
    payload = base64.b64decode(json.loads(content(path, DSSE))["payload"])
    repack(path, {DSSE: envelope(Signer.generate("somebody.example/else"), payload)})
    return None


@tampering("pack: DSSE signed by another key under the log's key id", "pack")
def signed_under_id(path: Path, context: Context) -> int | None:
    said = json.loads(content(path, DSSE))
    forger = Signer.generate("somebody.example/else")
    wrong = encode64(forger.ed25519.sign(pre_authentication(base64.b64decode(said["payload"]))))
    signatures = [{"keyid": said["signatures"][0]["keyid"], "sig": wrong}]
    repack(path, {DSSE: canonical(said | {"signatures": signatures})})
    return None


@tampering("pack: DSSE with a wrong signature of a known key beside the good one", "pack")
def one_wrong_beside(path: Path, context: Context) -> int | None:
    said = json.loads(content(path, DSSE))
    wrong = said["signatures"][0] | {"sig": encode64(bytes(64))}
    repack(path, {DSSE: canonical(said | {"signatures": [*said["signatures"], wrong]})})
    return None


@tampering("pack: DSSE of another payload type", "pack")
def other_type(path: Path, context: Context) -> int | None:
    said = json.loads(content(path, DSSE))
    repack(path, {DSSE: canonical(said | {"payloadType": "application/json"})})
    return None


@tampering("pack: attestation rewritten and signed with the log's key, its record left", "pack", keys=True)
def attested_anew(path: Path, context: Context) -> int | None:
    payload = base64.b64decode(json.loads(content(path, DSSE))["payload"])
    changed = payload.replace(b"PASSED", b"FAILED") if b"PASSED" in payload else payload.replace(b"FAILED", b"PASSED")
    repack(path, {DSSE: envelope(context.signer, changed)})
    return None


@tampering("pack: attestation of another release, signed with the log's key", "pack", keys=True)
def attests_another(path: Path, context: Context) -> int | None:
    payload = base64.b64decode(json.loads(content(path, DSSE))["payload"])
    name = release(path)["name"].encode()
    changed = payload.replace(b"/" + name + b'"', b'/another-9"')
    repack(path, {DSSE: envelope(context.signer, changed)})
    return None


@tampering("pack: dossier swapped", "pack")
def dossier_swapped(path: Path, context: Context) -> int | None:
    dossier = parse(content(path, "dossier.json"), floats=True) | {"gates": []}
    repack(path, {"dossier.json": canonical(dossier)})
    return None


@tampering("pack: spaces in the dossier", "pack")
def dossier_spaces(path: Path, context: Context) -> int | None:
    repack(path, {"dossier.json": content(path, "dossier.json") + b"\n"})
    return None


def _samples(path: Path) -> list[str]:
    return sorted(name for name in read_zip(path) if name.startswith("samples/"))


@tampering("pack: samples changed", "pack")
def samples_changed(path: Path, context: Context) -> int | None:
    name = _samples(path)[0]
    repack(path, {name: content(path, name) + b"\x00"})
    return None


@tampering("pack: samples removed", "pack")
def samples_removed(path: Path, context: Context) -> int | None:
    repack(path, {_samples(path)[0]: None})
    return None


@tampering("pack: samples added that the dossier does not name", "pack")
def samples_added(path: Path, context: Context) -> int | None:
    repack(path, {"samples/more.jsonl.gz": b""})
    return None


@tampering("pack: record of the attestation left out", "pack")
def attest_removed(path: Path, context: Context) -> int | None:
    evidence = f"sha256:{sha256(content(path, DSSE)).hexdigest()}".encode()
    changed: dict[str, bytes | None] = {}
    for index in indexes(path):
        record, its_proof = names_of(index)
        if evidence in content(path, record):
            changed |= {record: None, its_proof: None}
    repack(path, changed)
    return None
