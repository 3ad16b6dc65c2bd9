"""The signed statement about a release's gates: an in-toto Statement with a SLSA verification summary, to be put in a DSSE envelope."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from feem.core.digest import canonical
from feem.core.tlog.signing import verify_raw
from feem.core.tlog.vkey import Algorithm, Key

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
SUMMARY = "https://slsa.dev/verification_summary/v1"
GATES = "https://feem.dev/gates/v1"
GOOD = frozenset({"Promoted"})
"""How a release ends whose change passed."""


class AttestationError(ValueError):
    """The envelope cannot be believed; the sentence says why."""


def statement_of(dossier: Mapping[str, Any], verifier: str) -> dict[str, Any]:
    """Return the statement about a dossier; `verifier` names the operator and its version."""
    release, digest = dossier["release"], hashlib.sha256(canonical(dossier)).hexdigest()
    passed = dossier["result"]["reason"] in GOOD
    return {
        "_type": STATEMENT,
        "subject": _subjects(release),
        "predicateType": SUMMARY,
        "predicate": {
            "verifier": {"id": verifier},
            "timeVerified": dossier["result"]["at"],
            "resourceUri": f"feem.dev/releases/{release['namespace']}/{release['name']}",
            "policy": {
                "uri": f"feem.dev/complianceprofiles/{release['profile']}"
                if release["profile"]
                else "feem.dev/complianceprofiles",
                "digest": {"sha256": release["profileDigest"].removeprefix("sha256:")}
                if release["profileDigest"]
                else {},
            },
            "inputAttestations": [{"uri": "dossier.json", "digest": {"sha256": digest}}],
            "verificationResult": "PASSED" if passed else "FAILED",
            "verifiedLevels": ["FEEM_RELEASE_PROMOTED"] if passed else [],
            GATES: dossier["gates"],
        },
    }


def pre_authentication(payload_type: str, payload: bytes) -> bytes:
    """Return what a DSSE envelope's signature is over (its version 1)."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def open_envelope(data: bytes, keys: Sequence[Key]) -> dict[str, Any]:
    """Return the statement of an envelope that a known Ed25519 key of the log signed. Raises AttestationError."""
    try:
        envelope = json.loads(data)
        payload = base64.b64decode(envelope["payload"], validate=True)
        kind, signatures = envelope["payloadType"], [(one["keyid"], one["sig"]) for one in envelope["signatures"]]
        raws = [(str(key_id), base64.b64decode(raw, validate=True)) for key_id, raw in signatures]
    except (ValueError, KeyError, TypeError) as problem:
        raise AttestationError(f"it is no DSSE envelope ({problem})") from problem
    if kind != PAYLOAD_TYPE:
        raise AttestationError(f"its payload is of the type {kind!r}, not {PAYLOAD_TYPE}")
    known = {key.key_id.hex(): key for key in keys if key.algorithm is Algorithm.ED25519}
    signed = [(known[key_id], raw) for key_id, raw in raws if key_id in known]
    for key, raw in signed:
        if not verify_raw(key, pre_authentication(kind, payload), raw):
            raise AttestationError(f"its signature by {key.name} ({key.key_id.hex()}) is wrong")
    if not signed:
        raise AttestationError("no key of the log that is known signed it")
    statement = json.loads(payload)
    if (
        not isinstance(statement, dict)
        or statement.get("_type") != STATEMENT
        or statement.get("predicateType") != SUMMARY
    ):
        raise AttestationError("its payload is no in-toto Statement with a verification summary")
    return statement


def _subjects(release: Mapping[str, Any]) -> list[dict[str, Any]]:
    template = {"name": "pod-template", "digest": {"sha256": release["digest"].removeprefix("sha256:")}}
    images = [
        {"name": image["image"].partition("@")[0], "digest": {"sha256": image["image"].rpartition("@sha256:")[2]}}
        for image in release["images"]
        if "@sha256:" in image["image"]
    ]
    return [template, *images]
