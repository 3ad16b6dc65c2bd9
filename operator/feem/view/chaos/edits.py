"""The changes of a fault in words, from what a run's status says of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from feem.api.run import EditRecord
from feem.core.chaos.edit import LABEL, Change, Edit, Make, Remove, Tag
from feem.core.chaos.record import edits_of

MOST_SHOWN = 6
"""Changes of one run in a line of a terminal."""


@dataclass(frozen=True)
class Value:
    """One value that a fault replaces, as JSON; empty: there is none."""

    path: str
    before: str
    after: str


@dataclass(frozen=True)
class EditView:
    """One change: what it does to which object, and the values before and while the fault is in place."""

    object: str
    does: str
    values: tuple[Value, ...] = ()


def view_of(record: EditRecord) -> EditView:
    """Return a change in words; one that this version cannot read is shown as it is written."""
    try:
        edit = edits_of([record])[0]
    except (ValueError, KeyError, TypeError, AttributeError):
        return EditView(record.object, record.action, (Value("", "", record.detail),))
    return EditView(record.object, _does(edit), _values(edit, record))


def planned(records: Iterable[EditRecord]) -> str:
    """Say all changes in one line, those of a kind together: `evict Pod lending/a, Pod lending/b`."""
    groups: dict[str, list[str]] = {}
    for view in map(view_of, records):
        changes = ", ".join(
            f"{one.path} {one.before} to {one.after}" for one in view.values if one.before and one.after
        )
        groups.setdefault(f"{view.does} {changes} of" if changes else view.does, []).append(view.object)
    return "; ".join(f"{does} {_some(objects)}" for does, objects in groups.items())


def _some(objects: list[str]) -> str:
    more = len(objects) - MOST_SHOWN
    return ", ".join(objects[:MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _does(edit: Edit) -> str:
    if isinstance(edit, Remove):
        return "evict" if edit.evict else "delete"
    return {Make: "create", Change: "change", Tag: "mark"}[type(edit)]


def _values(edit: Edit, record: EditRecord) -> tuple[Value, ...]:
    if isinstance(edit, Change):
        return tuple(Value(one.path, *(_text(one.wire(), side) for side in ("before", "after"))) for one in edit.fields)
    if isinstance(edit, Make):
        return (Value("", "", _compact(json.loads(record.detail)["body"].get("spec"))),)
    if isinstance(edit, Tag):
        return (Value(f"label {LABEL}", "", "the run's UID"),)
    return ()


def _text(wire: dict[str, Any], side: str) -> str:
    return _compact(wire[side]) if side in wire else ""


def _compact(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(", ", ": "))
