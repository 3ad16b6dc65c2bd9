"""FEEM's own tests, looked at after every block, as a release does."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from bench.evidence.rules import Times
from bench.evidence.traffic import BLOCK, Tracks
from feem.core.evidence.events import RECENT
from feem.core.evidence.mix import MixShift
from feem.core.evidence.ratio import RelativeRisk
from feem.core.evidence.ratio_trial import FEWEST_BAD
from feem.core.evidence.staged import Staged

ALPHA = 0.01
WINDOW = int(RECENT) // BLOCK + 1
"""Blocks that `RatioTrial` calls the last five minutes: those that ended in them."""
Counted = tuple[int, int, int, int]
"""One block: canary bad, canary total, stable bad, stable total."""
NOTHING: Counted = (0, 0, 0, 0)
Pair = tuple[Mapping[str, int], Mapping[str, int]]


def ratio(
    tracks: Tracks, allowed: float, dispersions: Sequence[float] = (), steps: int = 1, alpha: float = ALPHA
) -> Times:
    """Return when FEEM rolls each run back; `steps` divides the hour evenly."""
    runs = tracks.canary_total.shape[0]
    factors = dispersions or [1.0] * runs
    columns = [one.tolist() for one in (tracks.canary_bad, tracks.canary_total, tracks.stable_bad, tracks.stable_total)]
    return np.array(
        [
            ratio_run(
                [tuple(block) for block in zip(*(column[run] for column in columns), strict=True)],
                allowed,
                factors[run],
                steps,
                alpha,
            )
            for run in range(runs)
        ]
    )


def ratio_run(
    blocks: Sequence[Counted], allowed: float, dispersion: float = 1.0, steps: int = 1, alpha: float = ALPHA
) -> float:
    """Feed one run to the test, block by block: canary bad, canary total, stable bad, stable total.

    The rule of `RatioTrial`, without its messages (tests/bench holds one against the other): once the evidence has
    reached 1/alpha and the canary has three bad requests, it is rolled back when its share is above the allowed one, over
    the whole release or over the last five minutes.
    """
    test = Staged(lambda: RelativeRisk(1.0, dispersion), steps)
    threshold = math.log(1 / alpha)
    length = -(-len(blocks) // steps)
    proven = False
    bad, total = [0] * (WINDOW + 1), [0] * (WINDOW + 1)
    for number, (block, compared) in enumerate(zip(blocks, accompanied(blocks), strict=True), start=1):
        bad.append(bad[-1] + block[0])
        total.append(total[-1] + block[1])
        test.begin((number - 1) // length + 1)
        if compared[0] or compared[2]:  # without bad requests the evidence stays
            for one in test.tests:
                one.add(*compared)
            proven = proven or test.log_evidence >= threshold
        if proven and bad[-1] >= FEWEST_BAD:
            recent = bad[-1] - bad[-1 - WINDOW], total[-1] - total[-1 - WINDOW]
            if bad[-1] > allowed * total[-1] or recent[0] > allowed * recent[1]:
                return float(number * BLOCK)
    return math.inf


def accompanied(blocks: Sequence[Counted]) -> Iterator[Counted]:
    """Yield what each block brings to compare: while one track is idle, the other's requests wait up to five minutes."""
    waiting, since = NOTHING, 0.0
    for number, block in enumerate(blocks):
        if block[1] and block[3] and waiting is NOTHING:
            yield block
            continue
        start = float(number * BLOCK)
        if start - since > RECENT:
            waiting = NOTHING
        if waiting is NOTHING:
            since = start
        canary_bad, canary, stable_bad, stable = (more + kept for more, kept in zip(block, waiting, strict=True))
        ready = (canary_bad, canary, stable_bad, stable)
        complete = bool(canary and stable)
        waiting = NOTHING if complete or not (canary or stable) else ready
        yield ready if complete else NOTHING


def mix_run(blocks: Iterable[Pair], tolerated: float, dispersion: float = 1.0, alpha: float = ALPHA) -> int | None:
    """Return after how many blocks FEEM rolls back for a shift of the mix, None if it does not.

    The rule of `MixTrial`: E has reached 1/alpha, and the shift seen so far is above what is tolerated.
    """
    test = MixShift(tolerated, dispersion)
    threshold = math.log(1 / alpha)
    proven = False
    for number, (canary, stable) in enumerate(blocks, start=1):
        test.add(canary, stable)
        proven = proven or test.log_evidence >= threshold
        if proven and test.shift > tolerated:
            return number
    return None
