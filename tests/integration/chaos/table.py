"""The table of faults: what each one changes, in how many writes, and that its undo leaves nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

TITLES = ("Fault", "Edits", "Writes", "Undo writes", "Crash points", "Residue")


@dataclass(frozen=True)
class Row:
    """One fault, injected and taken back once; writes are those that the API server carried out."""

    fault: str
    edits: Sequence[str]
    writes: Sequence[str]
    undo: Sequence[str]
    residue: Sequence[str]

    def cells(self, crashes: int) -> tuple[str, ...]:
        parts = (self.edits, self.writes, self.undo)
        return self.fault, *map(_counted, parts), str(crashes), "; ".join(self.residue) or "none"


class Table:
    """Grows with each fault."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.crashes: Counter[str] = Counter()
        self.lines: list[str] = []
        """What else was measured."""

    def text(self) -> str:
        cells = [row.cells(self.crashes[row.fault]) for row in self.rows]
        lines = [TITLES, tuple("---" for _ in TITLES), *cells] if cells else []
        return "\n".join([*(f"| {' | '.join(line)} |" for line in lines), *self.lines])


def _counted(words: Sequence[str]) -> str:
    return ", ".join(f"{count} {word}" for word, count in Counter(words).items()) or "0"
