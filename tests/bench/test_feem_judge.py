"""The bench's quick form of the ratio's rule decides when the operator's own trial does."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from bench.evidence import feem_judge
from bench.evidence.traffic import BLOCK
from feem.api.indicator import RatioIndicator
from feem.api.objective import CanarySettings, Indicator
from feem.api.release import ObjectiveSnapshot, Outcome
from feem.core.evidence.ratio_trial import RatioTrial
from feem.core.evidence.tally import Block
from feem.core.evidence.terms import Terms


def objective() -> ObjectiveSnapshot:
    ratio = RatioIndicator(bad='requests_total{code="500"}', total="requests_total")
    return ObjectiveSnapshot(
        name="errors", objective="99", indicator=Indicator(ratio=ratio), canary=CanarySettings(dispersion="1")
    )


def by_trial(blocks: Sequence[feem_judge.Counted], steps: int) -> float:
    trial = RatioTrial(Terms(objective(), start=0.0, alpha=feem_judge.ALPHA, steps=steps))
    length = -(-len(blocks) // steps)
    for number, (canary_bad, canary, stable_bad, stable) in enumerate(blocks, start=1):
        counts = (
            {"bad": float(bad), "total": float(total)} for bad, total in ((canary_bad, canary), (stable_bad, stable))
        )
        trial.add(Block((number - 1) * BLOCK, number * BLOCK, *counts), (number - 1) // length + 1)
        if trial.finding().outcome is Outcome.FAIL:
            return float(number * BLOCK)
    return math.inf


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("requests", [0.04, 0.4, 20])
@pytest.mark.parametrize("seed", range(8))
def test_same_moment_as_the_trial(seed: int, requests: float, steps: int) -> None:
    random = np.random.default_rng(seed)
    canary, stable = random.poisson(requests, 300), random.poisson(4 * requests, 300)
    worse = 3 if requests == 20 else 40
    share = np.where(np.arange(300) < 120, 0.012 if seed % 2 else 0.005, 0.01 * worse)
    columns = (random.binomial(canary, share), canary, random.binomial(stable, 0.01), stable)
    blocks = list(zip(*(column.tolist() for column in columns), strict=True))
    assert feem_judge.ratio_run(blocks, 0.01, steps=steps) == by_trial(blocks, steps)
