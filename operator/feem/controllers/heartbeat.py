"""Writes a sign of life into a silent log, so that its end cannot be cut off unnoticed."""

from __future__ import annotations

from datetime import datetime

from feem.api.audit import Part
from feem.controllers.retention import LOG
from feem.ports import Clock, Entry, NumberedLedger


class Heartbeat:
    """A fact whenever nothing else was written for some time."""

    def __init__(self, ledger: NumberedLedger, clock: Clock, seconds: float) -> None:
        self._ledger, self._clock, self._seconds = ledger, clock, seconds

    async def visit(self) -> float:
        """Write one if it is due; returns the seconds until the next may be."""
        head = self._ledger.head
        silent = (
            self._seconds if head is None else (self._clock.now() - datetime.fromisoformat(head.time)).total_seconds()
        )
        if silent < self._seconds:
            return self._seconds - max(silent, 0.0)
        text = f"nothing else was written for {self._seconds:.0f} seconds; {self._ledger.open_count} acts are without an outcome"
        await self._ledger.append(Entry("Heartbeat", Part.FACT, LOG, "Alive", text))
        return self._seconds
