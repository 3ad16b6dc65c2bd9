"""Decides whether the log's head may be signed, and what the AuditLog says of it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from feem.api.auditlog import AuditLogStatus, Vouched
from feem.api.base import Condition, ConditionStatus
from feem.core.conditions import condition
from feem.core.tlog.checkpoint import Checkpoint
from feem.core.tlog.signing import CheckpointError, open_checkpoint
from feem.core.tlog.tree import Tree
from feem.core.tlog.vkey import Key


@dataclass(frozen=True)
class Doubt:
    """Why a head must not be signed: one word, and a sentence with the next step."""

    reason: str
    message: str


def doubt_of(tree: Tree, note: str, where: str, keys: Sequence[Key], origin: str) -> Doubt | None:
    """Return why a head that was published before forbids to sign this tree; None when the tree goes on from it."""
    try:
        before = open_checkpoint(note, keys).checkpoint
    except CheckpointError as problem:
        text = f"the checkpoint in {where} is not by a key of this log ({problem}): give the log another origin, or remove that checkpoint"
        return Doubt("UnknownCheckpoint", text)
    if before.origin != origin:
        return Doubt("UnknownCheckpoint", f"the checkpoint in {where} is of the log {before.origin}, ours is {origin}")
    if before.size > tree.size:
        text = (
            f"{where} has a checkpoint over {before.size} entries, the store has {tree.size}: it was cut off or restored from an old "
            "backup; bring the missing entries back, or begin another log with a new origin"
        )
        return Doubt("PublishedAhead", text)
    if tree.root(before.size) != before.root:
        text = (
            f"the first {before.size} entries of the store are not those of the checkpoint in {where}: history was rewritten, or the "
            "store was restored and written to; compare both with `feem audit verify`, and begin another log with a new origin"
        )
        return Doubt("Forked", text)
    return None


@dataclass(frozen=True)
class Head:
    """A signed head and how far it got."""

    checkpoint: Checkpoint
    note: str
    signed_at: datetime
    published_at: datetime | None


def next_status(
    old: AuditLogStatus,
    head: Head | None,
    conditions: Sequence[Condition],
    *,
    keys: Sequence[str],
    witnesses: Sequence[Vouched],
    open_intents: int,
) -> AuditLogStatus:
    """Return what the AuditLog says now; without a new head that of before stays."""
    changes: dict[str, object] = {
        "keys": list(dict.fromkeys((*keys, *old.keys)))[:32],
        "witnesses": list(witnesses),
        "open_intents": open_intents,
        "conditions": list(conditions),
    }
    if head is not None:
        changes |= {
            "size": head.checkpoint.size,
            "root": base64.b64encode(head.checkpoint.root).decode(),
            "checkpoint": head.note,
            "signed_at": head.signed_at,
            "published_at": head.published_at or old.published_at,
        }
    return old.model_copy(update=changes)


def stated(old: Sequence[Condition], name: str, doubt: Doubt | None, good: tuple[str, str], now: datetime) -> Condition:
    """Return a condition: True with a reason and a sentence, or False with the doubt's; the time of an unchanged one stays."""
    status = ConditionStatus.TRUE if doubt is None else ConditionStatus.FALSE
    reason, text = good if doubt is None else (doubt.reason, doubt.message)
    new = condition(name, status, reason, text[:8192], now, 0)
    before = next((item for item in old if item.type == name), None)
    if before is None or before.status is not new.status:
        return new
    return new.model_copy(update={"last_transition_time": before.last_transition_time})
