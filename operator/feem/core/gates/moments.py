"""Moments as the API gives them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time


def utc(moment: datetime) -> datetime:
    """Return a moment that can be compared: one without a zone is taken to be UTC, as Kubernetes writes all of its own."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def earliest(moments: Iterable[datetime | None]) -> datetime | None:
    """Return the first of those that are known."""
    return min((utc(moment) for moment in moments if moment is not None), default=None)


def day(text: str) -> date | None:
    """Return the date that an API field names, or None: its pattern lets 2026-02-31 pass."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def midnight(on: date) -> datetime:
    """Return the first moment of a day, UTC."""
    return datetime.combine(on, time(), tzinfo=UTC)
