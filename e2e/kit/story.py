"""Follows a release and remembers when its traffic changed, to tell it and to compare it with what clients saw."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from e2e.kit.traffic import Answer, share

Body = dict[str, Any]
SETTLE = 1.0
"""Seconds after a weight was written, and before the next one, that are left out of a count: both weights are about."""


@dataclass(frozen=True)
class Weight:
    """A weight and when it was first seen, Unix seconds."""

    at: float
    percent: int


class Story:
    """The states of one release, in order."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._last = say, ""
        self.changes: list[Weight] = []

    @property
    def back_at(self) -> float | None:
        """When the traffic went back to stable."""
        return next((change.at for change in self.changes[1:] if change.percent == 0), None)

    def tell(self, body: Body) -> None:
        """Take in one look at the release, and say what is new."""
        status = body.get("status") or {}
        percent = int(status.get("weight", 0))
        if not self.changes or self.changes[-1].percent != percent:
            self.changes.append(Weight(time.time(), percent))
        conditions = {item["type"]: item for item in status.get("conditions") or ()}
        progressing = conditions.get("Progressing") or {}
        line = f"{body['metadata']['name']}: {progressing.get('reason', 'Held')} - {progressing.get('message', '')}"
        if line != self._last:
            self._last = line
            self._say(line)

    def spans(self) -> list[tuple[int, float, float]]:
        """Return (percent, from, until) of every weight above 0 that stood long enough to be counted."""
        ends = [change.at for change in self.changes[1:]]
        pairs = zip(self.changes, ends, strict=False)
        spans = [(change.percent, change.at + SETTLE, end - SETTLE) for change, end in pairs]
        return [(percent, begin, end) for percent, begin, end in spans if percent > 0 and end > begin]

    def weights(self, answers: Sequence[Answer], version: str) -> list[str]:
        """Compare each weight with the share that clients saw."""
        lines = []
        for percent, begin, end in self.spans():
            within = [answer for answer in answers if begin <= answer.at < end]
            lines.append(
                f"weight {percent:3d}%: clients saw {share(within, version):5.1f}% from {version} ({len(within)} requests)"
            )
        return lines
