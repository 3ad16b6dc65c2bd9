"""Errors that come in bursts: the same harmless canary, with and without the tempering that FEEM measures itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bench.evidence import feem_judge
from bench.evidence.bench import Bench, generator, parts
from bench.evidence.grid_section import false_alarms
from bench.evidence.mannwhitney import mann_whitney
from bench.evidence.rules import Times, argo, flagger
from bench.evidence.section import Check, Section, duration, percent
from bench.evidence.share import Found, found
from bench.evidence.traffic import BLOCK, BLOCKS, Counts, Tracks, clustered
from feem.core.evidence.dispersion import of_ratio
from feem.core.evidence.history import HISTORY

RATE, WEIGHT = 100, 0.1
PART = 200
BEFORE = int(HISTORY) // BLOCK
"""Blocks of stable before the release that the dispersion is measured on."""
JUDGES: tuple[tuple[str, str], ...] = (
    ("auto", "FEEM, Auto"),
    ("untempered", "FEEM untempered"),
    ("argo", "Argo-style"),
    ("flagger", "Flagger-style"),
    ("mannWhitney", "Mann-Whitney"),
)


@dataclass(frozen=True)
class Case:
    """How errors cluster: sizes and over how many blocks; and how bad the canary is."""

    sizes: str
    spread: int
    base: float
    factor: float
    runs: int

    @property
    def label(self) -> str:
        """The case in words."""
        clusters = "fives" if self.sizes == "five" else "geometric, mean 3"
        spread = "at once" if self.spread == 1 else f"over {self.spread * BLOCK} s"
        return f"{self.base:.1%} x{self.factor:g}, {clusters}, {spread}"


CASES = (
    Case("five", 1, 0.001, 1, 2000),
    Case("five", 1, 0.01, 1, 1000),
    Case("geometric", 1, 0.001, 1, 2000),
    Case("geometric", 1, 0.01, 1, 1000),
    Case("five", 6, 0.01, 1, 1000),
    Case("geometric", 6, 0.001, 1, 2000),
    Case("five", 1, 0.001, 10, 400),
    Case("geometric", 1, 0.001, 10, 400),
)


@dataclass(frozen=True)
class Part:
    """Some of a case's runs."""

    case: Case
    number: int
    runs: int


def drawn(case: Case, random: np.random.Generator, runs: int) -> tuple[Tracks, list[float]]:
    """Draw an hour of both tracks, and measure the dispersion of each run on stable's hour before it."""

    def track(weight: float, share: float, blocks: int) -> tuple[Counts, Counts]:
        totals = random.poisson(RATE * weight * BLOCK, (runs, blocks))
        return clustered(random, totals, share, case.sizes, case.spread)

    canary_total, canary_bad = track(WEIGHT, case.base * case.factor, BLOCKS)
    stable_total, stable_bad = track(1 - WEIGHT, case.base, BLOCKS)
    before_total, before_bad = track(1.0, case.base, BEFORE)
    measured = [
        of_ratio(list(zip(bad, total, strict=True)))
        for bad, total in zip(before_bad.tolist(), before_total.tolist(), strict=True)
    ]
    return Tracks(canary_total, canary_bad, stable_total, stable_bad), measured


def simulate(part: Part) -> tuple[dict[str, Times], list[float]]:
    """Let every judge see the same runs."""
    tracks, measured = drawn(part.case, generator("bursts", part), part.runs)
    judges: dict[str, Callable[[], Times]] = {
        "auto": lambda: feem_judge.ratio(tracks, part.case.base, measured),
        "untempered": lambda: feem_judge.ratio(tracks, part.case.base),
        "argo": lambda: argo(tracks),
        "flagger": lambda: flagger(tracks),
        "mannWhitney": lambda: mann_whitney(tracks),
    }
    return {name: judge() for name, judge in judges.items()}, measured


def run(bench: Bench) -> Section:
    """Simulate all cases."""
    jobs = [Part(case, n, size) for case in CASES for n, size in enumerate(parts(bench.runs(case.runs), PART))]
    times: dict[Case, list[dict[str, Times]]] = {}
    measured: dict[Case, list[float]] = {}
    for job, (judged, dispersions) in zip(jobs, bench.each("bursts, parts", simulate, jobs), strict=True):
        times.setdefault(job.case, []).append(judged)
        measured.setdefault(job.case, []).extend(dispersions)
    results = {
        case: {name: found(np.concatenate([one[name] for one in some])) for name, _ in JUDGES}
        for case, some in times.items()
    }
    return Section(
        name="bursts",
        title="Bursts: errors in clusters, variance 5 times that of independent ones",
        notes=(
            f"{RATE} requests/s, weight {WEIGHT:.0%}, one-hour runs. Auto: dispersion of each run as FEEM measures it",
            "  on stable's hour before. A cluster's errors hit one track, as a client's retries do; x1 is harmless.",
        ),
        columns=("errors", "measured (median)", *(title for _, title in JUDGES)),
        rows=tuple(
            (case.label, f"{np.median(measured[case]):.1f}", *(shown(case, of[name]) for name, _ in JUDGES))
            for case, of in results.items()
        ),
        checks=tuple(
            Check(
                f"bursts {case.label}: harmless canary with Auto, <= 1% rolled back",
                f"{false_alarms(of['auto'])}; untempered {percent(of['untempered'].share)}",
                of["auto"].share <= feem_judge.ALPHA,
            )
            for case, of in results.items()
            if case.factor == 1
        ),
        figures={"cases": [figures(case, of, measured[case]) for case, of in results.items()]},
    )


def shown(case: Case, one: Found) -> str:
    """Write a share, and the median where there is something to find."""
    return percent(one.share) if case.factor == 1 else f"{percent(one.share)} {duration(one.median)}"


def figures(case: Case, of: dict[str, Found], measured: list[float]) -> dict[str, object]:
    """Return what the result file keeps."""
    return {
        "base": case.base,
        "factor": case.factor,
        "clusters": case.sizes,
        "spreadSeconds": case.spread * BLOCK,
        "measuredDispersionQuartiles": [round(float(one), 3) for one in np.quantile(measured, [0.25, 0.5, 0.75])],
        **{name: of[name].plain() for name, _ in JUDGES},
    }
