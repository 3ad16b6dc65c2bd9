"""Figures are summed up and written as they should be."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bench.evidence.bench import generator, parts
from bench.evidence.grid import Cell, Outcome
from bench.evidence.grid_section import bound_checks
from bench.evidence.section import Check, Section, duration, percent
from bench.evidence.share import Found, clopper_pearson, found


@pytest.mark.parametrize(
    ("hits", "runs", "low", "high"),
    [(0, 100, 0.0, 0.036217), (8, 2000, 0.0017284, 0.0078661), (5, 10, 0.187086, 0.812914), (10, 10, 0.691503, 1.0)],
)
def test_interval_is_the_exact_one(hits: int, runs: int, low: float, high: float) -> None:
    assert list(clopper_pearson(hits, runs)) == pytest.approx([low, high], abs=2e-6)


def test_median_is_none_when_fewer_than_half_are_found() -> None:
    assert found(np.array([5.0, math.inf, math.inf])).median is None
    assert found(np.array([5.0, 10.0, math.inf])) == Found(3, 2, 10.0)


def outcome(rate: int, median: float | None) -> Outcome:
    return Outcome(Cell(0.001, 3.0, rate, 0.1), {"feem": Found(100, 100, median)})


def test_a_cell_that_misses_the_bound_is_named() -> None:
    bound = Cell(0.001, 3.0, 100, 0.1).wald
    (kept,) = bound_checks([outcome(100, 1.7 * bound)])
    (missed,) = bound_checks([outcome(100, 1.9 * bound + 5)])
    assert kept.passed
    assert not missed.passed
    assert "100/s" in missed.figure


def test_a_cell_whose_bound_is_beyond_the_hour_stands_apart() -> None:
    (check,) = bound_checks([outcome(100, 500.0), outcome(1, None)])
    assert check.passed
    assert "1 cells apart" in check.figure


def test_a_section_that_could_not_be_made_says_why() -> None:
    text = "\n".join(Section("loans", "Loans", failure="no network").text())
    assert "NOT MEASURED: no network" in text


def test_a_section_shows_its_table_and_its_misses() -> None:
    one = Section(
        "a", "A", columns=("name", "figure"), rows=(("x", "1"),), checks=(Check("fast", "slow", passed=False),)
    )
    assert list(one.text())[-1] == "MISS  fast: slow"
    assert one.plain()["checks"] == [{"claim": "fast", "figure": "slow", "passed": False}]


def test_figures_as_people_read_them() -> None:
    assert (percent(0.004), percent(0.28), percent(0.995)) == ("0.4%", "28%", "99.5%")
    assert (duration(4.25), duration(45), duration(750), duration(None)) == ("4.2 s", "45 s", "12.5 min", "-")


def test_runs_are_the_same_whoever_makes_them() -> None:
    assert generator("a", 1).random() == generator("a", 1).random()
    assert generator("a", 1).random() != generator("a", 2).random()
    assert sum(parts(450, 200)) == 450
