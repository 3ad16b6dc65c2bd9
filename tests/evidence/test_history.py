"""Proves that stable's hour before a release is measured as its samples say, and never stops a release."""

from __future__ import annotations

import math
import random

import pytest

from feem.core.evidence.history import HISTORY, dispersion, needs_history
from feem.core.evidence.samples import Sample, Series, TrackSamples
from tests.evidence.samples import GOOD, START, gauge, mix, objective, series

BEGAN = START + HISTORY


def stable(burst: int, seed: int = 1, *, role: str = "bad", rate: int = 50) -> TrackSamples:
    """An hour, scraped each 5 s: bad events come `burst` at a time, on average one in 20 events."""
    chance = random.Random(seed)  # noqa: S311 - a simulation
    bad, total, found = 0, 0, []
    for place in range(int(HISTORY / 5) + 13):
        total += rate * 5
        bad += burst * sum(chance.random() < 1 / (20 * burst) for _ in range(rate * 5))
        found.append((START - 60 + 5 * place, bad, total))
    if role == "events":
        return TrackSamples(
            {
                "events": (
                    series([(at, bad) for at, bad, _ in found], decision="reject"),
                    series([(at, total - bad) for at, bad, total in found], decision="approve"),
                )
            }
        )
    return TrackSamples(
        {
            "bad": (series([(at, bad) for at, bad, _ in found]),),
            "total": (series([(at, total) for at, _, total in found]),),
        }
    )


@pytest.mark.parametrize("role", ["bad", "events"])
def test_bursts_are_measured(role: str) -> None:
    given = objective() if role == "bad" else mix()
    calm, words = dispersion(given, stable(1, role=role), start=START, end=BEGAN)
    assert calm == 1
    assert words == "180,000 events of stable in 60 min before the release"
    assert 4.5 <= dispersion(given, stable(5, role=role), start=START, end=BEGAN)[0] <= 8


def test_what_is_given_is_taken() -> None:
    assert dispersion(objective(dispersion="2.5"), stable(5), start=START, end=BEGAN) == (2.5, "given by the objective")
    assert not needs_history(objective(dispersion="2.5"))
    assert needs_history(objective())
    assert dispersion(gauge(), stable(5), start=START, end=BEGAN) == (1.0, "")


@pytest.mark.parametrize("nothing", [TrackSamples(), TrackSamples({"total": ()})])
def test_no_history_is_none(nothing: TrackSamples) -> None:
    assert dispersion(objective(), nothing, start=START, end=BEGAN) == (1.0, "no history")


def test_nan_duplicates_resets_and_disorder_are_borne() -> None:
    clean = stable(1)
    chance = random.Random(3)  # noqa: S311 - an order, no secret

    def spoilt(one: Series) -> Series:
        torn = [Sample(sample.time + 1, value) for sample in one.samples[::7] for value in (math.nan, math.inf, -3.0)]
        return Series(
            one.labels,
            tuple(
                chance.sample(
                    [*one.samples, *one.samples[::3], *torn], len(one.samples) + len(one.samples[::3]) + len(torn)
                )
            ),
        )

    spoiled = TrackSamples({role: tuple(spoilt(one) for one in several) for role, several in clean.series.items()})
    assert dispersion(objective(), spoiled, start=START, end=BEGAN) == dispersion(
        objective(), clean, start=START, end=BEGAN
    )
    reset = TrackSamples({"total": (series([(START - 60 + 5 * n, 7 * (n % 100)) for n in range(730)], **GOOD),)})
    found, words = dispersion(objective(), reset, start=START, end=BEGAN)
    assert found == 1
    assert words.startswith("4,9")
