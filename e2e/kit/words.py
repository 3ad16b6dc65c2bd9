"""What `kubectl describe` says of a release, cut down to what one objective is about and said."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

KEY = re.compile(r"^ {4}([A-Z][A-Za-z ]*):")
WIDTH = 150
END = ("Message", "Reason", "Status", "Type")
TARGET = ("Category", "Description", "Name")
VERDICT = ("Canary", "Evidence", "Name", "Outcome", "Reason", "Shares", "Stable", "Threshold")


def excerpt(described: str, objective: str) -> str:
    """Return what one objective is for, how the release ended, and what the objective said, in kubectl's own lines.

    `…` stands for what is left out; long lines are folded.
    """
    end = next(
        (item for item in _items(described, "Conditions") if re.search(r"^ {4}Type: +Succeeded$", item, re.MULTILINE)),
        "",
    )
    parts = {
        "  Objectives:": _only(_named(described, "Objectives", objective), TARGET),
        "  Conditions:": _only(end, END),
        "  Verdicts:": _only(verdict(described, objective), VERDICT),
    }
    lines = [line for title, part in parts.items() for line in (title, "    …", *part.splitlines())]
    return "\n".join(_folded(line) for line in lines)


def verdict(described: str, objective: str) -> str:
    """Return the lines of one objective's verdict; empty when there is none."""
    return _named(described, "Verdicts", objective)


def _named(described: str, key: str, name: str) -> str:
    wanted = re.compile(rf"^ {{4}}Name: +{re.escape(name)}$", re.MULTILINE)
    return next((item for item in _items(described, key) if wanted.search(item)), "")


def _items(described: str, key: str) -> Iterator[str]:
    """Yield the items of a list of the spec or the status: kubectl sorts each one's keys, so a smaller key begins the next item."""
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


def _only(item: str, keys: Sequence[str]) -> str:
    kept, wanted = list[str](), True
    for line in item.splitlines():
        if match := KEY.match(line):
            wanted = match.group(1) in keys
        if wanted:
            kept.append(line)
    return "\n".join(kept)


def _folded(line: str) -> str:
    label = re.match(r" *[A-Z][A-Za-z ]*: +", line)
    return textwrap.fill(line, WIDTH, subsequent_indent=" " * len(label.group(0) if label else "    "))
