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


def by_trial(blocks: Sequence[tuple[int, ...]], steps: int) -> float:
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
@pytest.mark.parametrize("seed", range(12))
def test_same_moment_as_the_trial(seed: int, steps: int) -> None:
    random = np.random.default_rng(seed)
    canary, stable = random.poisson(20, 240), random.poisson(80, 240)
    share = np.where(np.arange(240) < 120, 0.012 if seed % 2 else 0.005, 0.03)
    blocks = list(
        zip(
            random.binomial(canary, share).tolist(),
            canary.tolist(),
            random.binomial(stable, 0.01).tolist(),
            stable.tolist(),
            strict=True,
        )
    )
    assert feem_judge.ratio_run(blocks, 0.01, steps=steps) == by_trial(blocks, steps)
