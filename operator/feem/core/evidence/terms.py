"""The terms of a trial: everything that is settled before the first sample, so that nothing is chosen by looking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from feem.api.release import ObjectiveSnapshot
from feem.core.slo.burn import WINDOWS, allowed


@dataclass(frozen=True)
class Terms:
    """One objective's trial in one release. Times are Unix seconds."""

    objective: ObjectiveSnapshot
    start: float
    """Events later than this count."""
    alpha: float
    """This objective's part of the release's alpha."""
    dispersion: float = 1.0
    history: str = ""
    """What the dispersion was measured on, in words."""
    steps: int = 1
    """How many steps the plan has."""
    unaccompanied: bool = False
    """Whether the plan has a step in which stable gets no traffic, so that the canary is also held against the objective alone."""
    watch: bool = False
    """Whether this is the watch after a promotion: there is no stable, and only burning the budget fast counts."""
    fault: bool = False
    """Whether a whole service is held against its objective, while it is broken on purpose or to see whether it is well."""

    @property
    def budget(self) -> Fraction:
        """The share of events that may be bad, exactly; 0 where there is no objective in percent."""
        return allowed(self.objective.objective) if self.objective.objective is not None else Fraction(0)

    @property
    def fast(self) -> Fraction:
        """The share of bad events that burns the budget as fast as the first alert; at most halfway from the budget to all."""
        return min(WINDOWS[0].factor(self.objective.window_days) * self.budget, (1 + self.budget) / 2)


def alphas(plan_alpha: str, objectives: Sequence[ObjectiveSnapshot]) -> tuple[float, ...]:
    """Divide a release's alpha among its objectives by their shares; gauges are fixed rules and get none.

    With these parts the probability that any of them speaks against a harmless canary is at most the whole (union bound).
    """
    shares = [0 if one.indicator.gauge is not None else one.canary.alpha_share for one in objectives]
    whole = sum(shares) or 1
    return tuple(float(Fraction(plan_alpha) * share / whole) for share in shares)
