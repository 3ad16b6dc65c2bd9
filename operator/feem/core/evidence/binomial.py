"""How surprising a number of bad events is, when at most a given share should be bad."""

from __future__ import annotations

import math
from fractions import Fraction

SIGNIFICANCE = 0.005
"""One in two hundred: the upper tail beyond z = 2.576."""


def tail(bad: int, total: int, share: float) -> float:
    """Return P(X >= bad) for X ~ Binomial(total, share), summed outward from `bad` in order of falling probability.

    Exact up to rounding (about 1e-8 relative at ten million events). Written for `bad` above the mean, where the terms
    fall; below it the sum is still right but long.
    """
    if bad <= 0 or share >= 1:
        return 1.0
    if share <= 0:
        return 0.0
    log_first = (
        math.lgamma(total + 1)
        - math.lgamma(bad + 1)
        - math.lgamma(total - bad + 1)
        + bad * math.log(share)
        + (total - bad) * math.log1p(-share)
    )
    odds = share / (1 - share)
    term = sum_of_terms = 1.0
    for count in range(bad, total):
        term *= (total - count) / (count + 1) * odds
        sum_of_terms += term
        if term < 1e-17 * sum_of_terms and count >= total * share:
            break
    return min(1.0, math.exp(log_first + math.log(sum_of_terms)))


def surely_above(bad: int, total: int, limit: Fraction) -> bool:
    """Say whether so many bad events show that more than `limit` of all are bad.

    The exact (Clopper-Pearson) bound, not Wilson's: with a limit of 0.1% Wilson's lower bound calls one bad event among
    the first 117 significant, which one harmless canary in nine has; the exact one keeps to its 0.5% a look.
    """
    return total > 0 and bad > total * limit and tail(bad, total, float(limit)) < SIGNIFICANCE
