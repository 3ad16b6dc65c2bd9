"""Entries as somebody else wrote them: read strictly, for whatever has two readings can be told in two ways."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import datetime
from typing import Any

from feem.core.audit.entry import canonical_bytes
from feem.core.audit.record import record_digest
from feem.core.digest import EXACT

MEMBERS: dict[str, type] = {
    "index": int,
    "time": str,
    "actor": str,
    "action": str,
    "part": str,
    "subject": dict,
    "epoch": int,
    "previous": str,
    "digest": str,
    "reason": str,
    "message": str,
    "effects": list,
    "evidence": str,
    "intent": int,
}
"""The members of an entry, as in `AuditSpec`. One that is not among them is refused: nobody would know what it was meant to say."""
_NEEDED = MEMBERS.keys() - {"reason", "message", "effects", "evidence", "intent"}
_SUBJECT = {"kind", "namespace", "name", "uid"}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|\+00:00)", re.ASCII)
_DIGEST = re.compile(r"(sha256:[0-9a-f]{64})?")


def read_entry(data: bytes) -> tuple[Any, str]:
    """Return the JSON of an entry as published, and the digest it ought to carry.

    Raises ValueError unless the bytes are RFC 8785: one spelling, no member twice, no floats, integers below 2**53.
    """
    wire = json.loads(data.decode(), parse_float=_no_float, parse_int=_integer, parse_constant=_no_float)
    if canonical_bytes(wire) != data:
        raise ValueError("it is not in canonical form (RFC 8785)")
    check_form(wire)
    member = f'"digest":{json.dumps(wire["digest"])},'.encode()
    if data.count(member) != 1:
        return wire, record_digest(wire)
    return wire, "sha256:" + hashlib.sha256(data.replace(member, b"", 1)).hexdigest()


def check_form(wire: Any) -> None:
    """Raise ValueError unless a JSON value has the members of an entry, each of the form that docs/audit-format.md gives it."""
    if not isinstance(wire, dict) or not wire.keys() >= _NEEDED:
        raise ValueError("it has not the members of an audit entry")
    for name, value in wire.items():
        if name not in MEMBERS:
            raise ValueError(f"it has the member {name[:60]!r}, which entries do not have")
        if type(value) is not MEMBERS[name] or (type(value) is int and value < 0):
            raise ValueError(f"its {name} is not of the form of an entry's")
    _check_subject(wire["subject"])
    if not all(type(effect) is str for effect in wire.get("effects", ())):
        raise ValueError("its effects are not all text")
    if not _is_time(wire["time"]):
        raise ValueError(f"its time {wire['time'][:60]!r} is not RFC 3339 in UTC")
    for name in ("previous", "evidence"):
        if not _DIGEST.fullmatch(wire.get(name, "")):
            raise ValueError(f"its {name} is not sha256: and 64 hex digits")


def _check_subject(subject: dict[str, Any]) -> None:
    if subject.keys() != _SUBJECT or not all(type(value) is str for value in subject.values()):
        raise ValueError("its subject is not kind, namespace, name and uid as text")
    if not subject["kind"] or not subject["name"]:
        raise ValueError("its subject has no kind or no name")


def _is_time(text: str) -> bool:
    if not _TIME.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def readable(wire: Any) -> bool:
    """Whether a JSON value has what an entry is known by."""
    return (
        isinstance(wire, dict)
        and type(wire.get("index")) is int
        and type(wire.get("epoch")) is int
        and all(isinstance(wire.get(key), str) for key in ("time", "part", "previous", "digest"))
    )


def _no_float(text: str) -> Any:
    raise ValueError(f"it has the number {text}; entries have integers only")


def _integer(text: str) -> int:
    value = int(text)
    if abs(value) >= EXACT:
        raise ValueError(f"it has the number {text[:40]}, beyond 2**53")
    return value
