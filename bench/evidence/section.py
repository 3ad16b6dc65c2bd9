"""One part of the report: what was measured, as a table for people and as figures for programs."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Check:
    """One figure held against what was promised."""

    claim: str
    figure: str
    passed: bool


@dataclass(frozen=True)
class Section:
    """A part of the report; `failure` says why it could not be made."""

    name: str
    title: str
    notes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    checks: tuple[Check, ...] = ()
    figures: Mapping[str, object] = field(default_factory=dict)
    failure: str = ""

    def text(self) -> Iterator[str]:
        """Yield the lines to print."""
        yield f"## {self.title}"
        yield from self.notes
        if self.failure:
            yield f"NOT MEASURED: {self.failure}"
        if self.rows:
            yield ""
            yield from table(self.columns, self.rows)
        if self.checks:
            yield ""
            yield from verdicts(self.checks)

    def plain(self) -> dict[str, object]:
        """Return what the result file keeps."""
        return {
            "title": self.title,
            "notes": list(self.notes),
            "checks": [{"claim": one.claim, "figure": one.figure, "passed": one.passed} for one in self.checks],
            "figures": dict(self.figures),
            **({"failure": self.failure} if self.failure else {}),
        }


def verdicts(checks: Sequence[Check]) -> Iterator[str]:
    """Yield a line for each check, PASS or MISS in front."""
    for one in checks:
        yield f"{'PASS' if one.passed else 'MISS'}  {one.claim}: {one.figure}"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table; the first column stands left, the others right."""
    widths = [max(width(row[at]) for row in (columns, *rows)) for at in range(len(columns))]
    for row in (columns, tuple("-" * one for one in widths), *rows):
        cells = [pad(cell, widths[at], left=at == 0) for at, cell in enumerate(row)]
        yield "  ".join(cells).rstrip()


def pad(cell: str, wanted: int, *, left: bool) -> str:
    """Fill a cell up with blanks."""
    blanks = " " * (wanted - width(cell))
    return cell + blanks if left else blanks + cell


def width(text: str) -> int:
    """Return how many columns of a terminal a text takes; combining marks take none."""
    return sum(not unicodedata.combining(character) for character in text)


def percent(share: float) -> str:
    """Write a share as percent with one decimal below ten: `0.4%`, `97%`."""
    value = share * 100
    return f"{value:.1f}%" if value < 10 or 99 < value < 100 else f"{value:.0f}%"


def duration(seconds: float | None) -> str:
    """Write seconds as people read them: `45 s`, `12.5 min`, `-` for never."""
    if seconds is None or seconds == float("inf"):
        return "-"
    if seconds < 10 and seconds != int(seconds):
        return f"{seconds:.1f} s"
    return (
        f"{seconds:.0f} s"
        if seconds < 600
        else f"{seconds / 60:.1f} min"
        if seconds < 36000
        else f"{seconds / 3600:.0f} h"
    )
