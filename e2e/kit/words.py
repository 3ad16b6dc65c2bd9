"""What `kubectl describe` says of a release, cut down to its end and to what one objective said."""

from __future__ import annotations

import re
from collections.abc import Iterator

KEY = re.compile(r"^ {4}([A-Z][A-Za-z ]*):")
LEFT_OUT = ("Queries", "Dispersion", "Decides")


def excerpt(described: str, objective: str) -> str:
    """Return how the release ended and one objective's verdict, as kubectl printed them; `…` stands for what is left out."""
    end = next(
        (item for item in _items(described, "Conditions") if re.search(r"Type: +Succeeded$", item, re.MULTILINE)), ""
    )
    return "\n".join(["  …", end, "  …", "  Verdicts:", "    …", _short(verdict(described, objective)), "    …"])


def verdict(described: str, objective: str) -> str:
    """Return the lines of one objective's verdict; empty when there is none."""
    name = re.compile(rf"^ {{4}}Name: +{re.escape(objective)}$", re.MULTILINE)
    return next((item for item in _items(described, "Verdicts") if name.search(item)), "")


def _items(described: str, key: str) -> Iterator[str]:
    """Yield the items of a list in the status: kubectl sorts each one's keys, so a smaller key begins the next item."""
    found = re.search(rf"^  {key}:\n((?: {{4}}.*\n?)+)", described, re.MULTILINE)
    lines, last = list[str](), ""
    for line in found.group(1).splitlines() if found else ():
        match = KEY.match(line)
        if match and match.group(1) < last:
            yield "\n".join(lines)
            lines = []
        last = match.group(1) if match else last
        lines.append(line)
    if lines:
        yield "\n".join(lines)


def _short(item: str) -> str:
    kept, wanted = list[str](), True
    for line in item.splitlines():
        if match := KEY.match(line):
            wanted = match.group(1) not in LEFT_OUT
        if wanted:
            kept.append(line)
    return "\n".join(kept)
