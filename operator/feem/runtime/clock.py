"""The time, as the port `Clock` wants it."""

from __future__ import annotations

from datetime import UTC, datetime


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the current time, UTC."""
        return datetime.now(UTC)
