"""Traces: what each objective's samples said, round by round. The samples are judged again; nothing is taken on trust."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from feem.api.release import ObjectiveVerdict
from feem.core.evidence.mix_trial import Categories
from feem.core.evidence.replay import MALFORMED, Unreadable, replay
from feem.core.evidence.rounds import Round
from feem.core.evidence.tally import Tally
from feem.core.evidence.tape import Reader, terms_of
from feem.core.evidence.terms import Terms
from feem.core.evidence.trial import Trial

HUGE = 1e15
"""Values beyond which a gauge is not drawn: the axis could not hold them."""
MOST_POINTS = 240
"""Points of a plot; of more rounds, some are passed over."""


@dataclass(frozen=True)
class Look:
    """One moment (Unix seconds) of an objective: what both tracks had done until then, and the ln-free evidence as log10.

    `canary` and `stable` are shares of 1 or a gauge's values; of a mix, `canary` is the shift. None: nothing known.
    """

    at: float
    canary: float | None
    stable: float | None
    evidence: float | None


@dataclass(frozen=True)
class Trace:
    """One objective through one trial."""

    terms: Terms
    looks: tuple[Look, ...]
    steps: tuple[tuple[float, int], ...]
    """When the rounds of each step began (Unix seconds), and its number."""
    threshold: float | None
    """The evidence that counts, as log10; None where nothing is tested."""
    verdict: ObjectiveVerdict
    """As the samples say when they are judged again."""

    @property
    def crossed(self) -> float | None:
        """When the evidence first reached the threshold."""
        if self.threshold is None:
            return None
        return next(
            (one.at for one in self.looks if one.evidence is not None and one.evidence >= self.threshold - 1e-9), None
        )


@dataclass(frozen=True)
class Played:
    """One tape: the decision it led to, whether the samples still say the same, and each objective's trace."""

    decision: str = ""
    at: float = 0.0
    digest: str = ""
    holds: bool = False
    problem: str = ""
    """Why it cannot be read; then there is nothing else."""
    traces: tuple[Trace, ...] = ()


def play(document: bytes) -> Played:
    """Judge a tape's samples again, and keep what they said on the way."""
    try:
        found = replay(document)
        lines = [json.loads(line) for line in document.removesuffix(b"\n").split(b"\n")]
        terms = [terms_of(line) for line in lines[0]["terms"]]
        traces = tuple(
            _trace(one, [line for line in lines[1:-1] if line["objective"] == number], verdict)
            for number, (one, verdict) in enumerate(zip(terms, found.recomputed, strict=True))
        )
    except Unreadable as broken:
        return Played(problem=str(broken))
    except MALFORMED as broken:
        return Played(problem=f"its samples give no plot: {broken!r}")
    return Played(found.decision, found.at, found.recomputed_digest, found.holds, "", traces)


def _trace(terms: Terms, lines: Sequence[Mapping[str, Any]], verdict: ObjectiveVerdict) -> Trace:
    trial, reader, shift = Trial(terms), Reader(), _Shift(terms) if terms.objective.indicator.mix is not None else None
    every = max(1, math.ceil(len(lines) / MOST_POINTS))
    looks, steps = list[Look](), list[tuple[float, int]]()
    for number, line in enumerate(lines, start=1):
        at = float(line["end"])
        if "problem" in line:
            looks.append(Look(at, None, None, None))
            continue
        one, before = reader.round(dict(line)), trial.last
        trial.take(one)
        if shift is not None:
            shift.take(one)
        if not steps or steps[-1][1] != one.step:
            steps.append((before, one.step))
        if number % every == 0 or number == len(lines):
            said = trial.verdict(now=at)
            canary, stable = (shift.value, None) if shift is not None else _values(said)
            looks.append(Look(at, canary, stable, log10_of(said.evidence)))
    return Trace(terms, tuple(looks), tuple(steps), log10_of(verdict.threshold), verdict)


class _Shift:
    """How much of a canary's events fall into other categories than stable's, so far."""

    def __init__(self, terms: Terms) -> None:
        indicator = terms.objective.indicator
        cumulative = indicator.mix is not None and indicator.mix.histogram is not None
        self._tally = Tally(indicator, start=terms.start, warm_up=float(terms.objective.canary.warm_up_seconds))
        self._canary, self._stable = Categories(cumulative=cumulative), Categories(cumulative=cumulative)

    def take(self, one: Round) -> None:
        block = self._tally.take(one)
        if block is not None:
            self._canary.add(block.canary)
            self._stable.add(block.stable)

    @property
    def value(self) -> float | None:
        """The total variation between the two mixes, None while a track has no events."""
        canary, stable = self._canary, self._stable
        if not canary.total or not stable.total:
            return None
        apart = sum(
            abs(Fraction(canary.all.get(name, 0), canary.total) - Fraction(stable.all.get(name, 0), stable.total))
            for name in {*canary.all, *stable.all}
        )
        return float(apart / 2)


def _values(said: ObjectiveVerdict) -> tuple[float | None, float | None]:
    """Return both tracks' shares of bad events, or a gauge's values."""
    found = list[float | None]()
    for track in (said.canary, said.stable):
        if track is None:
            found.append(None)
        elif track.bad is not None:
            found.append(track.bad / track.total if track.total else None)
        else:
            found.append(_number(track.rate or ""))
    return found[0], found[1]


def _number(text: str) -> float | None:
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        return None
    return value if abs(value) <= HUGE else None


FLOOR = -3.0
"""What evidence of nearly nothing is drawn at, as log10."""


def log10_of(evidence: str) -> float | None:
    """Return an e-value as verdicts write it (`0.43`, `8,103`, `10^21`) as its log10; None where there is none."""
    if evidence.startswith("10^"):
        return _number(evidence[3:])
    value = _number(evidence)
    if value is None:
        return None
    return max(FLOOR, math.log10(value)) if value > 0 else FLOOR
