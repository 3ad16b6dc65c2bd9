"""How a fault is taken back: what is still as the fault left it, and nothing else.

What a person edited since is theirs: it stays, and the run says so. JSON Patch (RFC 6902) with `test` operations lets the API server
itself look once more, in the same request.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from feem.core.chaos.edit import ABSENT, ANNOTATION, LABEL, Body, Change, Field, Mark, Tag, mark_of
from feem.core.chaos.pointer import steps_of, value_at
from feem.core.chaos.quantity import same
from feem.core.chaos.room import too_low_a_limit
from feem.core.ownership import FIELD_MANAGER

Operation = dict[str, Any]
_MARK = "/metadata/annotations/" + ANNOTATION.replace("/", "~1")
_LABEL = "/metadata/labels/" + LABEL.replace("/", "~1")
_VERSION = "/metadata/resourceVersion"


@dataclass(frozen=True)
class Nothing:
    """There is nothing of the fault on the object."""


@dataclass(frozen=True)
class Delete:
    """The object is the fault's own."""


@dataclass(frozen=True)
class Restore:
    """Patch back the values that are still the fault's, then take the mark off.

    Where there are `values`, `mark` is made anew from what their request returns, for it takes them out of what FEEM owns.
    """

    values: tuple[Operation, ...]
    mark: tuple[Operation, ...]


Undo = Nothing | Delete | Restore


class Taken(Exception):  # noqa: N818 - an outcome, as in the ports
    """The object carries another run's fault, or is not as it was when the fault was planned."""


def undo(body: Body, run_uid: str | None = None) -> Undo:
    """Return how to take a fault off an object; with `run_uid`, only that run's. Raises MarkUnreadable."""
    mark = mark_of(body)
    if mark is None or (run_uid is not None and mark.run_uid != run_uid):
        return Nothing()
    if mark.made:
        return Delete()
    back: list[Operation] = []
    for item in mark.fields:
        now = value_at(body, item.path)
        if same(item.path, now, item.after) and not too_low_a_limit(body, item, mark.fields):
            back += _replace(body, item.path, now, item.before)
    return Restore(tuple(back), tuple(_unmark(body, mark)))


def subresource_of(body: Body) -> str:
    """Return where the values of an object's mark have to be written; empty for the object itself. Raises MarkUnreadable."""
    mark = mark_of(body)
    resized = mark is not None and any("/resources/" in item.path for item in mark.fields)
    return "resize" if resized else ""


def injection(body: Body, edit: Change | Tag, mark: Mark) -> tuple[tuple[Operation, ...], tuple[Operation, ...]]:
    """Return the operations that mark an object, and those that change its values; both empty when it was done before.

    Raises Taken when it carries another mark, or is another object, or a value is not what the fault was planned on. Another run's
    annotation without a label is a leftover: controllers copy annotations, e.g. from a Deployment to its ReplicaSets and back.
    """
    there = mark_of(body)
    if body["metadata"]["uid"] != edit.target.uid:
        raise Taken(f"{edit.target} was replaced by another object of its name")
    fields = edit.fields if isinstance(edit, Change) else ()
    labelled = LABEL in (body["metadata"].get("labels") or {})
    if there is not None and (labelled or there.run_uid == mark.run_uid):
        if there.run_uid != mark.run_uid:
            raise Taken(f"{edit.target} carries the fault of ChaosRun {there.namespace}/{there.run}")
        return (), tuple(_values(body, there.fields, edit))
    operations = [
        Operation(op="test", path="/metadata/uid", value=edit.target.uid),
        # what is added has no value to test: whoever came since, with a mark, a value or the first label, is not overwritten
        *(Operation(op="test", path=_VERSION, value=version) for version in _version(body)),
        *_put(body, "annotations", _MARK, mark.text()),
        *_put(body, "labels", _LABEL, mark.run_uid),
    ]
    return tuple(operations), tuple(_values(body, fields, edit))


def _version(body: Body) -> Sequence[str]:
    """Return the version that was read, which every object of an API server has."""
    version = body["metadata"].get("resourceVersion")
    return (version,) if version else ()


def _values(body: Body, fields: Sequence[Field], edit: Change | Tag) -> list[Operation]:
    operations: list[Operation] = []
    for item in fields:
        now = value_at(body, item.path)
        if same(item.path, now, item.after):
            continue
        if not same(item.path, now, item.before):
            raise Taken(f"{item.path} of {edit.target} is not what it was when the fault was planned")
        operations += _replace(body, item.path, now, item.after)
    return operations


def _replace(body: Body, path: str, old: Any, new: Any) -> list[Operation]:
    """Make `new` of `old` where it still is `old`."""
    if old == ABSENT:
        parent = path.rpartition("/")[0]
        made = [] if not parent or value_at(body, parent) != ABSENT else [Operation(op="add", path=parent, value={})]
        return [*made, Operation(op="add", path=path, value=new)]
    test = Operation(op="test", path=path, value=old)
    if new == ABSENT:
        return [test, Operation(op="remove", path=path)]
    return [test, Operation(op="replace", path=path, value=new)]


def _put(body: Body, group: str, path: str, value: str) -> list[Operation]:
    """Add one annotation or label, and their map where there is none yet."""
    made = [] if body["metadata"].get(group) else [Operation(op="add", path=f"/metadata/{group}", value={})]
    return [*made, Operation(op="add", path=path, value=value)]


def _unmark(body: Body, mark: Mark) -> list[Operation]:
    operations = [
        Operation(op="test", path=_MARK, value=body["metadata"]["annotations"][ANNOTATION]),
        Operation(op="remove", path=_MARK),
    ]
    if (body["metadata"].get("labels") or {}).get(LABEL) == mark.run_uid:
        operations.append(Operation(op="remove", path=_LABEL))
    return [*operations, *_given_back(body, mark)]


def _given_back(body: Body, mark: Mark) -> list[Operation]:
    """Take the mark's values out of what FEEM owns by its patches (managedFields, KEP-555).

    So their owner's next server-side apply meets no conflict. Values in lists stay: these are in pods, which nobody applies.
    """
    operations: list[Operation] = []
    entries = body["metadata"].get("managedFields") or ()
    for place, entry in reversed(tuple(enumerate(entries))):
        if (entry.get("manager"), entry.get("operation"), entry.get("subresource", "")) != (
            FIELD_MANAGER,
            "Update",
            "",
        ):
            continue
        fields = there = entry.get("fieldsV1") or {}
        for item in mark.fields:
            fields = _without(fields, [f"f:{step}" for step in steps_of(item.path)])
        if fields != there:
            path = f"/metadata/managedFields/{place}"
            rest = Operation(op="replace", path=path, value={**entry, "fieldsV1": fields})
            operations += [
                Operation(op="test", path=path, value=entry),
                rest if fields else Operation(op="remove", path=path),
            ]
    return operations


def _without(fields: Body, steps: Sequence[str]) -> Body:
    """Return a set of fields without one path, and without what is empty then: an empty one would stand for the whole of it."""
    first, rest = steps[0], steps[1:]
    if first not in fields:
        return fields
    inner = _without(fields[first], rest) if rest else {}
    others = {key: part for key, part in fields.items() if key != first}
    return {**others, first: inner} if inner else others
