"""Error budgets and how fast they are spent, after Google's SRE Workbook, chapter 5, "Alerting on SLOs".

An objective of 99.9% leaves a budget: one event of a thousand may be bad. Burn rate 1 spends it in exactly the
objective's window, burn rate 14.4 spends a window of 30 days in 50 hours. One threshold would be late or noisy, so there
are four, each on two windows: the long one proves that a real part of the budget is gone, the short one that it is still
going, which also ends the alert soon after the cause is mended.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

SECONDS = {"5m": 300, "30m": 1800, "1h": 3600, "2h": 7200, "6h": 21600, "1d": 86400, "3d": 259200}
DAY = 86400


class Severity(StrEnum):
    """Whether somebody must get up, or it can wait for the morning."""

    PAGE = "page"
    TICKET = "ticket"


@dataclass(frozen=True)
class Pair:
    """A long and a short window, and the share of the whole budget that is gone when the long one is at its factor."""

    long: str
    short: str
    share: Fraction
    severity: Severity

    def factor(self, window_days: int) -> Fraction:
        """Return the burn rate that spends `share` of the budget within the long window, but at least 1.

        share · window / long: 14.4, 6, 3 and 1 for 30 days. Windows of less than 30 days would come below 1 in some
        pairs, where the budget lasts: no alert is due at such a rate.
        """
        return max(Fraction(1), self.share * window_days * DAY / SECONDS[self.long])


WINDOWS = (
    Pair("1h", "5m", Fraction(2, 100), Severity.PAGE),
    Pair("6h", "30m", Fraction(5, 100), Severity.PAGE),
    Pair("1d", "2h", Fraction(10, 100), Severity.TICKET),
    Pair("3d", "6h", Fraction(10, 100), Severity.TICKET),
)
"""The policy: these windows with these shares of the budget, whatever the objective's own window is."""


@dataclass(frozen=True)
class Alert:
    """One pair that burns too fast: both rates are above the factor."""

    pair: Pair
    factor: Fraction
    long_rate: float
    short_rate: float

    def __str__(self) -> str:
        return (
            f"burn rate {rate_text(self.long_rate)} over {self.pair.long} and {rate_text(self.short_rate)} over "
            f"{self.pair.short}, both above {rate_text(float(self.factor))}"
        )


def allowed(objective: str) -> Fraction:
    """Return the share of events that may be bad, exactly: "99.9" leaves 1/1000, "100" leaves 0."""
    return 1 - Fraction(objective) / 100


def pairs(window_days: int) -> tuple[Pair, ...]:
    """Return the pairs whose long window is not longer than the objective's own."""
    return tuple(pair for pair in WINDOWS if SECONDS[pair.long] <= window_days * DAY)


def windows(window_days: int) -> tuple[str, ...]:
    """Return all windows to measure, shortest first; the last is the objective's own, for the budget."""
    names = {name for pair in pairs(window_days) for name in (pair.short, pair.long)} - {whole(window_days)}
    return (*sorted(names, key=SECONDS.__getitem__), whole(window_days))


def whole(window_days: int) -> str:
    """Return the name of the objective's own window, e.g. `30d`."""
    return f"{window_days}d"


def reachable(pair: Pair, window_days: int, objective: str) -> bool:
    """Say whether a service that fails wholly would burn above the pair's factor.

    With an objective of 70, the fastest possible burn rate is 1/0.3 = 3.3: a factor of 14.4 can never be reached.
    """
    return pair.factor(window_days) * allowed(objective) < 1


def burn_rate(bad: float, total: float, objective: str) -> float | None:
    """Return how many times too fast the budget was spent; None without events.

    `bad` and `total` count the events of one window (or are rates over it). An objective of 100 has no budget: any bad
    event burns it infinitely fast, none burns nothing.
    """
    if not (total > 0 and bad >= 0) or math.isinf(total):  # a NaN fails this, too
        return None
    if math.isinf(bad):
        return None
    budget = allowed(objective)
    if budget == 0:
        return math.inf if bad > 0 else 0.0
    return float(Fraction(bad) / Fraction(total) / budget)


def budget_left(bad: float, total: float, objective: str) -> float | None:
    """Return the share of the budget that is left, from the events of the objective's own window; None without events.

    1 is untouched, 0 spent, below 0 overspent; of an objective of 100 it is 1, or minus infinity after a bad event.
    """
    rate = burn_rate(bad, total, objective)
    return None if rate is None else 1 - rate


def firing(rates: Mapping[str, float | None], window_days: int) -> list[Alert]:
    """Return the pairs whose long and short rate are both above the factor, fastest first; unknown rates never fire."""
    alerts = []
    for pair in pairs(window_days):
        factor, long, short = pair.factor(window_days), rates.get(pair.long), rates.get(pair.short)
        if long is not None and short is not None and min(long, short) > float(factor):
            alerts.append(Alert(pair, factor, long, short))
    return alerts


def rate_text(rate: float | None) -> str:
    """Write a burn rate with three digits that count, e.g. `0.42` or `14.4`; nothing when it is unknown."""
    if rate is None:
        return ""
    if math.isinf(rate):
        return "∞"
    if 0 < rate < 0.001:
        return "<0.001"
    return f"{rate:.3g}" if rate < 100 else f"{rate:.0f}"


def left_text(left: float | None) -> str:
    """Write what is left of a budget in percent, e.g. `83.1%`, rounded down: only an untouched one is `100.0%`."""
    if left is None:
        return ""
    if math.isinf(left):
        return "-∞%"
    return f"{math.floor(left * 1000) / 10:.1f}%"
