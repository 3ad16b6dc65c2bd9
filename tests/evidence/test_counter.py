"""Proves that the growth of a counter is what its samples say, whatever happens to scrapes, pods and processes."""

from __future__ import annotations

import itertools
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feem.core.evidence.counter import Counter, target_of, usable
from feem.core.evidence.samples import Sample
from tests.evidence.samples import points, series

NAN = math.nan


def grown(samples: list[tuple[float, float]], after: float = 100, *, born: float | None = None) -> float:
    return Counter(born=born).gain(usable(points(*samples)), after)


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        pytest.param([], 0, id="nothing"),
        pytest.param([(110, 9)], 0, id="one sample is a base"),
        pytest.param([(95, 3), (105, 5), (115, 9)], 6, id="from the last sample before the start"),
        pytest.param([(90, 1), (95, 3), (105, 5)], 2, id="of several before the start the last one counts"),
        pytest.param([(100, 3), (105, 5)], 2, id="a sample at the start is before it"),
        pytest.param([(95, 3), (100, 5)], 0, id="what came until the start is old"),
        pytest.param([(95, 3), (105, 5), (115, 2), (125, 6)], 8, id="a reset: 2, then 2 from zero, then 4"),
        pytest.param([(95, 3), (105, 0), (115, 4)], 4, id="a reset to zero"),
        pytest.param([(95, 50), (105, 1), (115, 60), (125, 2)], 1 + 59 + 2, id="two resets"),
        pytest.param([(95, 50), (105, 50)], 0, id="standing still"),
        pytest.param([(95, 3), (105, NAN), (115, 5)], 2, id="NaN is no value"),
        pytest.param([(95, 3), (105, math.inf), (115, 5)], 2, id="infinity is no value"),
        pytest.param([(95, 3), (105, -5), (115, 5)], 2, id="a counter is not negative"),
        pytest.param([(115, 9), (95, 3), (105, 5)], 6, id="out of order"),
        pytest.param([(95, 3), (105, 5), (105, 5), (105, 4), (115, 9)], 6, id="duplicates: the largest of a moment"),
        pytest.param([(95, 3), (180, 9)], 6, id="went away and came back"),
        pytest.param([(95, 30), (180, 9)], 9, id="went away and came back as a new process"),
    ],
)
def test_growth(samples: list[tuple[float, float]], expected: float) -> None:
    assert grown(samples) == expected


def test_a_counter_born_in_sight_counts_in_full() -> None:
    assert grown([(115, 4), (125, 6)]) == 2
    assert grown([(115, 4), (125, 6)], born=110) == 6


def test_growth_since_a_sample_of_the_warm_up_is_left_out() -> None:
    samples = usable(points((100, 5), (115, 50), (130, 60), (145, 75)))
    assert Counter().gain(samples, 0, warm=110) == 10 + 15
    assert Counter().gain(samples, 0, warm=115) == 10 + 15
    assert Counter().gain(samples, 0, warm=116) == 15
    assert Counter(born=90).gain(samples, 0, warm=100) == 45 + 10 + 15


def test_it_remembers_where_it_stood() -> None:
    counter = Counter()
    assert [counter.gain(points(one), 0) for one in ((1, 10), (2, 15), (2, 99), (1, 3), (3, 4))] == [0, 5, 0, 0, 4]


@pytest.mark.parametrize("other", [{"pod": "q"}, {"instance": "j"}, {"job": "sidecar"}, {"namespace": "n"}])
def test_targets_are_told_apart(other: dict[str, str]) -> None:
    assert target_of(series([], **other)) != target_of(series([]))
    assert target_of(series([], code="500")) == target_of(series([], code="200", path="/"))


values = st.one_of(st.integers(0, 1_000).map(float), st.sampled_from([NAN, math.inf, -1.0]))
histories = st.lists(st.builds(Sample, st.integers(0, 300).map(float), values), max_size=25)
moments = st.integers(0, 300).map(float)


@settings(deadline=None)
@given(histories, moments, st.none() | moments, moments)
def test_growth_is_never_negative(samples: list[Sample], after: float, born: float | None, warm: float) -> None:
    assert Counter(born=born).gain(usable(samples), after, warm) >= 0


@settings(deadline=None)
@given(histories, moments, st.lists(moments, max_size=5))
def test_reading_in_parts_adds_up(samples: list[Sample], after: float, cuts: list[float]) -> None:
    fresh = usable(samples)
    counter, edges = Counter(), [-1.0, *sorted(cuts), math.inf]
    parts = [
        counter.gain([one for one in fresh if low < one.time <= high], after) for low, high in itertools.pairwise(edges)
    ]
    assert sum(parts) == Counter().gain(fresh, after)


@settings(deadline=None)
@given(histories, moments, st.randoms(use_true_random=False))
def test_order_does_not_matter(samples: list[Sample], after: float, chance: random.Random) -> None:
    shuffled = chance.sample(samples, len(samples))
    assert Counter().gain(usable(shuffled), after) == Counter().gain(usable(samples), after)


@settings(deadline=None)
@given(st.lists(st.integers(0, 50), min_size=1, max_size=20), st.lists(st.integers(1, 50), min_size=1, max_size=20))
def test_a_reset_loses_nothing_after_it(before: list[int], after: list[int]) -> None:
    """A process counts `before`, dies after a scrape, and its successor counts `after`, less than before in its first scrape."""
    old = [sum(before[: index + 1]) for index in range(len(before))]
    new = [sum(after[: index + 1]) for index in range(len(after))]
    old[-1] = max(old[-1], new[0] + 1)
    samples = [Sample(float(time), float(value)) for time, value in enumerate([*old, *new])]
    assert Counter().gain(samples, 0) == (old[-1] - old[0]) + new[-1]


@settings(deadline=None)
@given(histories)
def test_usable_samples_are_in_order_and_finite(samples: list[Sample]) -> None:
    kept = usable(samples)
    assert [s.time for s in kept] == sorted({s.time for s in kept})
    assert all(math.isfinite(s.value) and s.value >= 0 for s in kept)
    assert usable(kept) == kept
