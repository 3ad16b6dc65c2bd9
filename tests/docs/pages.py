"""Reads the documentation the way its readers do: pages, links, headings, commands, names in code spans."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
_SPAN = re.compile(r"`([^`\n]+)`")
_HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Page:
    """One Markdown file; `prose` is its text without fenced blocks."""

    path: Path
    text: str

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def prose(self) -> str:
        return _FENCE.sub("", self.text)

    @property
    def links(self) -> list[str]:
        return _LINK.findall(self.prose)

    @property
    def spans(self) -> list[str]:
        return _SPAN.findall(self.prose)

    @property
    def headings(self) -> list[str]:
        return _HEADING.findall(self.prose)

    @property
    def anchors(self) -> set[str]:
        """Fragment names of the headings, as repository hosts make them."""
        return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in self.headings}

    def blocks(self, language: str) -> Iterator[str]:
        """Yield the fenced blocks of a language."""
        for found in re.finditer(rf"^```{language}\n(.*?)^```$", self.text, re.MULTILINE | re.DOTALL):
            yield found.group(1)

    def table(self, heading: str) -> list[list[str]]:
        """Return the cells of the first table under a heading, without its head."""
        after = re.split(rf"^#+ +{re.escape(heading)}$", self.text, maxsplit=1, flags=re.MULTILINE)
        assert len(after) == 2, f"{self.name} has no heading {heading!r}"
        section = re.split(r"^#+ ", after[1], maxsplit=1, flags=re.MULTILINE)[0]
        rows = [line for line in section.splitlines() if line.startswith("|")]
        return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows[2:]]


def page(name: str) -> Page:
    path = ROOT / name
    return Page(path, path.read_text(encoding="utf-8"))


@cache
def pages() -> tuple[Page, ...]:
    """Return every page that is part of the documentation."""
    paths = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return tuple(page(str(path.relative_to(ROOT))) for path in sorted(paths))


def code_spans(cell: str) -> list[str]:
    return _SPAN.findall(cell)


@cache
def source(folder: str = "operator/feem") -> str:
    """Return all Python of a folder as one text."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / folder).rglob("*.py")))
