"""Proves that whole events come out of floats without loss, and that bad events never outrun all events."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feem.core.evidence.events import RECENT, Events, TrackEvents, Whole, whole


@pytest.mark.parametrize(("value", "expected"), [(99.4999, 99), (99.5, 100), (99.9999999, 100), (100.0000001, 100)])
def test_counts_are_rounded_half_up(value: float, expected: int) -> None:
    assert whole(value) == expected


@settings(deadline=None)
@given(st.lists(st.floats(0, 1e6), max_size=40))
def test_the_parts_sum_to_the_whole(gains: list[float]) -> None:
    counter = Whole()
    parts = [counter.add(gain) for gain in gains]
    assert min(parts, default=0) >= 0
    assert abs(sum(parts) - counter.seen) <= 0.5 + 1e-6


def test_what_is_too_much_now_is_due_later() -> None:
    counter = Whole()
    assert [counter.add(7, most=5), counter.add(0, most=1), counter.add(0, most=9)] == [5, 1, 1]


gains = st.lists(st.tuples(st.floats(0, 500), st.floats(0, 500)), max_size=30)


@settings(deadline=None)
@given(gains, st.sampled_from(["bad", "good", "fast"]))
def test_bad_is_always_among_all(blocks: list[tuple[float, float]], role: str) -> None:
    track = TrackEvents(counts_good=role != "bad")
    for place, (some, total) in enumerate(blocks):
        found = track.add({role: some, "total": total}, place * 5.0)
        assert 0 <= found.bad <= found.total
    assert 0 <= track.all.bad <= track.all.total == whole(sum(total for _, total in blocks))


def test_good_events_are_taken_from_all() -> None:
    track = TrackEvents(counts_good=True)
    assert track.add({"good": 95.0, "total": 100.0}, 5) == Events(5, 100)
    assert track.add({"fast": 100.0, "total": 100.0}, 10) == Events(0, 100)


def test_bad_that_a_scrape_brought_early_waits_for_its_total() -> None:
    track = TrackEvents(counts_good=False)
    assert [track.add({"bad": 90.0}, 5), track.add({"total": 100.0}, 10)] == [Events(0, 0), Events(90, 100)]
    assert not track.disagree()


@pytest.mark.parametrize(
    ("role", "some", "total", "disagree"),
    [
        ("bad", 15, 10, False),
        ("bad", 21, 10, True),
        ("bad", 1015, 1000, False),
        ("bad", 1021, 1000, True),
        ("good", 1015, 1000, False),
        ("good", 1021, 1000, True),
    ],
)
def test_more_bad_or_good_events_than_events(role: str, some: float, total: float, *, disagree: bool) -> None:
    track = TrackEvents(counts_good=role == "good")
    track.add({role: some, "total": total}, 5)
    assert track.disagree() is disagree


def test_recent_is_the_last_five_minutes() -> None:
    track = TrackEvents(counts_good=False)
    track.add({"bad": 5.0, "total": 10.0}, 0)
    track.add({"total": 10.0}, RECENT)
    assert track.recent() == Events(5, 20)
    track.add({"total": 10.0}, RECENT + 1)
    assert (track.recent(), track.all) == (Events(0, 20), Events(5, 30))
