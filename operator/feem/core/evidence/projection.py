"""The pair of distributions nearest to two estimates among all pairs that differ by no more than is tolerated."""

from __future__ import annotations

import math
from collections.abc import Sequence

Distribution = tuple[float, ...]

_ROUNDS = 60
"""More than Newton's method or, behind it, halving needs for every digit of a float."""


def total_variation(one: Sequence[float], other: Sequence[float]) -> float:
    """Return half the sum of the absolute differences: the share that would have to move from category to category."""
    return sum([abs(a - b) for a, b in zip(one, other, strict=True)]) / 2


def project(
    canary: Sequence[float], stable: Sequence[float], weight: float, tolerated: float
) -> tuple[Distribution, Distribution]:
    """Minimise w·KL(canary||u) + (1-w)·KL(stable||v) over the distributions u, v of total variation <= `tolerated`.

    `weight` is w, the canary's share of the observations. Returns (u, v); the inputs themselves where they are near
    enough already, and twice the one with all the weight where the other has none.

    With a = w·canary and b = (1-w)·stable the conditions of Karush, Kuhn and Tucker part the categories by a/b
    into the highest (u > v), the lowest (u < v) and those between (u = v). Among the highest u and v are proportional
    to a and b, with sums P and P - τ that satisfy a_high/P + b_high/(P - τ) = κ; the lowest mirror that; between them
    u = v = (a+b)/κ. One multiplier κ remains, and the mass that this leaves falls with κ, so its root is found safely.
    """
    if total_variation(canary, stable) <= tolerated:
        return tuple(canary), tuple(stable)
    if tolerated <= 0 or not 0 < weight < 1:
        same = tuple([weight * a + (1 - weight) * b for a, b in zip(canary, stable, strict=True)])
        return same, same
    own = [weight * share for share in canary]
    other = [(1 - weight) * share for share in stable]
    order = sorted(
        [place for place, mass in enumerate(own) if mass + other[place] > 0],
        key=lambda place: own[place] / other[place] if other[place] else math.inf,
    )
    low = _entries(own, other, order)
    high = _entries(other, own, order[::-1])
    multiplier, lows, highs = _multiplier(low, high, tolerated)
    return _spread(own, other, (order[:lows], order[len(order) - highs :]), multiplier, tolerated)


def _entries(less: Sequence[float], more: Sequence[float], order: Sequence[int]) -> list[tuple[float, float, float]]:
    """Return for each category in turn: from which τ·κ on it is in the group, and what the group then sums to.

    The categories come in the order in which they enter the group where the distribution of `more` is the larger.
    """
    entries, less_sum, more_sum = [], 0.0, 0.0
    for place in order:
        mine, theirs = less[place], more[place]
        whole = mine + theirs
        enters = more_sum * whole / theirs - less_sum * whole / mine if mine and theirs else 0.0 if theirs else math.inf
        less_sum += mine
        more_sum += theirs
        entries.append((enters, less_sum, more_sum))
    return entries


def _members(entries: Sequence[tuple[float, float, float]], reach: float) -> tuple[int, float, float]:
    """Return how many categories have entered the group below `reach` (τ·κ), and the group's two sums."""
    count, less_sum, more_sum = 0, 0.0, 0.0
    for enters, less, more in entries:
        if enters >= reach:
            break
        count, less_sum, more_sum = count + 1, less, more
    return count, less_sum, more_sum


def _multiplier(
    low: Sequence[tuple[float, float, float]], high: Sequence[tuple[float, float, float]], tolerated: float
) -> tuple[float, int, int]:
    """Return κ, in (0, 1], and the sizes of the lowest and the highest group there.

    The mass that κ leaves, times 2κ, is 1 + c + S_low + S_high - 2κ where c is the mass between the groups and
    S = sqrt((κτ - A)² + 4κτ·less) for a group of mass A. It falls by between 2 - 2τ and 2 for each unit of κ.
    """
    floor, ceiling, at = 0.0, 1.0, 1.0
    lows = highs = 0
    for _ in range(_ROUNDS):
        reach = at * tolerated
        lows, low_less, low_more = _members(low, reach)
        highs, high_less, high_more = _members(high, reach)
        low_sum, high_sum = low_less + low_more, high_less + high_more
        low_root = math.sqrt((reach - low_sum) ** 2 + 4 * reach * low_less)
        high_root = math.sqrt((reach - high_sum) ** 2 + 4 * reach * high_less)
        left = 2 - low_sum - high_sum + low_root + high_root - 2 * at
        floor, ceiling = (at, ceiling) if left > 0 else (floor, at)
        slope = (
            tolerated * (_slope(reach, low_less, low_more, low_root) + _slope(reach, high_less, high_more, high_root))
            - 2
        )
        following = at - left / slope
        if not floor < following < ceiling:
            following = (floor + ceiling) / 2
        if abs(following - at) <= 1e-16 or abs(left) <= 4e-16:
            break
        at = following
    return at, lows, highs


def _slope(reach: float, less: float, more: float, root: float) -> float:
    """Return how fast the root of a group grows with τ·κ."""
    return (reach + less - more) / root if root else 0.0


def _smaller_sum(multiplier: float, tolerated: float, less: float, more: float) -> float:
    """Return the sum q of a group in the distribution that is smaller there: the root q > 0 of more/(q+τ) + less/q = κ."""
    reach = multiplier * tolerated
    surplus = less + more - reach
    root = math.sqrt(surplus**2 + 4 * reach * less)
    if surplus >= 0:
        return (surplus + root) / (2 * multiplier)
    return 2 * less * tolerated / (root - surplus)


def _spread(
    own: Sequence[float],
    other: Sequence[float],
    groups: tuple[Sequence[int], Sequence[int]],
    multiplier: float,
    tolerated: float,
) -> tuple[Distribution, Distribution]:
    """Give every category its share: within a group in proportion to the estimates."""
    first = [(mine + theirs) / multiplier for mine, theirs in zip(own, other, strict=True)]
    second = list(first)
    sides = ((own, other, first, second, groups[0]), (other, own, second, first, groups[1]))
    for less, more, into_less, into_more, places in sides:
        less_sum = sum([less[place] for place in places])
        more_sum = sum([more[place] for place in places])
        smaller = _smaller_sum(multiplier, tolerated, less_sum, more_sum)
        for place in places:
            into_more[place] = more[place] * (smaller + tolerated) / more_sum
            into_less[place] = (less[place] / less_sum if less_sum else more[place] / more_sum) * smaller
    return tuple(first), tuple(second)
