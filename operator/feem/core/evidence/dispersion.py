"""How much more bad events vary than independent ones would: retry storms make many of one cause."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

SCALES: tuple[int, ...] = (1, 6, 24)
"""Over how many blocks bursts are looked for: with blocks of 5 seconds, 5 s, 30 s and 2 minutes."""

ENOUGH_EVENTS = 20
ENOUGH_BLOCKS = 12

CAUTION = 2.0
"""By how many of its own standard deviations an index is taken larger than it was seen: too little tempers too little."""

SURE = 3.0
"""How many standard deviations above 1 an index of dispersion must stand to count."""


def of_ratio(blocks: Sequence[tuple[int, int]]) -> float:
    """Return the dispersion of (bad, total) blocks, at least 1: the variance of the bad over that of independent ones.

    Pearson's index at three scales; one counts when it is significantly above 1, and the largest that counts is the
    answer. With fewer than 20 bad events or 12 blocks with traffic there is too little to see, and the answer is 1.
    Impossible counts raise ValueError. Source: McCullagh and Nelder, *Generalized Linear Models*, section 4.5.
    """
    for bad, total in blocks:
        if not 0 <= bad <= total:
            raise ValueError(f"{bad} bad of {total}: check that both queries count the same requests")
    busy = sum([total > 0 for _, total in blocks])
    if busy < ENOUGH_BLOCKS or sum([bad for bad, _ in blocks]) < ENOUGH_EVENTS:
        return 1.0
    return max([_significant(_joined(blocks, scale)) for scale in SCALES])


def of_mix(blocks: Sequence[Mapping[str, int]]) -> float:
    """Return the dispersion of blocks of counts by category, at least 1: that of the category that varies the most.

    A burst fills one category, and an index over all of them would thin it out; so each is taken against the rest.
    """
    totals = [sum(block.values()) for block in blocks]
    names = sorted({name for block in blocks for name in block})
    tracks = ([(block.get(name, 0), total) for block, total in zip(blocks, totals, strict=True)] for name in names)
    return max((of_ratio(track) for track in tracks), default=1.0)


def _joined(blocks: Sequence[tuple[int, int]], scale: int) -> list[tuple[int, int]]:
    """Return the sums of `scale` blocks after each other, those without traffic left out."""
    parts = [blocks[start : start + scale] for start in range(0, len(blocks), scale)]
    sums = [(sum([bad for bad, _ in part]), sum([total for _, total in part])) for part in parts]
    return [(bad, total) for bad, total in sums if total]


def _significant(blocks: Sequence[tuple[int, int]]) -> float:
    """Return Pearson's index of dispersion, and some caution, where it is surely above 1, else 1.

    With B blocks of m events on average the index of independent events has the standard deviation sqrt((2 + 1/m)/B).
    That of bursts is known about as well as their number: with `bad` events in bursts of `index` each it is off by about
    one over the square root of bad/index, and an hour that shows too little would temper too little.
    """
    bad, total = sum([bad for bad, _ in blocks]), sum([total for _, total in blocks])
    share = bad / total
    if len(blocks) < 2 or not 0 < share < 1:
        return 1.0
    spread = sum([(bad - total * share) ** 2 / total for bad, total in blocks])
    index = spread / (share * (1 - share) * (len(blocks) - 1))
    deviation = math.sqrt((2 + len(blocks) / bad) / len(blocks))
    return index * (1 + CAUTION / math.sqrt(bad / index)) if index > 1 + SURE * deviation else 1.0
