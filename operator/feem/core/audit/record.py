"""The next entry of the audit log: numbered, dated, chained to the one before by its digest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from feem.api.audit import AuditSpec, Part, Subject
from feem.core.audit.entry import canonical_bytes
from feem.core.audit.texts import checked_name, sentence, shown
from feem.core.digest import digest_of
from feem.core.tlog.tile import MAX_ENTRY

MAX_MESSAGE = 4096
MAX_REASON = 128
MAX_EFFECTS = 32
MAX_EFFECT = 512
_DIGEST_MEMBER = 96
"""Bytes that the digest adds to an entry, and some."""


@dataclass(frozen=True)
class Statement:
    """What an entry says, without its place in the log."""

    action: str
    part: Part
    subject: Subject
    actor: str
    reason: str = ""
    message: str = ""
    effects: tuple[str, ...] = ()
    evidence: str = ""
    intent: int | None = None


def name_of(index: int) -> str:
    """Return the object name of the entry at this index; fixed width, so that names sort as numbers do."""
    return f"{index:012d}"


def next_record(head: AuditSpec | None, statement: Statement, now: datetime, epoch: int) -> AuditSpec:
    """Return the entry that follows `head` (None: the log is empty).

    Texts too long for the API are cut, and end in `…`; of an entry too long for the log, the largest text is replaced by its digest.
    Raises Unrecordable for the name of an actor or object that could be taken for another one.
    """
    if (statement.part is Part.OUTCOME) != (statement.intent is not None):
        raise ValueError(f"an Outcome names its Intent and nothing else does: {statement}")
    checked_name("the actor", statement.actor)
    checked_name(f"the {statement.subject.kind}", statement.subject.name)
    wire: dict[str, Any] = {
        "index": 0 if head is None else head.index + 1,
        "time": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "actor": statement.actor,
        "action": statement.action,
        "part": statement.part.value,
        "subject": statement.subject.wire(),
        "reason": _cut(shown(statement.reason), MAX_REASON),
        "message": _cut(sentence(statement.message), MAX_MESSAGE),
        "effects": _effects(statement.effects),
        "evidence": statement.evidence,
        "epoch": epoch,
        "previous": "" if head is None else head.digest,
    }
    if statement.intent is not None:
        wire["intent"] = statement.intent
    wire = _within_bounds(wire)
    return AuditSpec.model_validate({**wire, "digest": digest_of(wire)})


def record_digest(wire: dict[str, Any]) -> str:
    """Return the digest an entry in wire form ought to carry: over every field but `digest`, known to this version or not."""
    return digest_of({key: value for key, value in wire.items() if key != "digest"})


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _within_bounds(wire: dict[str, Any]) -> dict[str, Any]:
    """Replace effects, then the message, by their digest, as far as the entry is too long for the log."""
    for field in ("effects", "message"):
        if len(canonical_bytes(wire)) <= MAX_ENTRY - _DIGEST_MEMBER:
            break
        said = f"{len(canonical_bytes(wire[field]))} bytes, too long for the log: {digest_of(wire[field])}"
        wire = {**wire, field: [said] if field == "effects" else said}
    return wire


def _effects(effects: tuple[str, ...]) -> list[str]:
    """Return the announced writes within the API's bounds; a longer list ends in how many more there are."""
    kept = effects if len(effects) <= MAX_EFFECTS else effects[: MAX_EFFECTS - 1]
    more = [] if kept is effects else [f"… and {len(effects) - len(kept)} more"]
    return [_cut(shown(effect), MAX_EFFECT) for effect in kept] + more
