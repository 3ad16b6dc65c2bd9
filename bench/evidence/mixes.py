"""Mixes: how soon other proportions of decisions are known, and that tolerated ones never are held against a canary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.evidence import feem_judge
from bench.evidence.bench import Bench, generator, parts
from bench.evidence.grid_section import false_alarms
from bench.evidence.rules import Times
from bench.evidence.section import Check, Section, duration, percent
from bench.evidence.share import Found, found
from bench.evidence.traffic import BLOCK, BLOCKS

NAMES = ("approved", "referred", "rejected")
STABLE = (0.55, 0.25, 0.20)
TOLERATED = 0.02
WEIGHT = 0.2
PART = 50


@dataclass(frozen=True)
class Case:
    """One hour of decisions: the canary's mix, decisions a second, how many runs, and what was promised."""

    canary: tuple[float, ...]
    rate: int
    runs: int
    median: float | None = None
    most: float | None = None

    @property
    def shift(self) -> float:
        """Total variation between the canary's mix and stable's."""
        return sum(abs(own - other) for own, other in zip(self.canary, STABLE, strict=True)) / 2

    @property
    def label(self) -> str:
        """The canary's mix in percent and the traffic."""
        return "/".join(f"{100 * share:.4g}" for share in self.canary) + f"  {self.rate:,}/s"


CASES = (
    Case((0.70, 0.15, 0.15), 20, 400, median=75),
    Case((0.70, 0.15, 0.15), 2, 400, median=720),
    Case((0.60, 0.22, 0.18), 20, 200),
    Case((0.85, 0.10, 0.05), 20, 200),
    Case(STABLE, 20, 1200, most=0.01),
    Case(STABLE, 2, 500, most=0.01),
    *(
        Case((0.55 + shift, 0.25 - shift, 0.20), rate, runs, most=most)
        for shift, most in ((0.015, 0.0), (0.019, 0.01))
        for rate, runs in ((20, 300), (2000, 200))
    ),
)


@dataclass(frozen=True)
class Part:
    """Some of a case's runs."""

    case: Case
    number: int
    runs: int
    tolerated: float


def simulate(part: Part) -> Times:
    """Return when each run was rolled back."""
    case, random = part.case, generator("mix", part)
    seconds = []
    for _ in range(part.runs):
        canary = drawn(random, case.rate * WEIGHT, case.canary)
        stable = drawn(random, case.rate * (1 - WEIGHT), STABLE)
        blocks = feem_judge.mix_run(zip(canary, stable, strict=True), part.tolerated)
        seconds.append(np.inf if blocks is None else blocks * BLOCK)
    return np.array(seconds, dtype=np.float64)


def drawn(random: np.random.Generator, rate: float, mix: Sequence[float]) -> list[dict[str, int]]:
    """Draw one hour of decisions, Poisson arrivals, block by block."""
    counts = random.multinomial(random.poisson(rate * BLOCK, BLOCKS), mix)
    return [dict(zip(NAMES, block, strict=True)) for block in counts.tolist()]


def run(bench: Bench) -> Section:
    """Simulate all cases."""
    jobs = [
        Part(case, number, size, TOLERATED)
        for case in CASES
        for number, size in enumerate(parts(bench.runs(case.runs), PART))
    ]
    times: dict[Case, list[Times]] = {}
    for job, result in zip(jobs, bench.each("mix, parts", simulate, jobs), strict=True):
        times.setdefault(job.case, []).append(result)
    results = {case: found(np.concatenate(some)) for case, some in times.items()}
    return Section(
        name="mix",
        title="Mix of decisions: other proportions with good answers",
        notes=(
            f"FEEM's MixShift, tolerated total variation {TOLERATED}, alpha {feem_judge.ALPHA}, looked at every {BLOCK} s; one-hour",
            f"  runs, canary {WEIGHT:.0%}; stable decides 55/25/20 (approved/referred/rejected). The rules on error ratios see",
            "  nothing here: every answer is good.",
        ),
        columns=("canary's mix, decisions", "shift (TV)", "runs", "rolled back", "median"),
        rows=tuple(
            (case.label, f"{case.shift:.3f}", f"{one.runs:,}", percent(one.share), duration(one.median))
            for case, one in results.items()
        ),
        checks=tuple(check(case, one) for case, one in results.items() if case.median or case.most is not None),
        figures={"cases": [figures(case, one) for case, one in results.items()]},
    )


def check(case: Case, one: Found) -> Check:
    """Hold a case against what was promised for it."""
    if case.median is not None:
        passed = one.median is not None and one.median <= case.median
        return Check(f"mix {case.label}, median <= {duration(case.median)}", f"{duration(one.median)}", passed)
    most = case.most or 0.0
    if most:
        what = f"tolerated mix {case.label}, TV {case.shift:.3f}" if case.shift else f"harmless mix {case.label}"
        return Check(f"{what}, <= {most:.0%} rolled back", false_alarms(one), one.share <= most)
    return Check(
        f"mix {case.label}, TV {case.shift:.3f} is tolerated: never rolled back", false_alarms(one), one.hits == 0
    )


def figures(case: Case, one: Found) -> dict[str, object]:
    """Return what the result file keeps."""
    return {"canary": list(case.canary), "decisionsPerSecond": case.rate, "shift": round(case.shift, 6), **one.plain()}
