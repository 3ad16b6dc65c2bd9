"""Burn rates and budgets: the policy's published numbers, exactness, and the edges."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feem.core.slo.burn import (
    WINDOWS,
    Severity,
    allowed,
    budget_left,
    burn_rate,
    firing,
    left_text,
    pairs,
    rate_text,
    reachable,
    windows,
)

OBJECTIVES = st.decimals("0.000001", "99.999999", places=6).map(str)


def test_thirty_days_have_the_published_factors() -> None:
    said = [(pair.long, pair.short, float(pair.factor(30)), pair.severity) for pair in WINDOWS]
    assert said == [
        ("1h", "5m", 14.4, Severity.PAGE),
        ("6h", "30m", 6, Severity.PAGE),
        ("1d", "2h", 3, Severity.TICKET),
        ("3d", "6h", 1, Severity.TICKET),
    ]


@pytest.mark.parametrize(
    ("days", "factors"),
    [
        (28, ["13.44", "5.6", "2.8", "1"]),
        (90, ["43.2", "18", "9", "3"]),
        (7, ["3.36", "1.4", "1", "1"]),
        (1, ["1"] * 3),
    ],
)
def test_other_windows_keep_the_share_of_the_budget_but_no_factor_below_one(days: int, factors: list[str]) -> None:
    assert [pair.factor(days) for pair in pairs(days)] == [Fraction(factor) for factor in factors]


@given(st.integers(1, 90))
def test_at_its_factor_the_long_window_has_spent_its_share_or_burns_at_one(days: int) -> None:
    for pair in pairs(days):
        spent = pair.factor(days) * {"1h": 1, "6h": 6, "1d": 24, "3d": 72}[pair.long] / (days * 24)
        assert spent == pair.share or (pair.factor(days) == 1 and spent > pair.share)


def test_the_windows_to_measure_end_with_the_objectives_own() -> None:
    assert windows(30) == ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d")
    assert windows(3) == ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
    assert windows(1) == ("5m", "30m", "1h", "2h", "6h", "1d")


def test_the_objective_is_read_exactly() -> None:
    assert allowed("99.9") == Fraction(1, 1000)
    assert allowed("99.999999") == Fraction(1, 100_000_000)
    assert burn_rate(1, 1000, "99.9") == 1.0
    assert burn_rate(144, 10_000, "99.9") == 14.4
    assert budget_left(1, 1000, "99.9") == 0.0


@pytest.mark.parametrize(
    ("bad", "total"), [(0, 0), (math.nan, 10), (1, math.nan), (0, -1), (-1, 5), (1, math.inf), (math.inf, 5)]
)
def test_without_events_or_with_nonsense_nothing_is_known(bad: float, total: float) -> None:
    assert burn_rate(bad, total, "99.9") is None
    assert budget_left(bad, total, "99.9") is None


def test_an_objective_of_a_hundred_has_no_budget() -> None:
    assert burn_rate(0, 10, "100") == 0.0
    assert budget_left(0, 10, "100") == 1.0
    assert burn_rate(1e-9, 10, "100") == math.inf
    assert budget_left(1, 10, "100") == -math.inf
    assert left_text(-math.inf) == "-∞%"
    assert [alert.pair.long for alert in firing(dict.fromkeys(windows(30), math.inf), 30)] == ["1h", "6h", "1d", "3d"]


@given(st.integers(0, 10**9), st.integers(1, 10**9), OBJECTIVES)
def test_budget_and_burn_rate_add_up_and_grow_with_bad_events(bad: int, total: int, objective: str) -> None:
    rate, left = burn_rate(bad, total, objective), budget_left(bad, total, objective)
    more = burn_rate(bad + 1, total, objective)
    assert rate is not None
    assert left is not None
    assert more is not None
    assert left == 1 - rate
    assert more > rate >= 0


def test_long_and_short_must_both_be_above() -> None:
    both = {"1h": 20.0, "5m": 15.0}
    assert [alert.pair.severity for alert in firing(both, 30)] == [Severity.PAGE]
    assert str(firing(both, 30)[0]) == "burn rate 20 over 1h and 15 over 5m, both above 14.4"
    assert not firing({"1h": 20.0, "5m": 14.4}, 30), "at the factor is not above it"
    assert not firing({"1h": 20.0, "5m": 1.0}, 30), "it is over"
    assert not firing({"1h": 1.0, "5m": 20.0}, 30), "it is short"
    assert not firing({"1h": 20.0, "5m": None}, 30), "an unknown rate is no alarm"
    assert not firing({"1h": 20.0}, 30)
    assert not firing({"3d": 9.0, "6h": 9.0}, 1), "three days are not in a window of one"


def test_factors_beyond_a_whole_outage_are_known() -> None:
    assert [reachable(pair, 30, "70") for pair in WINDOWS] == [False, False, True, True]
    assert all(reachable(pair, 30, "99.9") for pair in WINDOWS)
    assert all(reachable(pair, 30, "100") for pair in WINDOWS)


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (None, ""),
        (0.0, "0"),
        (0.42, "0.42"),
        (14.4, "14.4"),
        (1.0, "1"),
        (0.005, "0.005"),
        (3.333, "3.33"),
        (0.0004, "<0.001"),
        (99.96, "100"),
        (1000.0, "1000"),
        (math.inf, "∞"),
    ],
)
def test_rates_are_short(rate: float | None, text: str) -> None:
    assert rate_text(rate) == text


@pytest.mark.parametrize(
    ("left", "text"),
    [(None, ""), (1.0, "100.0%"), (0.99999, "99.9%"), (0.831, "83.1%"), (0.0, "0.0%"), (-0.5, "-50.0%")],
)
def test_what_is_left_is_never_flattered(left: float | None, text: str) -> None:
    assert left_text(left) == text
