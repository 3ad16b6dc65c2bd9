"""The table of attempts: what was tried, what came of it, who stopped it, and what the person read."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

DOCUMENT = Path(__file__).parents[3] / "docs" / "attempts.md"
COMMAND = "FEEM_WRITE_TABLE=1 .venv/bin/python -m pytest tests/integration/attempts"
HEAD = f"""# Attempts to get a change past its gates

Each row was tried against a real API server, by users with certificates of their own who hold FEEM's ready roles (and
`edit` where they own the Deployment), or by a cluster-admin, while the real operator ran. Pods are simulated and the
metrics server is a stand-in; everything else is what it is. After each attempt the test reads what users are served, from
the HTTPRoute's weights through the Services' selectors to the images of the pods behind them: nothing of what was attempted
is there.

*Denied*: the API server refused the request; its audit log shows who tried. *Undone in the request*: the API server accepted
it and took the harm out of it. *Held*: the request was a legal one, or was made where nobody could refuse it, and the release
waits at its gate; an AuditRecord says so.

Made anew by `{COMMAND}`, with the cluster profile `api` ([tests](../tests/integration/attempts)).

"""
MASKS = (
    (r"sha256:[0-9a-f]{64}", "sha256:…"),
    (r"\b(approve|reject|breakglass|signoff)-[a-z0-9]{5}\b", r"\1-…"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|\+00:00)?", "<time>"),
    (r"\b\d\d:\d\d(:\d\d)?(?= (UTC|[A-Z][a-z]+/))", "<time>"),
)
"""What differs from one run to the next."""


@dataclass(frozen=True)
class Row:
    """One attempt."""

    attempt: str
    who: str
    outcome: str
    stopped_by: str
    read: str
    recorded: str

    @property
    def cells(self) -> tuple[str, ...]:
        return self.attempt, self.who, self.outcome, self.stopped_by, self.recorded, self.read


TITLES = ("Attempt", "By", "Outcome", "Stopped by", "Recorded", "What the person read")


class Table:
    """Grows with each test that passes."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def text(self) -> str:
        lines = [TITLES, tuple("---" for _ in TITLES), *(row.cells for row in self.rows)]
        return "\n".join(f"| {' | '.join(_cell(text) for text in line)} |" for line in lines)

    def print(self) -> None:
        """Show it, and write it to the document when FEEM_WRITE_TABLE is set."""
        print(f"\n{self.text()}\n{len(self.rows)} attempts, none of which reached users")
        if os.environ.get("FEEM_WRITE_TABLE"):
            DOCUMENT.write_text(f"{HEAD}{self.text()}\n\n{len(self.rows)} attempts.\n", encoding="utf-8")


def plain(text: str, namespace: str) -> str:
    """What a person read, in one line, without what differs from run to run."""
    found = " ".join(text.replace(namespace, "lending").split())
    for pattern, instead in MASKS:
        found = re.sub(pattern, instead, found)
    return found


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
