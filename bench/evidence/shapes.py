"""Traffic that does not stand still: weights that change mid-way, load by the time of day, errors that come and go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bench.evidence.bench import Bench, generator, parts
from bench.evidence.feem_judge import ALPHA
from bench.evidence.grid import JUDGES, judged
from bench.evidence.grid_section import NAMES, detection, false_alarms
from bench.evidence.rules import Times
from bench.evidence.section import Check, Section, percent
from bench.evidence.share import Found, found
from bench.evidence.traffic import BLOCKS, Levels, Tracks, independent, level

RATE, BASE, WEIGHT = 100.0, 0.001, 0.1
PART = 200
TIME: Levels = np.arange(BLOCKS) / BLOCKS
"""The part of the hour that has passed, by block."""


def steps() -> Levels:
    """Return the weights of a release in four steps of a quarter of an hour."""
    return np.repeat([0.01, 0.05, 0.25, 0.5], BLOCKS // 4)


def day() -> Levels:
    """Return a day's load pressed into the hour: from a tenth to the whole and back, twice."""
    return RATE * (0.55 - 0.45 * np.cos(4 * np.pi * TIME))


def outages() -> Levels:
    """Return a share of errors that is ten times as high in the third quarter of the hour, for everybody."""
    return BASE * np.where((TIME >= 0.5) & (TIME < 0.75), 10.0, 1.0)


@dataclass(frozen=True)
class Case:
    """How the traffic moves, and how many times worse the canary is."""

    shape: str
    factor: float
    runs: int


SHAPES: dict[str, Callable[[], tuple[Levels, Levels, Levels]]] = {
    "steps 1, 5, 25, 50%": lambda: (level(RATE), steps(), level(BASE)),
    "a day's load, 10-100/s": lambda: (day(), level(WEIGHT), level(BASE)),
    "steps, both worse while at 25%": lambda: (level(RATE), steps(), outages()),
    "a day's load, both worse for 15 min": lambda: (day(), level(WEIGHT), outages()),
}
"""Load, weight and share of errors by block."""
CASES = tuple(Case(shape, factor, 1000 if factor == 1 else 300) for shape in SHAPES for factor in (1.0, 3.0, 10.0))


@dataclass(frozen=True)
class Part:
    """Some of a case's runs."""

    case: Case
    number: int
    runs: int


def drawn(part: Part) -> Tracks:
    """Draw the traffic of some runs."""
    load, weight, share = SHAPES[part.case.shape]()
    return independent(generator("shapes", part), part.runs, load, weight, share * part.case.factor, share)


def simulate(part: Part) -> dict[str, Times]:
    """Let every judge see the same runs."""
    return judged(drawn(part), BASE, steps=4 if part.case.shape.startswith("steps") else 1)


def run(bench: Bench) -> Section:
    """Simulate all cases."""
    jobs = [Part(case, n, size) for case in CASES for n, size in enumerate(parts(bench.runs(case.runs), PART))]
    times: dict[Case, list[dict[str, Times]]] = {}
    for job, result in zip(jobs, bench.each("shapes, parts", simulate, jobs), strict=True):
        times.setdefault(job.case, []).append(result)
    results = {
        case: {judge: found(np.concatenate([one[judge] for one in some])) for judge in JUDGES}
        for case, some in times.items()
    }
    return Section(
        name="shapes",
        title="Traffic that moves: weight changes, a day's load, errors of both tracks that come and go",
        notes=(
            f"{RATE:.0f} requests/s at the peak, base {BASE:.1%}, weight {WEIGHT:.0%} unless in steps (a quarter of",
            "  the hour each), one-hour runs. Both worse: both tracks have ten times the errors for a quarter of the hour.",
        ),
        columns=("traffic", "canary", *(NAMES[judge] for judge in JUDGES)),
        rows=tuple(
            (case.shape, f"x{case.factor:g}", *(shown(case, of[judge]) for judge in JUDGES))
            for case, of in results.items()
        ),
        checks=tuple(
            Check(
                f"{case.shape}: harmless canary, <= 1% rolled back", false_alarms(of["feem"]), of["feem"].share <= ALPHA
            )
            for case, of in results.items()
            if case.factor == 1
        ),
        figures={
            "cases": [
                {"shape": case.shape, "factor": case.factor, **{judge: of[judge].plain() for judge in JUDGES}}
                for case, of in results.items()
            ]
        },
    )


def shown(case: Case, one: Found) -> str:
    """Write a share, and the median where there is something to find."""
    return percent(one.share) if case.factor == 1 else detection(one)
