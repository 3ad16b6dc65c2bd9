"""Proves that whatever was fetched is in exactly one round, in the order of time."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from feem.core.evidence.rounds import LATE, ROUND_SECONDS, rounds
from feem.core.evidence.samples import Sample, Series, TrackSamples
from tests.evidence.samples import series

NOTHING = TrackSamples()


def of(*times: float) -> TrackSamples:
    return TrackSamples({"total": (series([(time, time) for time in times]),)})


def times(track: TrackSamples) -> list[float]:
    return [sample.time for several in track.series.values() for one in several for sample in one.samples]


def test_a_judge_in_time_gets_one_round() -> None:
    (one,) = rounds(of(996, 1001, 1007), of(1003), last=1000, end=1010, step=2)
    assert (one.end, one.step, times(one.canary), times(one.stable)) == (1010, 2, [996, 1001, 1007], [1003])


def test_a_judge_that_was_away_gets_one_for_each_five_seconds() -> None:
    cut = rounds(of(970, 1000, 1005, 1005.5, 1012.5, 1013), NOTHING, last=1000, end=1012.5, step=1)
    assert [one.end for one in cut] == [1005, 1010, 1012.5]
    assert [times(one.canary) for one in cut] == [[970, 1000, 1005], [1005.5], [1012.5]]


def test_what_is_later_than_the_end_is_left_for_the_next_look() -> None:
    assert [times(one.canary) for one in rounds(of(1004, 1006), NOTHING, last=1000, end=1005, step=1)] == [[1004]]


def test_a_clock_that_went_back_brings_one_round() -> None:
    assert [one.end for one in rounds(of(990), NOTHING, last=1000, end=995, step=1)] == [995]


moments = st.floats(900, 1300, allow_nan=False).map(lambda time: round(time, 3))


@settings(deadline=None)
@given(
    st.lists(st.lists(moments, max_size=12, unique=True).map(sorted), max_size=4),
    st.floats(1000, 1200).map(lambda end: round(end, 3)),
)
def test_every_sample_is_in_one_round(pods: list[list[float]], end: float) -> None:
    track = TrackSamples(
        {
            "total": tuple(
                Series((("pod", str(n)),), tuple(Sample(t, 1.0) for t in times)) for n, times in enumerate(pods)
            )
        }
    )
    cut = rounds(track, NOTHING, last=1000, end=end, step=1)
    got = sorted(itertools.chain.from_iterable(times(one.canary) for one in cut))
    assert got == sorted(time for pod in pods for time in pod if time <= end)
    assert cut[-1].end == end
    assert len(cut) == 1 or end - 1000 > LATE
    edges = [1000.0, *(one.end for one in cut)]
    assert all(
        0 < high - low <= (LATE if len(cut) == 1 else ROUND_SECONDS + 1e-9) or high == low
        for low, high in itertools.pairwise(edges)
    )
    for low, one in zip(edges[1:], cut[1:], strict=False):
        assert all(low - 1e-6 < time <= one.end + 1e-6 for time in times(one.canary))
