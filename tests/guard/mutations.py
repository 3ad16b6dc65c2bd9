"""Every small change of a JSON value, one at a time."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

Path = tuple[str | int, ...]


def places(value: Any, at: Path = ()) -> Iterator[Path]:
    """Yield the path of every member and item, the outer before the inner."""
    inner: Iterator[tuple[str | int, Any]] = iter(())
    if isinstance(value, dict):
        inner = iter(value.items())
    elif isinstance(value, list):
        inner = iter(enumerate(value))
    for key, each in inner:
        yield (*at, key)
        yield from places(each, (*at, key))


def without(value: Any, path: Path) -> Any:
    changed = copy.deepcopy(value)
    parent = _parent(changed, path)
    del parent[path[-1]]
    return changed


def replaced(value: Any, path: Path, other: Any) -> Any:
    changed = copy.deepcopy(value)
    _parent(changed, path)[path[-1]] = other
    return changed


def at(value: Any, path: Path) -> Any:
    for key in path:
        value = value[key]
    return value


def _parent(value: Any, path: Path) -> Any:
    return at(value, path[:-1])
