"""What the records of a pack are to one another, though others of the log stand between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from feem.api.audit import Part
from feem.core.audit.verify import Fault, Finding

_ANSWERED = "answered"


@dataclass
class Relations:
    """Goes over records in the order of their indexes. An Intent that the pack does not have may have an Outcome in it, but one only."""

    _epoch: int = 0
    _parts: dict[int, str] = field(default_factory=dict)

    def step(self, place: int, wire: Mapping[str, Any]) -> Iterator[Finding]:
        """Yield what is wrong with a record beside those before it."""
        if wire["epoch"] < self._epoch:
            text = f"record {place} is of epoch {wire['epoch']}, after one of epoch {self._epoch}"
            yield Finding(place, Fault.EPOCH, text)
        self._epoch = max(self._epoch, wire["epoch"])
        self._parts[place] = wire["part"]
        if wire["part"] == Part.OUTCOME:
            yield from self._answer(place, wire.get("intent"))

    def _answer(self, place: int, intent: Any) -> Iterator[Finding]:
        known = type(intent) is int and 0 <= intent < place
        part = self._parts.get(intent, Part.INTENT) if known else ""
        if part == _ANSWERED:
            yield Finding(place, Fault.TWICE, f"record {place} is a second outcome of intent {intent}")
        elif part == Part.INTENT:
            self._parts[intent] = _ANSWERED
        else:
            yield Finding(
                place, Fault.INTENT, f"record {place} is the outcome of {intent}, which is no intent before it"
            )
