"""The table of kill points: where the operator was killed, what became of the intent, and how often the act happened."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "kill-points.md"
COMMAND = "FEEM_WRITE_TABLE=1 .venv/bin/python -m pytest tests/controllers/test_kill_points.py"
HEAD = f"""# Where the operator may be killed

Each row is one run of a whole release in a simulated cluster in which the operator's process ended at one moment, for good,
and a new one took over with nothing in memory. Every action that has effects is here, with every kind of effect it has,
killed *before the act* (its intent is on record, nothing of this effect has been written), *after write k of n*, where an
effect takes more than one request, and *after the act* (all is written, no outcome is on record).

*Outcome* is the only one that the interrupted intent has in the end. *Writes* says how often effects of this kind changed
anything in the whole release, of how often they do in an undisturbed run: nothing is done twice. In the end everything is as it
is without a kill; where samples were to be kept and the kill took them along, the outcome says so, and those that are judged
anew are kept under an intent of their own (`KeepEvidence`).

Made anew by `{COMMAND}` ([test](../tests/controllers/test_kill_points.py)).

"""
TITLES = ("Action", "Effect", "Killed", "Outcome", "Writes", "In the scenario")


@dataclass(frozen=True)
class Row:
    """One kill."""

    action: str
    effect: str
    killed: str
    outcome: str
    writes: str
    scenario: str

    @property
    def cells(self) -> tuple[str, ...]:
        return self.action, self.effect, self.killed, self.outcome, self.writes, self.scenario


def text(rows: list[Row]) -> str:
    """Return the table as Markdown."""
    lines = [TITLES, tuple("---" for _ in TITLES), *(row.cells for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def show(rows: list[Row]) -> None:
    """Print it, and write it to the document when FEEM_WRITE_TABLE is set."""
    print(f"\n{text(rows)}\n{len(rows)} kills, each intent with one outcome, nothing done twice")
    if os.environ.get("FEEM_WRITE_TABLE"):
        DOCUMENT.write_text(f"{HEAD}{text(rows)}\n\n{len(rows)} kills.\n", encoding="utf-8")
