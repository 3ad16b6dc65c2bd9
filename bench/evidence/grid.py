"""The grid: every judge on every mixture of error ratio, worsening, traffic and weight, one hour each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.evidence import feem_judge, wald
from bench.evidence.bench import generator, parts
from bench.evidence.mannwhitney import mann_whitney
from bench.evidence.rules import Times, argo, flagger
from bench.evidence.share import Found, found
from bench.evidence.traffic import BLOCK, Tracks, independent, level

BASES = (0.001, 0.01)
FACTORS = (1.0, 1.5, 3.0, 5.0, 10.0, 50.0)
RATES = (1, 10, 100, 1000)
WEIGHTS = (0.01, 0.05, 0.1, 0.5)
JUDGES = ("feem", "argo", "flagger", "mannWhitney")
PART = 200
"""Runs simulated at once: what fits in memory and gives both processes something to do."""


@dataclass(frozen=True)
class Cell:
    """One mixture: stable's share of errors, how many times worse the canary is, requests a second, the canary's weight."""

    base: float
    factor: float
    rate: int
    weight: float

    @property
    def canary(self) -> float:
        """The canary's share of errors."""
        return min(1.0, self.base * self.factor)

    @property
    def wald(self) -> float:
        """Seconds of the Wald bound; infinite where there is nothing to find."""
        if self.factor == 1:
            return float("inf")
        return wald.seconds(self.rate, self.weight, self.base, self.canary, feem_judge.ALPHA)


@dataclass(frozen=True)
class Part:
    """Some of a cell's runs: which part, how many."""

    cell: Cell
    number: int
    runs: int


def cells() -> list[Cell]:
    """Return all mixtures."""
    return [Cell(*one) for one in ((b, f, r, w) for b in BASES for f in FACTORS for r in RATES for w in WEIGHTS)]


def cut(cell: Cell, runs: int) -> list[Part]:
    """Cut a cell's runs in parts."""
    return [Part(cell, number, size) for number, size in enumerate(parts(runs, PART))]


def simulate(part: Part) -> dict[str, Times]:
    """Let every judge see the same runs, and return when each rolled back."""
    cell = part.cell
    tracks = independent(
        generator("grid", cell, part.number),
        part.runs,
        rate=level(cell.rate),
        weight=level(cell.weight),
        canary_share=level(cell.canary),
        stable_share=level(cell.base),
    )
    return judged(tracks, cell.base)


def judged(tracks: Tracks, allowed: float, steps: int = 1) -> dict[str, Times]:
    """Return what each judge says of the same traffic."""
    return {
        "feem": feem_judge.ratio(tracks, allowed, steps=steps),
        "argo": argo(tracks),
        "flagger": flagger(tracks),
        "mannWhitney": mann_whitney(tracks),
    }


@dataclass(frozen=True)
class Outcome:
    """A cell and what each judge made of it."""

    cell: Cell
    of: dict[str, Found]

    @property
    def ratio(self) -> float | None:
        """FEEM's median in units of the Wald bound plus one interval."""
        median = self.of["feem"].median
        return None if median is None else median / (self.cell.wald + BLOCK)

    def plain(self) -> dict[str, object]:
        """Return what the result file keeps."""
        cell = self.cell
        bound = None if cell.factor == 1 else round(cell.wald, 3)
        return {
            "base": cell.base,
            "factor": cell.factor,
            "requestsPerSecond": cell.rate,
            "weight": cell.weight,
            "waldSeconds": bound,
            "feemOverWaldPlusInterval": None if self.ratio is None or bound is None else round(self.ratio, 3),
            **{judge: self.of[judge].plain() for judge in JUDGES},
        }


def gather(parted: list[Part], times: list[dict[str, Times]]) -> dict[Cell, Outcome]:
    """Put the parts of each cell together again."""
    of: dict[Cell, dict[str, list[Times]]] = {}
    for part, judged_part in zip(parted, times, strict=True):
        kept = of.setdefault(part.cell, {judge: [] for judge in JUDGES})
        for judge in JUDGES:
            kept[judge].append(judged_part[judge])
    return {
        cell: Outcome(cell, {judge: found(np.concatenate(of_judge)) for judge, of_judge in kept.items()})
        for cell, kept in of.items()
    }
