"""Edits as they stand in a run's status, before they are made: with them the inverse is durable in one more place."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from feem.api.run import EditRecord
from feem.core.chaos.edit import Change, Edit, Field, Make, Remove, Tag, Target


def records_of(edits: Iterable[Edit]) -> list[EditRecord]:
    """Write edits down."""
    return [
        EditRecord(object=str(edit.target), action=type(edit).__name__, detail=_text(_detail(edit))) for edit in edits
    ]


def edits_of(records: Iterable[EditRecord]) -> tuple[Edit, ...]:
    """Read edits back; raises ValueError, KeyError or TypeError for what FEEM did not write."""
    return tuple(_edit(record.action, json.loads(record.detail)) for record in records)


def _text(wire: dict[str, Any]) -> str:
    return json.dumps(wire, separators=(",", ":"), sort_keys=True)


def _detail(edit: Edit) -> dict[str, Any]:
    if isinstance(edit, Make):
        return {"resource": edit.resource, "body": edit.body}
    target = edit.target
    wire: dict[str, Any] = {
        "resource": target.resource,
        "namespace": target.namespace,
        "name": target.name,
        "uid": target.uid,
    }
    if isinstance(edit, Change):
        wire |= {"fields": [item.wire() for item in edit.fields], "subresource": edit.subresource}
    if isinstance(edit, Remove):
        wire |= {"evict": edit.evict, "graceSeconds": edit.grace_seconds}
    return wire


def _edit(action: str, wire: dict[str, Any]) -> Edit:
    if action == "Make":
        return Make(wire["resource"], wire["body"])
    target = Target(wire["resource"], wire["namespace"], wire["name"], wire["uid"])
    match action:
        case "Change":
            return Change(target, tuple(Field.of(item) for item in wire["fields"]), wire["subresource"])
        case "Tag":
            return Tag(target)
        case "Remove":
            return Remove(target, wire["evict"], wire["graceSeconds"])
    raise ValueError(f"{action} is no edit")
