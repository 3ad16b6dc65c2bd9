"""The documents in an evidence pack: the DSSE envelope, the in-toto Statement in it, and the dossier it attests."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.independent.verifier_faults import RejectedError
from tests.independent.verifier_json import parse, parse_canonical
from tests.independent.verifier_notes import ED25519, Key

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/verification_summary/v1"
GATES = "https://feem.dev/gates/v1"
DOSSIER = "feem.dev/dossier@v1"
HEX = re.compile(r"[0-9a-f]{64}")
Members = dict[str, Any]


def members(value: Any, what: str) -> Members:
    if not isinstance(value, dict):
        raise RejectedError(f"{what} is not a JSON object")
    return value


def items(value: Any, what: str) -> list[Members]:
    if not isinstance(value, list):
        raise RejectedError(f"{what} is not a JSON array")
    return [members(item, f"an item of {what}") for item in value]


def text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise RejectedError(f"{what} is not text")
    return value


def pre_authentication(payload: bytes) -> bytes:
    """Give what a DSSE signature signs: the type and the payload, each with its length."""
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)


def open_envelope(data: bytes, origin: str, keys: Sequence[Key]) -> bytes:
    """Check the envelope's signatures and give its payload. One by a log's Ed25519 key must be there; none of them may be wrong."""
    envelope = members(parse(data), "attestation")
    if envelope.get("payloadType") != PAYLOAD_TYPE:
        raise RejectedError(f"attestation's payloadType is not {PAYLOAD_TYPE}")
    payload = _bytes(envelope.get("payload"), "attestation's payload")
    known = {key.id.hex(): key for key in keys if key.type == ED25519 and key.name == origin}
    good = 0
    for signature in items(envelope.get("signatures"), "attestation's signatures"):
        key = known.get(text(signature.get("keyid", ""), "attestation's keyid"))
        if key is None:
            continue
        try:
            sig = _bytes(signature.get("sig"), "attestation's signature")
            Ed25519PublicKey.from_public_bytes(key.public).verify(sig, pre_authentication(payload))
        except (InvalidSignature, ValueError) as problem:
            raise RejectedError(f"attestation's signature by {key.name} {key.id.hex()} does not verify") from problem
        good += 1
    if not good:
        raise RejectedError("attestation has no signature by a trusted Ed25519 key of the log")
    return payload


def _bytes(value: Any, what: str) -> bytes:
    """Read Base 64 of either alphabet, as DSSE allows."""
    try:
        standard = text(value, what).replace("-", "+").replace("_", "/").encode("ascii")
        return base64.b64decode(standard, validate=True)
    except (UnicodeEncodeError, binascii.Error) as problem:
        raise RejectedError(f"{what} is not Base 64") from problem


def check_statement(payload: bytes, release: Members, dossier_sha256: str) -> None:
    """Check that the Statement is about this release and attests this dossier."""
    statement = members(parse(payload, floats=True), "statement")
    if statement.get("_type") != STATEMENT or statement.get("predicateType") != PREDICATE:
        raise RejectedError("statement is not an in-toto Statement v1 with a verification summary v1")
    subjects = items(statement.get("subject"), "statement's subject")
    digests = [members(found.get("digest"), "subject's digest").get("sha256") for found in subjects]
    names = [found.get("name") for found in subjects]
    if "pod-template" not in names or not all(isinstance(one, str) and HEX.fullmatch(one) for one in digests):
        raise RejectedError("statement's subjects are not the pod-template and images, each with a SHA-256")
    predicate = members(statement.get("predicate"), "statement's predicate")
    if predicate.get("resourceUri") != f"feem.dev/releases/{release['namespace']}/{release['name']}":
        raise RejectedError(f"statement is about {predicate.get('resourceUri')!r}, not about the pack's release")
    if predicate.get("verificationResult") not in ("PASSED", "FAILED"):
        raise RejectedError("statement's verificationResult is neither PASSED nor FAILED")
    items(predicate.get(GATES), f"statement's {GATES}")
    inputs = items(predicate.get("inputAttestations"), "statement's inputAttestations")
    found = [
        members(one.get("digest"), "input's digest").get("sha256") for one in inputs if one.get("uri") == "dossier.json"
    ]
    if found != [dossier_sha256]:
        raise RejectedError("dossier.json is not the one that the statement attests")


def read_dossier(data: bytes, origin: str, release: Members) -> Members:
    """Read the dossier and check that it is about this release."""
    dossier = members(parse_canonical(data, floats=True), "dossier")
    if dossier.get("format") != DOSSIER or dossier.get("origin") != origin:
        raise RejectedError(f"dossier is not a {DOSSIER} of the log {origin}")
    found = members(dossier.get("release"), "dossier's release")
    for name in ("namespace", "name", "uid"):
        if found.get(name) != release[name]:
            raise RejectedError(f"dossier is about another release: {name} {found.get(name)!r}")
    text(found.get("service"), "dossier's service")
    return dossier
