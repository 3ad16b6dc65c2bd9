"""Proves that the growth of counters is what the samples say, whatever happens to scrapes, pods and processes."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feem.core.evidence.counter import align, increase, newest, total_increase, usable
from feem.core.evidence.samples import Sample, Series
from tests.evidence.samples import points, series

NAN = math.nan


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        pytest.param([], 0, id="nothing"),
        pytest.param([(110, 9)], 0, id="one sample in the window is a base"),
        pytest.param([(95, 3), (105, 5), (115, 9)], 6, id="from the last sample before the window"),
        pytest.param([(90, 1), (95, 3), (105, 5)], 2, id="of several before the window the last one counts"),
        pytest.param([(100, 3), (105, 5)], 2, id="a sample at the start is before the window"),
        pytest.param([(105, 5), (115, 9), (200, 11)], 6, id="a sample at the end is in it"),
        pytest.param([(105, 5), (115, 9), (200.001, 99)], 4, id="a sample after the end is not"),
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
def test_increase(samples: list[tuple[float, float]], expected: float) -> None:
    assert increase(points(*samples), 100, 200) == expected


def test_a_counter_born_in_sight_counts_in_full() -> None:
    witness = series([(95, 10), (105, 20), (115, 30)], code="200")
    errors = series([(115, 4), (125, 6)], code="500")
    assert total_increase([errors], 100, 200) == 2
    assert total_increase([errors], 100, 200, witnesses=[witness]) == 6
    assert total_increase([witness, errors], 100, 200) == 20 + 6


@pytest.mark.parametrize("other", [{"pod": "q"}, {"instance": "j"}, {"job": "sidecar"}])
def test_only_a_series_of_the_same_target_is_a_witness(other: dict[str, str]) -> None:
    witness = series([(95, 10), (105, 20)], **other)
    assert total_increase([series([(115, 4), (125, 6)], code="500")], 100, 200, witnesses=[witness]) == 2


def test_a_target_first_scraped_with_all_its_counters_gives_no_witness() -> None:
    both = [series([(115, 4), (125, 6)], code="500"), series([(115, 40), (125, 60)], code="200")]
    assert total_increase(both, 100, 200) == 22


def test_align_cuts_what_the_reference_has_not_seen() -> None:
    total = series([(105, 100), (115, 200)])
    bad = series([(105, 1), (115, 2), (125, 9)], code="500")
    elsewhere = series([(125, 9)], pod="q")
    assert align([bad, elsewhere], [total]) == (series([(105, 1), (115, 2)], code="500"), elsewhere)


def test_newest() -> None:
    assert newest([]) is None
    assert newest([series([(105, NAN)])]) is None
    assert newest([series([(105, 1), (115, NAN)]), series([(111, 1)])]) == 111


times = st.integers(0, 300).map(float)
values = st.one_of(st.integers(0, 1_000).map(float), st.sampled_from([NAN, math.inf, -1.0]))
histories = st.lists(st.builds(Sample, times, values), max_size=25)
windows = st.lists(times, min_size=3, max_size=3).map(sorted)
pods = st.sampled_from(["p", "q"])


@st.composite
def counters(draw: st.DrawFn) -> list[Series]:
    """A few counters of two pods, sampled at odd times, with resets and garbage."""
    return [
        Series((("code", str(index)), ("pod", draw(pods))), tuple(draw(histories)))
        for index in range(draw(st.integers(0, 4)))
    ]


@given(counters(), windows)
def test_growth_is_never_negative(several: list[Series], window: list[float]) -> None:
    assert total_increase(several, window[0], window[2]) >= 0


@given(counters(), counters(), windows)
def test_splitting_the_window_adds_up(several: list[Series], others: list[Series], window: list[float]) -> None:
    start, middle, end = window
    whole = total_increase(several, start, end, witnesses=others)
    parts = [total_increase(several, *part, witnesses=others) for part in ((start, middle), (middle, end))]
    assert whole == sum(parts)


@given(counters(), windows, st.randoms(use_true_random=False))
def test_order_does_not_matter(several: list[Series], window: list[float], chance: random.Random) -> None:
    shuffled = [Series(one.labels, tuple(chance.sample(one.samples, len(one.samples)))) for one in several]
    chance.shuffle(shuffled)
    assert total_increase(shuffled, window[0], window[2]) == total_increase(several, window[0], window[2])
    assert newest(shuffled) == newest(several)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=20), st.lists(st.integers(1, 50), min_size=1, max_size=20))
def test_a_reset_loses_nothing_after_it(before: list[int], after: list[int]) -> None:
    """A process counts `before`, dies after a scrape, and its successor counts `after`, less than before in its first scrape."""
    old = [sum(before[: index + 1]) for index in range(len(before))]
    new = [sum(after[: index + 1]) for index in range(len(after))]
    if new[0] >= old[-1]:
        old[-1:] = [new[0] + 1]
        old = [min(value, old[-1]) for value in old]
    samples = [Sample(float(time), float(value)) for time, value in enumerate([*old, *new])]
    assert increase(samples, 0, len(samples)) == (old[-1] - old[0]) + new[-1]


@given(histories)
def test_usable_samples_are_in_order_and_finite(samples: list[Sample]) -> None:
    kept = usable(samples)
    assert [s.time for s in kept] == sorted({s.time for s in kept})
    assert all(math.isfinite(s.value) and s.value >= 0 for s in kept)
    assert usable(kept) == kept
