"""How a report comes about, with the bureau and without: what the two versions differ in."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from credit_check.bureau import Bureau
from credit_check.records import BureauError, RecentRecords, Record, pseudonym

if TYPE_CHECKING:
    from credit_check.metrics import Metrics
    from credit_check.settings import Settings

ATTEMPTS = 2


@dataclass(frozen=True)
class Report:
    """What is known of an applicant, from where, and under which name it is kept."""

    record: Record
    source: Literal["bureau", "cache", "none"]
    name: str

    @property
    def refer(self) -> bool:
        """Whether a person has to look: nobody is approved for lack of a record."""
        return self.record == "unknown"


class Reporter(Protocol):
    """Makes reports."""

    async def report(self, applicant: str) -> Report:
        """Return the report of an applicant. Raises BureauError where this version knows no other way."""


class Resilient:
    """Version 1.0: a short wait, one retry on a new connection, a recent record, and else `unknown`: always an answer."""

    def __init__(self, settings: Settings, bureau: Bureau, metrics: Metrics) -> None:
        self._settings, self._bureau, self._metrics = settings, bureau, metrics
        self._recent = RecentRecords(settings.record_seconds)

    async def report(self, applicant: str) -> Report:
        """Return the report of an applicant, after twice the bureau's time at the latest."""
        name = pseudonym(applicant, self._settings.stretch_rounds)
        for _ in range(ATTEMPTS):
            try:
                async with asyncio.timeout(self._settings.bureau_seconds):  # also finding and reaching it
                    record = await self._bureau.ask(applicant)
            except (BureauError, TimeoutError):
                continue
            self._recent.keep(name, record)
            return Report(record, "bureau", name)
        if recent := self._recent.recent(name):
            self._metrics.cache_hit()
            return Report(recent, "cache", name)
        return Report("unknown", "none", name)


class Trusting:
    """Version 1.1, the planted gap: what the bureau does not answer hangs, and what it does not know how to fails."""

    def __init__(self, settings: Settings, bureau: Bureau) -> None:
        self._rounds, self._bureau = settings.stretch_rounds, bureau

    async def report(self, applicant: str) -> Report:
        """Return the report of an applicant, whenever the bureau answers. Raises BureauError when it fails."""
        name = pseudonym(applicant, self._rounds)
        return Report(await self._bureau.ask(applicant), "bureau", name)


def reporter(settings: Settings, metrics: Metrics) -> Reporter:
    """Give the reporter of this version."""
    bureau = Bureau(settings, metrics)
    return Resilient(settings, bureau, metrics) if settings.behaviour == "resilient" else Trusting(settings, bureau)
