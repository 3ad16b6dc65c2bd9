"""Values in an object by JSON pointer (RFC 6901)."""

from __future__ import annotations

from typing import Any

from feem.core.chaos.edit import ABSENT, Body


def value_at(body: Body, path: str) -> Any:
    """Return the value at a JSON pointer, ABSENT when there is none."""
    here: Any = body
    for step in steps_of(path):
        if isinstance(here, list):
            index = int(step) if step.isdecimal() and len(step) < 10 else len(here)
            if index >= len(here):
                return ABSENT
            here = here[index]
        elif isinstance(here, dict) and step in here:
            here = here[step]
        else:
            return ABSENT
    return here


def steps_of(path: str) -> list[str]:
    """Return the keys and indices of a JSON pointer."""
    return [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:]]
