"""Figures as people read them."""

from __future__ import annotations

import math
from fractions import Fraction


def count(number: int) -> str:
    """Write a count with its thousands apart: `4,490`."""
    return f"{number:,}"


SMALLEST = 1e-9
"""Percent below which a share is written as none: no status has room for its zeros."""


def percent(share: Fraction) -> str:
    """Write a share of 1 as percent, with as many decimals as it takes to see it: `5.2%`, `0.12%`, `0.003%`."""
    value = float(share * 100)
    if value < SMALLEST or value >= 1:
        return f"{value:.1f}%"
    decimals = 1
    while value < 10**-decimals:
        decimals += 1
    text = f"{value:.{decimals + 1}f}"
    return (text.removesuffix("0")) + "%"


MINUTE, HOUR, DAY = 60, 3600, 86400


def duration(seconds: float) -> str:
    """Write a time to wait roughly: `40 s`, `12 min`, `3.5 h`, `9 days`."""
    if seconds < 2 * MINUTE:
        return f"{max(1, math.ceil(seconds))} s"
    if seconds < 2 * HOUR:
        return f"{math.ceil(seconds / MINUTE)} min"
    if seconds < 2 * DAY:
        return f"{seconds / HOUR:.1f} h"
    return f"{math.ceil(seconds / DAY)} days"


def e_value(log: float) -> str:
    """Write evidence given as its natural logarithm: `0.43`, `12.6`, `8,103`, `10^21`; small ones lose their digits."""
    if log > math.log(1e6):
        return f"10^{math.floor(log / math.log(10))}"
    value = math.exp(log)
    if value >= 100:
        return count(round(value))
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def points(share: float) -> str:
    """Write a part of all events for people: `16.2 of 100`."""
    return f"{share * 100:.1f} of 100"


def strength(log_evidence: float, alpha: float) -> str:
    """Hold evidence against the threshold of its part of alpha: `evidence 214 of 200`."""
    return f"evidence {e_value(log_evidence)} of {e_value(math.log(1 / alpha))}"
