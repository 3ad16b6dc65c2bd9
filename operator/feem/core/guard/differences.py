"""Where a live spec falls short of the shipped one, in words that name the field."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_MAY_GROW = frozenset(
    {"validations", "auditAnnotations", "matchConstraints.resourceRules", "validationActions"},
)
"""Lists to which more can be added without letting anything through: further checks, further resources, further actions."""
_LONGEST = 60
"""How many characters of a value are quoted."""


def differences(shipped: dict[str, Any], live: dict[str, Any], at: str = "") -> Iterator[str]:
    """Yield a clause a difference that can let something through; both specs in their plain form."""
    for key in sorted(shipped.keys() | live.keys()):
        path = f"{at}.{key}" if at else key
        ours, theirs = shipped.get(key), live.get(key)
        if ours == theirs:
            continue
        if isinstance(ours, dict) and isinstance(theirs, dict):
            yield from differences(ours, theirs, path)
        elif _of_objects(ours) and _of_objects(theirs):
            yield from _items(ours or [], theirs or [], path)
        elif not _grown(path, ours, theirs):
            yield f"{path} is {_words(theirs)}, shipped is {_words(ours)}"


def _items(shipped: list[dict[str, Any]], live: list[dict[str, Any]], path: str) -> Iterator[str]:
    """Compare lists of objects by content: a rule that is missing is named, not the shift of all that follow it."""
    missing = [_label(item, number) for number, item in enumerate(shipped) if item not in live]
    added = [_label(item, number) for number, item in enumerate(live) if item not in shipped]
    if missing:
        yield f"{path} lacks {', '.join(missing)} as shipped"
    if path in _MAY_GROW:
        return
    if alien := [label for label in added if label not in missing]:
        yield f"{path} has {', '.join(alien)}, not shipped"
    elif not missing:
        yield f"{path} stand in another order or number than shipped"


def _of_objects(value: Any) -> bool:
    """Whether it is a list of objects; none at all is an empty one."""
    return value is None or (isinstance(value, list) and all(isinstance(item, dict) for item in value))


def _grown(path: str, shipped: Any, live: Any) -> bool:
    both = isinstance(shipped, list) and isinstance(live, list)
    return both and path in _MAY_GROW and all(item in live for item in shipped)


def _label(item: dict[str, Any], number: int) -> str:
    if name := item.get("name"):
        return str(name)
    text = item.get("message") or item.get("key") or item.get("resources")
    return f"no. {number + 1} ({_words(text)})" if text else f"no. {number + 1}"


def _words(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, list):
        return f"[{', '.join(_words(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_words(inner)}' for key, inner in sorted(value.items()))}}}"
    text = " ".join(str(value).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
