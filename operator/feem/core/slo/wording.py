"""How an error budget stands, in words for people."""

from __future__ import annotations

import math

from feem.core.slo.burn import Alert, left_text, rate_text

_NO_RISK = "mend what costs it before anything risky is released"


def budget_in_words(left: float, days: int, alert: Alert | None) -> str:
    """Say what is left of a budget (1 down to below 0), how fast it goes in the two windows of an alert, and what to do."""
    stands = f"{left_text(left)} of the error budget of {days} days is left" if left > 0 else _spent(left, days)
    if alert is None:
        return f"{stands}, and it lasts" if left > 0 else f"{stands}; {_NO_RISK}"
    speed = (
        f"it was spent {rate_text(alert.long_rate)} times as fast as it may be in the last {alert.pair.long}, and "
        f"{rate_text(alert.short_rate)} times in the last {alert.pair.short}"
    )
    if left <= 0:
        return f"{stands}; {speed}; {_NO_RISK}"
    return (
        f"{stands}; {speed}; at this speed it is gone in {_span(left * days / alert.long_rate)}: look for what changed"
    )


def _spent(left: float, days: int) -> str:
    if math.isinf(left):
        return f"an objective of 100% has no error budget, and there were bad events in the last {days} days"
    over = f", and {-left:.1%} more" if left < 0 else ""
    return f"the error budget of {days} days is spent{over}"


def _span(days: float) -> str:
    """Return a span of days in the unit that people would choose."""
    if days >= 2:
        return f"{days:.0f} days"
    return f"{days * 24:.0f} hours" if days * 24 >= 2 else f"{days * 24 * 60:.0f} minutes"
