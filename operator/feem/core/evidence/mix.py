"""Whether the canary decides in other proportions than stable: a test that may be looked at all the time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from feem.core.evidence.projection import project, total_variation
from feem.core.evidence.ratio import dispersed, log_mean_exp

STRENGTHS: tuple[float, ...] = (5, 50, 500)
"""How many of stable's observations the canary's estimate borrows: a small strength bets on large shifts, a large one on small."""

PRIOR: float = 0.5
"""What each category counts as seen before it is seen (Jeffreys' prior; Krichevsky and Trofimov)."""


class MixShift:
    """Evidence that the canary's mix of categories is further from stable's than `tolerated`, in total variation.

    Before each block two mixes θ_c and θ_s are estimated from the earlier blocks alone, and projected on the null (see
    `project`), giving φ_c and φ_s. The block's factor is the product over categories k of
    (θ_c,k/φ_c,k)^x_c,k · (θ_s,k/φ_s,k)^x_s,k.

    Why it may be looked at all the time: moving from the projection towards any pair (p_c, p_s) of the null, which is
    convex, cannot improve it, so w_c·Σ p_c,k·θ_c,k/φ_c,k + w_s·Σ p_s,k·θ_s,k/φ_s,k <= 1 with w the tracks' shares of
    the block. By the inequality of arithmetic and geometric means the factor's mean is then at most 1 too, and by Ville
    P(E ever reaches 1/alpha) <= alpha, whatever the mixes are and however both drift together. With nothing tolerated
    this is the form of Turner, Ly and Grünwald, *Generic E-variables for exact sequential k-sample tests*.

    Categories not seen in earlier blocks count together as one, which has a share of its own from the start.
    """

    __slots__ = ("_counts", "_dispersion", "_logs", "_tolerated", "_totals")

    def __init__(self, tolerated: float, dispersion: float = 1.0) -> None:
        """Start at E = 1. `tolerated` is a share from 0 to 1, `dispersion` is at least 1; else ValueError."""
        if not 0 <= tolerated <= 1:
            raise ValueError(f"the tolerated shift is {tolerated}; it must be a share from 0 to 1")
        self._tolerated = tolerated
        self._dispersion = dispersed(dispersion)
        self._counts: dict[str, list[int]] = {}
        self._totals = [0, 0]
        self._logs = [0.0] * len(STRENGTHS)

    def add(self, canary: Mapping[str, int], stable: Mapping[str, int]) -> None:
        """Take in one block: how often each category was seen in each track. Negative counts raise ValueError."""
        for track, counts in (("canary", canary), ("stable", stable)):
            if counts and min(counts.values()) < 0:
                raise ValueError(
                    f"the {track}'s counts {dict(counts)} are partly negative; a counter's reset was not handled"
                )
        sums = sum(canary.values()), sum(stable.values())
        if all(sums) and all(self._totals):
            self._bet(canary, stable, *sums)
        for name in sorted({*canary, *stable}):
            pair = self._counts.setdefault(name, [0, 0])
            pair[0] += canary.get(name, 0)
            pair[1] += stable.get(name, 0)
        self._totals = [total + more for total, more in zip(self._totals, sums, strict=True)]

    @property
    def log_evidence(self) -> float:
        """The ln of E, the mean over the strengths of E_strength^(1/φ)."""
        return log_mean_exp([log / self._dispersion for log in self._logs])

    @property
    def shift(self) -> float:
        """The total variation between the two mixes seen so far, from 0 to 1; 0 while a track has seen nothing."""
        own, other = self._totals
        if not own or not other:
            return 0.0
        return total_variation(
            *zip(*((mine / own, theirs / other) for mine, theirs in self._counts.values()), strict=True)
        )

    def _bet(self, canary: Mapping[str, int], stable: Mapping[str, int], own: int, other: int) -> None:
        """Multiply each strength's evidence by the factor of one block of `own` and `other` observations."""
        seen = [(canary.get(name, 0), stable.get(name, 0)) for name in self._counts]
        seen.append((own - sum([mine for mine, _ in seen]), other - sum([theirs for _, theirs in seen])))
        theirs = self._stable_mix()
        weight = own / (own + other)
        for at, strength in enumerate(STRENGTHS):
            ours = self._canary_mix(theirs, strength)
            if total_variation(ours, theirs) > self._tolerated:
                nearest = project(ours, theirs, weight, self._tolerated)
                self._logs[at] += _log_factor(seen, (ours, theirs), nearest)

    def _stable_mix(self) -> list[float]:
        """Return stable's mix as estimated from all blocks so far, the categories not yet seen last."""
        whole = self._totals[1] + PRIOR * (len(self._counts) + 1)
        return [*((counts[1] + PRIOR) / whole for counts in self._counts.values()), PRIOR / whole]

    def _canary_mix(self, stable: Sequence[float], strength: float) -> list[float]:
        """Return the canary's mix as estimated from all blocks so far, drawn towards stable's."""
        whole = self._totals[0] + strength
        seen = [*(counts[0] for counts in self._counts.values()), 0]
        return [(count + strength * share) / whole for count, share in zip(seen, stable, strict=True)]


def _log_factor(
    seen: Sequence[tuple[int, int]],
    estimates: tuple[Sequence[float], Sequence[float]],
    nearest: tuple[Sequence[float], Sequence[float]],
) -> float:
    """Return the ln of how much likelier the block is under the estimates than under the nearest pair of the null."""
    log = 0.0
    for (own, other), ours, theirs, near, near_theirs in zip(seen, *estimates, *nearest, strict=True):
        if own:
            log += own * math.log(ours / near)
        if other:
            log += other * math.log(theirs / near_theirs)
    return log
