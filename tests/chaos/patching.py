"""JSON Patch (RFC 6902) as an API server applies it: all operations or none."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping
from typing import Any


class Untrue(Exception):  # noqa: N818 - an outcome
    """A `test` does not hold."""


class Impossible(Exception):  # noqa: N818 - an outcome
    """An operation has no place to be done at."""


def patched(body: Any, operations: Iterable[Mapping[str, Any]]) -> Any:
    """Return the body after all operations; the given one stays as it is."""
    new = copy.deepcopy(body)
    for operation in operations:
        _do(new, operation)
    return new


def steps_of(path: str) -> list[str]:
    """RFC 6901."""
    if path and not path.startswith("/"):
        raise Impossible(f"{path!r} is no pointer")
    return [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:]]


def pointer(steps: Iterable[str | int]) -> str:
    """Write a pointer."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def same_json(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON, for which `true` is not `1`."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _do(body: Any, operation: Mapping[str, Any]) -> None:
    kind, steps = operation["op"], steps_of(operation["path"])
    if not steps:
        raise Impossible("the whole document is never patched")
    parent = body
    for step in steps[:-1]:
        parent = _at(parent, step)
    last = steps[-1]
    if kind == "test":
        if not same_json(_at(parent, last), operation["value"]):
            raise Untrue(operation["path"])
    elif kind == "remove":
        _at(parent, last)
        del parent[_place(parent, last)]
    elif kind == "replace":
        _at(parent, last)
        parent[_place(parent, last)] = copy.deepcopy(operation["value"])
    elif kind == "add":
        _add(parent, last, copy.deepcopy(operation["value"]))
    else:
        raise Impossible(f"{kind} is not for faults")


def _add(parent: Any, last: str, value: Any) -> None:
    if isinstance(parent, dict):
        parent[last] = value
        return
    if not isinstance(parent, list):
        raise Impossible(f"{last} is in no container")
    place = len(parent) if last == "-" else _place(parent, last)
    if place > len(parent):
        raise Impossible(f"{last} is beyond the end")
    parent.insert(place, value)


def _at(parent: Any, step: str) -> Any:
    place = _place(parent, step)
    if isinstance(parent, dict) and place in parent:
        return parent[place]
    if isinstance(parent, list) and isinstance(place, int) and place < len(parent):
        return parent[place]
    raise Impossible(f"nothing is at {step}")


def _place(parent: Any, step: str) -> Any:
    if isinstance(parent, dict):
        return step
    if isinstance(parent, list) and step.isascii() and step.isdigit():
        return int(step)
    raise Impossible(f"nothing is at {step}")
