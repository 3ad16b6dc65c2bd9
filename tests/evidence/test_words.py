"""Proves that figures read as people write them."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from feem.core.evidence.words import count, duration, e_value, percent, points


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (Fraction(0), "0.0%"),
        (Fraction(52, 1000), "5.2%"),
        (Fraction(1), "100.0%"),
        (Fraction(1, 1000), "0.1%"),
        (Fraction(12, 10_000), "0.12%"),
        (Fraction(15, 10_000), "0.15%"),
        (Fraction(1, 100_000), "0.001%"),
        (Fraction(1, 3), "33.3%"),
        (Fraction(1, 10**11), "0.000000001%"),
        (Fraction(79, 10**16), "0.0%"),
        (Fraction(999, 100_000), "1.0%"),
    ],
)
def test_percent(share: Fraction, text: str) -> None:
    assert percent(share) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.1, "1 s"),
        (40, "40 s"),
        (119.5, "120 s"),
        (120, "2 min"),
        (5340, "89 min"),
        (7200, "2.0 h"),
        (172_800, "2 days"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "1.00"), (0.43, "0.43"), (12.6, "12.6"), (8103.2, "8,103"), (1e6, "1,000,000"), (3e21, "10^21")],
)
def test_e_values(value: float, text: str) -> None:
    assert e_value(math.log(value)) == text
    assert e_value(-1e9) == "0.00"


def test_counts_and_points() -> None:
    assert count(4490) == "4,490"
    assert points(0.162) == "16.2 of 100"
