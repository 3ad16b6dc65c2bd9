"""Proves that axes keep the order of moments, and say where they are shortened."""

from __future__ import annotations

import itertools

import pytest

from feem.view.report.axis import Scale, TimeAxis, spoken


def test_an_axis_keeps_the_order_and_shortens_what_is_empty() -> None:
    moments = [0.0, 10.0, 20.0, 90_000.0, 90_010.0]
    axis = TimeAxis(moments, 100, 900)
    places = [axis.x(at) for at in moments]
    assert places == sorted(places)
    assert [places[0], places[-1]] == pytest.approx([100, 900])
    assert [round(one.seconds) for one in axis.breaks] == [89_980]
    assert places[3] - places[2] == pytest.approx(0.12 * 800)
    texts = axis.ticks()
    assert all(later[0] - earlier[0] >= 62 for earlier, later in itertools.pairwise(texts))
    assert texts[0] == (100, "00:00:00")


def test_an_axis_never_shortens_a_stretch_in_which_the_canary_serves() -> None:
    moments = [0.0, 10.0, 3_610.0, 3_620.0]
    assert [one.seconds for one in TimeAxis(moments, 0, 800).breaks] == [3_600]
    assert TimeAxis(moments, 0, 800, [(10.0, 3_610.0)]).breaks == []


@pytest.mark.parametrize("moments", [[], [5.0], [5.0, 5.0], [5.0, 5.0001, 5e9], [0.0, 1.0, 1e6, 2e6, 3e6, 4e6, 5e6]])
def test_an_axis_holds_any_moments(moments: list[float]) -> None:
    axis = TimeAxis(moments, 0, 100)
    assert all(-1e-6 <= axis.x(at) <= 100 + 1e-6 for at in [*moments, -1.0, 1e12])
    assert all(-1e-6 <= x <= 100 + 1e-6 for x, _ in axis.ticks())


def test_ticks_are_round_and_within() -> None:
    assert [text for _, text in Scale(0, 0.59, 100, 0).ticks()] == ["0.0", "0.2", "0.4"]
    assert [text for _, text in Scale(0, 104, 100, 0).ticks(4)] == ["0", "50", "100"]
    assert [text for _, text in Scale(0, 12_345, 100, 0).ticks()] == ["0", "5,000", "10,000"]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "0 s"), (59.6, "1 min"), (125, "2 min 5 s"), (3600, "1 h"), (190_000, "2 d 4 h")]
)
def test_durations(seconds: float, text: str) -> None:
    assert spoken(seconds) == text
