"""Whether a share of events is worse in the canary, or worse than promised: tests that may be looked at all the time."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

LAMBDAS: tuple[float, ...] = (1.5, 2, 3, 5, 10, 30, 100)
"""How many times worse than tolerated the canary may be: the alternatives, each with the same stake."""

SERIOUS: float = 3
"""The alternative that reassurance speaks against: a canary three times worse than tolerated."""

_LOG_LAMBDAS = tuple(math.log(factor) for factor in LAMBDAS)
_SERIOUS_AT = LAMBDAS.index(SERIOUS)


def log_mean_exp(logs: Sequence[float]) -> float:
    """Return ln of the mean of exp(logs), without overflow."""
    highest = max(logs)
    if math.isinf(highest):
        return highest
    return highest + math.log(sum([math.exp(log - highest) for log in logs]) / len(logs))


def dispersed(dispersion: float) -> float:
    """Return the dispersion, or raise ValueError: below 1 it would sharpen the evidence, which nothing justifies."""
    if not 1 <= dispersion < math.inf:
        raise ValueError(f"the dispersion is {dispersion}; it must be at least 1 (1: independent events)")
    return dispersion


@functools.lru_cache(maxsize=1 << 16)
def _log_norms(canary_total: int, stable_total: int, tolerated: float) -> tuple[float, ...]:
    """Return ln(λ·s + 1 - s) for each λ, s the canary's share of the events at exactly the tolerated relative risk."""
    share = tolerated * canary_total / (tolerated * canary_total + stable_total)
    return tuple(math.log1p((factor - 1) * share) for factor in LAMBDAS)


class RelativeRisk:
    """Evidence that the canary's events are more than `tolerated` times as likely as stable's, whatever stable's rate.

    In a block with n_c and n_s requests and x_c and x_s bad ones, with s = r·n_c/(r·n_c + n_s), each λ bets on
    q = λ·s/(λ·s + 1 - s): its factor is A^x_c · B^x_s, A = q/s = λ/(λ·s + 1 - s), B = (1-q)/(1-s) = 1/(λ·s + 1 - s).

    Why it may be looked at all the time: independent requests give the factor the mean
    (1 + p_c(A-1))^n_c · (1 + p_s(B-1))^n_s. The n-weighted mean of the two brackets is 1 + (λ-1)·n_c·n_s·(p_c - r·p_s)
    over something positive, so at most 1 when p_c <= r·p_s; by the inequality of arithmetic and geometric means so is
    the product. The rates may change from block to block. E is hence a supermartingale that starts at 1, and by Ville
    P(E ever reaches 1/alpha) <= alpha. A dispersion φ tempers each λ to E_λ^(1/φ): no larger by Jensen for independent events,
    and exact for events that come in clusters of φ.

    Source: Howard, Ramdas et al., *Time-uniform Chernoff bounds*; Lindon and Malek, NeurIPS 2022.
    """

    __slots__ = ("_canary_bad", "_dispersion", "_known", "_norms", "_tolerated")

    def __init__(self, tolerated: float = 1.0, dispersion: float = 1.0) -> None:
        """Start at E = 1. `tolerated` is the relative risk r >= 1, `dispersion` is φ >= 1; else ValueError."""
        if not 1 <= tolerated < math.inf:
            raise ValueError(
                f"the tolerated relative risk is {tolerated}; it must be at least 1 (1: as good as stable)"
            )
        self._tolerated = tolerated
        self._dispersion = dispersed(dispersion)
        self._canary_bad = 0
        self._norms = [0.0] * len(LAMBDAS)
        self._known: float | None = 0.0

    def add(self, canary_bad: int, canary_total: int, stable_bad: int, stable_total: int) -> None:
        """Take in one block. One without bad events or with an idle track changes nothing; impossible counts raise ValueError."""
        if not (0 <= canary_bad <= canary_total and 0 <= stable_bad <= stable_total):
            raise ValueError(
                f"{canary_bad} bad of {canary_total} in the canary, {stable_bad} of {stable_total} in stable: "
                "bad events must be among all events; check that both queries count the same requests"
            )
        bad = canary_bad + stable_bad
        if not (bad and canary_total and stable_total):
            return
        self._canary_bad += canary_bad
        terms = _log_norms(canary_total, stable_total, self._tolerated)
        self._norms = [norm + bad * term for norm, term in zip(self._norms, terms, strict=True)]
        self._known = None

    @property
    def log_evidence(self) -> float:
        """The ln of E, the mean over λ of E_λ^(1/φ): 0 at the start, and against the canary when it passes ln(1/alpha)."""
        if self._known is None:
            bad, scale = self._canary_bad, 1 / self._dispersion
            pairs = zip(_LOG_LAMBDAS, self._norms, strict=True)
            self._known = log_mean_exp([(bad * log - norm) * scale for log, norm in pairs])
        return self._known

    @property
    def log_reassurance(self) -> float:
        """The ln of the likelihood ratio of λ = 1 against λ = 3, tempered: positive speaks for the canary."""
        log_serious = self._canary_bad * _LOG_LAMBDAS[_SERIOUS_AT] - self._norms[_SERIOUS_AT]
        return -log_serious / self._dispersion if log_serious else 0.0


class AgainstObjective:
    """Evidence that more than the allowed share of events is bad, for when there is no stable traffic to compare with.

    Each λ bets on the share q = λ·p0 where that is below 1: the factor (q/p0)^x · ((1-q)/(1-p0))^(n-x) has the mean
    (1 + (p - p0)·(q - p0)/(p0·(1-p0)))^n, at most 1 when p <= p0. Where even the smallest λ is too large (p0 >= 2/3)
    the one bet is half-way between p0 and 1.
    """

    __slots__ = ("_bad", "_dispersion", "_good", "_known", "_odds")

    def __init__(self, allowed: float, dispersion: float = 1.0) -> None:
        """Start at E = 1. `allowed` is the share p0, above 0 and below 1, that may be bad; else ValueError."""
        if not 0 < allowed < 1:
            raise ValueError(f"the allowed share of bad events is {allowed}; it must be above 0 and below 1")
        bets = [factor * allowed for factor in LAMBDAS if factor * allowed < 1] or [(1 + allowed) / 2]
        self._odds = tuple((math.log(bet / allowed), math.log1p(-bet) - math.log1p(-allowed)) for bet in bets)
        self._dispersion = dispersed(dispersion)
        self._bad = self._good = 0
        self._known: float | None = 0.0

    def add(self, bad: int, total: int) -> None:
        """Take in one block of `total` events of which `bad` are bad; impossible counts raise ValueError."""
        if not 0 <= bad <= total:
            raise ValueError(f"{bad} bad of {total}: check that both queries count the same requests")
        self._bad += bad
        self._good += total - bad
        self._known = None

    @property
    def log_evidence(self) -> float:
        """The ln of E, the mean over λ of E_λ^(1/φ)."""
        if self._known is None:
            bad, good, scale = self._bad, self._good, 1 / self._dispersion
            self._known = log_mean_exp([(bad * gain + good * loss) * scale for gain, loss in self._odds])
        return self._known
