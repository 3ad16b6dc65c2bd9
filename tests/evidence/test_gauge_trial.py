"""Proves that a value out of bounds counts only when it stays there, alone, and was seen to."""

from __future__ import annotations

import math

import pytest

from feem.api.release import Outcome
from feem.core.evidence.rounds import Round
from feem.core.evidence.samples import Evidence, Sample, Series, TrackSamples
from feem.core.evidence.tape import Tape
from feem.core.evidence.trial import Trial
from tests.evidence.samples import START, gauge, terms


def values(*pairs: tuple[float, float]) -> TrackSamples:
    return TrackSamples({"value": (Series((), tuple(Sample(START + at, value) for at, value in pairs)),)})


def tried(
    canary: TrackSamples, stable: TrackSamples | None = None, low: str | None = None, high: str | None = "100"
) -> Trial:
    trial = Trial(terms(gauge(low, high)))
    ends = [
        sample.time for one in canary.series.get("value", ()) for sample in one.samples if math.isfinite(sample.time)
    ]
    for one in trial.rounds(Evidence(canary, stable or TrackSamples()), end=max(ends, default=START + 5), step=1):
        trial.take(one)
    return trial


def steady(value: float, until: float, since: float = 5) -> list[tuple[float, float]]:
    return [(at, value) for at in range(int(since), int(until) + 1, 5)]


@pytest.mark.parametrize(
    ("canary", "stable", "outcome", "reason"),
    [
        pytest.param(steady(50, 60), [], Outcome.PASS, "WithinBounds", id="within"),
        pytest.param(steady(100, 60), [], Outcome.PASS, "WithinBounds", id="on the bound"),
        pytest.param(steady(101, 60), [], Outcome.INCONCLUSIVE, "NotEnoughEvidence", id="out for 55 s"),
        pytest.param(steady(101, 65), [], Outcome.FAIL, "GaugeOutOfBounds", id="out for 60 s"),
        pytest.param([*steady(101, 60), (65, 99)], [], Outcome.PASS, "WithinBounds", id="back in time"),
        pytest.param(
            [*steady(101, 60), (65, 99), *steady(101, 120, 70)],
            [],
            Outcome.INCONCLUSIVE,
            "NotEnoughEvidence",
            id="a break",
        ),
        pytest.param(steady(101, 65), steady(101, 65), Outcome.INCONCLUSIVE, "SharedDegradation", id="both"),
        pytest.param(steady(101, 65), steady(99, 65), Outcome.FAIL, "GaugeOutOfBounds", id="only the canary"),
        pytest.param(steady(101, 65), steady(101, 35), Outcome.INCONCLUSIVE, "SharedDegradation", id="stable lately"),
        pytest.param(steady(101, 95), steady(101, 30), Outcome.FAIL, "GaugeOutOfBounds", id="stable long ago"),
        pytest.param([(5, 101), (605, 101)], [], Outcome.INCONCLUSIVE, "NotEnoughEvidence", id="nothing known between"),
        pytest.param(
            [(5, 101), (10, math.nan), *steady(101, 65, 15)], [], Outcome.FAIL, "GaugeOutOfBounds", id="a NaN"
        ),
        pytest.param([(5, math.nan)], [], Outcome.INCONCLUSIVE, "NoData", id="only NaN"),
        pytest.param([], steady(50, 60), Outcome.INCONCLUSIVE, "NoData", id="nothing"),
        pytest.param([(-100, 500), (-5, 500), (5, 50)], [], Outcome.PASS, "WithinBounds", id="before the release"),
    ],
)
def test_branches(
    canary: list[tuple[float, float]], stable: list[tuple[float, float]], outcome: Outcome, reason: str
) -> None:
    trial = tried(values(*canary), values(*stable))
    now = max((START + at for at, _ in canary), default=START + 5)
    verdict = trial.verdict(now=now)
    assert (verdict.outcome, verdict.reason) == (outcome, reason), verdict.message


def test_a_lower_bound_and_both() -> None:
    assert tried(values(*steady(1, 65)), low="2", high=None).verdict(now=START + 65).outcome is Outcome.FAIL
    both = tried(values(*steady(3, 65)), low="2", high="4").verdict(now=START + 65)
    assert both.message == "canary 3, stable none; good is at least 2 and at most 4"
    assert (both.evidence, both.threshold, both.dispersion) == ("", "", "")


def test_infinity_is_no_value_and_does_not_reach_the_tape() -> None:
    given = terms(gauge())
    trial, tape = Trial(given), Tape("r", (given,))
    found = Evidence(values((5, math.inf), (6, 50), (7, -math.inf)), values((5, math.nan)))
    (one,) = trial.rounds(found, end=START + 10, step=1)
    tape.note(0, one)
    trial.take(one)
    assert one == Round(START + 10, 1, values((6, 50)), TrackSamples())
    assert trial.verdict(now=START + 10).reason == "WithinBounds"


def test_what_was_read_is_not_read_again() -> None:
    trial = tried(values((5, 101)))
    (one,) = trial.rounds(Evidence(values((5, 1), (10, 101))), end=START + 10, step=1)
    assert one.canary == values((10, 101))


def test_an_old_value_is_stale() -> None:
    assert tried(values((5, 50))).verdict(now=START + 36).reason == "StaleData"
