"""The table: error ratios on steady traffic, with the figures that were promised for them."""

from __future__ import annotations

from bench.evidence.bench import Bench
from bench.evidence.feem_judge import ALPHA
from bench.evidence.grid import BASES, FACTORS, JUDGES, RATES, WEIGHTS, Cell, Outcome, cells, cut, gather, simulate
from bench.evidence.section import Check, Section, duration, percent
from bench.evidence.share import Found
from bench.evidence.traffic import BLOCK, HOUR

NAMED_WEIGHT = 0.1
ALLOWANCE = 1.8
"""Times the Wald bound that the median may take, one interval more."""
USUAL_RUNS = 200
HEADLINE = {1.0: 4000, 3.0: 1000, 10.0: 1000}
"""Runs of the cells that were promised something by name, by factor."""
NAMES = {"feem": "FEEM", "argo": "Argo-style", "flagger": "Flagger-style", "mannWhitney": "Mann-Whitney"}
NOTES = (
    f"One-hour runs; Poisson arrivals, independent errors; weight {NAMED_WEIGHT:.0%} shown, all weights in the JSON.",
    "Each judge: share of runs rolled back within the hour, median time of all runs (- where fewer than half are).",
    "x1 is a harmless canary: every rollback is a false one; the worst weight is shown, named in brackets.",
    f"FEEM: its own RelativeRisk, tolerated relative risk 1, alpha {ALPHA}, looked at every {BLOCK} s; rolls back when E >= 1/alpha and",
    "  the canary's share of errors so far is above what the objective allows (objective = the base: 99.9% or 99%).",
    "Argo-style: each minute, canary's error ratio of the last minute > 1% fails at once (failureLimit 0); no traffic, no verdict.",
    "Flagger-style: each minute, success of the last minute < 99% is a failed check, 5 in all roll back; no traffic passes",
    "  (the tool itself would count it as failed).",
    "  The fixed 1% is what these rules are shown with; at base 1% it is the base itself, so their false alarms there are of their making.",
    "Mann-Whitney: each minute, all per-minute error ratios so far, two-sided confidence 0.98 (worse side 1%), ties and continuity",
    "  corrected; no effect-size or tolerance filter, so it finds, and errs, somewhat more often than a service with such filters.",
    "Wald: ln(1/alpha)/KL in seconds; x Wald: FEEM's median over (Wald + one interval).",
)


def runs_of(cell: Cell, bench: Bench) -> int:
    """Return how many runs a cell gets."""
    named = cell.base == 0.001 and cell.rate == 100 and cell.weight == NAMED_WEIGHT
    return bench.runs(HEADLINE.get(cell.factor, USUAL_RUNS) if named else USUAL_RUNS)


def run(bench: Bench) -> Section:
    """Simulate the grid."""
    parted = [part for cell in cells() for part in cut(cell, runs_of(cell, bench))]
    outcomes = gather(parted, bench.each("grid, parts", simulate, parted))
    columns = ("base, canary, rate", *(NAMES[judge] for judge in JUDGES), "Wald", "x Wald")
    return Section(
        name="grid",
        title="Error ratio: how soon a worse canary is rolled back, and how often a harmless one",
        notes=NOTES,
        columns=columns,
        rows=tuple(row(outcomes, base, factor, rate) for base in BASES for factor in FACTORS for rate in RATES),
        checks=(*named_checks(outcomes), *bound_checks(list(outcomes.values()))),
        figures={"cells": [outcome.plain() for outcome in outcomes.values()]},
    )


def row(outcomes: dict[Cell, Outcome], base: float, factor: float, rate: int) -> tuple[str, ...]:
    """Return one line: the named weight, or for a harmless canary the worst of all weights."""
    label = f"{base:.1%}  x{factor:<4g} {rate:>5,}/s"
    if factor == 1:
        same = [outcomes[Cell(base, factor, rate, weight)] for weight in WEIGHTS]
        worst = (max(same, key=lambda one: one.of[judge].share) for judge in JUDGES)
        shown = (
            f"{percent(one.of[judge].share)} ({one.cell.weight:.0%})" for judge, one in zip(JUDGES, worst, strict=True)
        )
        return (label, *shown, "", "")
    outcome = outcomes[Cell(base, factor, rate, NAMED_WEIGHT)]
    ratio = "-" if outcome.ratio is None else f"{outcome.ratio:.2f}"
    return (label, *(detection(outcome.of[judge]) for judge in JUDGES), duration(outcome.cell.wald), ratio)


def detection(one: Found) -> str:
    """Write a share and a median."""
    return f"{percent(one.share)} {duration(one.median):>8}"


def named_checks(outcomes: dict[Cell, Outcome]) -> tuple[Check, ...]:
    """Hold the figures at base 0.1%, 100 requests a second and 10% against what was promised."""
    ten, three, one = (outcomes[Cell(0.001, factor, 100, NAMED_WEIGHT)].of["feem"] for factor in (10.0, 3.0, 1.0))
    where = "base 0.1%, 100/s, 10%"
    return (
        Check(
            f"{where}: canary 1%, median <= 60 s",
            f"{duration(ten.median)} ({ten.runs:,} runs)",
            ten.median is not None and ten.median <= 60,
        ),
        Check(
            f"{where}: canary 0.3%, >= 95% within an hour",
            f"{percent(three.share)} of {three.runs:,} runs, median {duration(three.median)}",
            three.share >= 0.95,
        ),
        Check(f"{where}: harmless canary, <= 1% rolled back over >= 2,000 hours", false_alarms(one), one.share <= 0.01),
        worst_harmless(outcomes),
    )


def worst_harmless(outcomes: dict[Cell, Outcome]) -> Check:
    """Look at the harmless canary everywhere on the grid, all runs together and in the worst cell."""
    harmless = [outcome for outcome in outcomes.values() if outcome.cell.factor == 1]
    whole = Found(sum(o.of["feem"].runs for o in harmless), sum(o.of["feem"].hits for o in harmless), None)
    worst = max(harmless, key=lambda one: one.of["feem"].share)
    figure = (
        f"{false_alarms(whole)}; worst cell {percent(worst.of['feem'].share)} ({described(worst.cell)}); worst cells of "
        + ", ".join(f"{NAMES[judge]} {percent(max(o.of[judge].share for o in harmless))}" for judge in JUDGES[1:])
    )
    return Check("harmless canary over the whole grid, <= 1% rolled back", figure, whole.share <= ALPHA)


def false_alarms(one: Found) -> str:
    """Write a false-alarm rate with its interval."""
    low, high = one.interval()
    return f"{one.share:.2%} ({one.hits} of {one.runs:,}; 95% interval {low:.2%} to {high:.2%})"


def described(cell: Cell) -> str:
    """Name a cell."""
    return f"base {cell.base:.1%}, x{cell.factor:g}, {cell.rate:,}/s, {cell.weight:.0%}"


def bound_checks(outcomes: list[Outcome]) -> tuple[Check, ...]:
    """Hold the median against the Wald bound wherever the canary is at least three times worse."""
    effects = [one for one in outcomes if one.cell.factor >= 3]
    beyond = [one for one in effects if ALLOWANCE * one.cell.wald + BLOCK > HOUR]
    within = [one for one in effects if ALLOWANCE * one.cell.wald + BLOCK <= HOUR]

    def excess(one: Outcome) -> float:
        median = one.of["feem"].median
        return float("inf") if median is None else (median - BLOCK) / one.cell.wald

    worst = max(within, key=excess)
    over = [one for one in within if excess(one) > ALLOWANCE]
    median = worst.of["feem"].median
    figure = (
        f"worst (median - interval)/Wald {excess(worst):.2f} ({described(worst.cell)}: median {duration(median)}, "
        f"Wald {duration(worst.cell.wald)}); {len(within) - len(over)} of {len(within)} cells within; {len(beyond)} cells "
        f"apart, whose allowance itself is more than the hour"
    )
    if over:
        figure += "; over: " + "; ".join(f"{described(one.cell)} {excess(one):.2f}" for one in over)
    return (Check(f"median <= {ALLOWANCE} x Wald + {BLOCK} s where the canary is >= x3", figure, not over),)
