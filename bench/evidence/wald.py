"""The least time that a test at level alpha needs on average."""

from __future__ import annotations

import math


def seconds(rate: float, weight: float, base: float, canary: float, alpha: float) -> float:
    """Return ln(1/alpha) divided by the information a second of traffic gives (Wald 1945).

    Bad requests come at R·(w·p_c + (1-w)·p_s) a second, and each falls in the canary with probability
    q = w·p_c/(w·p_c + (1-w)·p_s), where w would be expected: it is worth
    KL(q‖w) = q·ln(q/w) + (1-q)·ln((1-q)/(1-w)).
    """
    events = rate * (weight * canary + (1 - weight) * base)
    share = weight * canary / (weight * canary + (1 - weight) * base)
    worth = share * math.log(share / weight) + (1 - share) * math.log((1 - share) / (1 - weight))
    return math.log(1 / alpha) / (events * worth) if worth > 0 else math.inf
