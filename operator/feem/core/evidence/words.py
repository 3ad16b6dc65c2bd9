"""Figures as people read them."""

from __future__ import annotations

from fractions import Fraction


def count(number: int) -> str:
    """Write a count with its thousands apart: `4,490`."""
    return f"{number:,}"


def percent(share: Fraction) -> str:
    """Write a share of 1 as percent, with as many decimals as it takes to see it: `5.2%`, `0.12%`, `0.003%`."""
    value = float(share * 100)
    if value == 0 or value >= 1:
        return f"{value:.1f}%"
    decimals = 1
    while value < 10**-decimals:
        decimals += 1
    text = f"{value:.{decimals + 1}f}"
    return (text.removesuffix("0")) + "%"
