"""Proves that a run is told once, in order, and with figures; also one that this version cannot read whole."""

from __future__ import annotations

import json

import pytest

from feem.api.run import EditRecord
from feem.view.chaos.edits import planned, view_of
from feem.view.chaos.report.history import events, phases
from feem.view.chaos.report.picture import picture
from feem.view.chaos.story import story
from tests.view.chaos import bodies as at


def told(body: at.Body) -> list[str]:
    return [line.text for line in story(at.read(body))]


@pytest.mark.parametrize("body", at.game_day(), ids=lambda body: body["metadata"]["name"])
def test_times_of_what_happened_do_not_go_back_and_nothing_is_said_twice(body: at.Body) -> None:
    lines = list(story(at.read(body)))
    times = [line.at for line in lines if line.at is not None]
    assert times == sorted(times)
    assert len({line.key for line in lines}) == len(lines)


def test_other_figures_alone_are_no_news() -> None:
    def key(said: str) -> str:
        return next(iter(story(at.read(at.run(conditions=at.states("Recovering", "Undone", said=said)))))).key

    assert key("waits for recovery, 90 s left") == key("waits for recovery, 85 s left")
    assert key("waits for recovery, 90 s left") != key("state and objectives are compared")


def test_a_new_run_has_no_story_yet() -> None:
    assert told(at.run()) == []


def test_what_loses_the_metrics_or_breaches_is_said() -> None:
    said = told(at.failed())
    assert "an objective is certainly breached: the fault is taken back" in said
    assert "objective credit-answers during: Fail: 80 of 400 bad (20.00%); the objective allows 1%" in said
    lost = at.ended("a-1", "Aborted", "MetricsLost", "nothing was known", unmeasuredSince=at.stamp(250))
    assert "the objectives cannot be measured" in told(lost)


def test_changes_of_a_kind_are_said_together_and_many_are_counted() -> None:
    many = [EditRecord.model_validate(at.evict(f"pod-{number}")) for number in range(9)]
    assert planned(many).startswith("evict Pod lending/pod-0, Pod lending/pod-1")
    assert planned(many).endswith("Pod lending/pod-5 and 3 more")
    assert (
        planned([EditRecord.model_validate(at.scale())])
        == "change /spec/replicas 3 to 1 of Deployment lending/credit-check"
    )
    assert planned([EditRecord.model_validate(one) for one in at.policy()]) == (
        "mark Pod lending/credit-check-a; create NetworkPolicy lending/feem-chaos-1"
    )


def test_a_change_that_adds_or_takes_away_a_value_shows_that_there_was_none() -> None:
    detail = json.loads(at.scale()["detail"]) | {
        "fields": [{"path": "/spec/x", "after": {"a": 1}}, {"path": "/spec/y", "before": "z"}]
    }
    view = view_of(EditRecord(object="Deployment lending/a", action="Change", detail=json.dumps(detail)))
    assert [(one.path, one.before, one.after) for one in view.values] == [
        ("/spec/x", "", '{"a": 1}'),
        ("/spec/y", "z", ""),
    ]


@pytest.mark.parametrize("detail", ["", "no json", "[]", "{}", '{"resource":"pods"}'])
def test_a_change_that_cannot_be_read_is_shown_as_it_is(detail: str) -> None:
    view = view_of(EditRecord(object="Pod lending/a", action="Warp", detail=detail))
    assert (view.object, view.does, view.values[0].after) == ("Pod lending/a", "Warp", detail)


def test_the_picture_has_each_event_and_phase_within_its_frame() -> None:
    run = at.read(at.failed())
    happened, stretches = events(run, []), phases(run)
    assert [one.name for one in happened] == [
        "planned", "injected", "seen", "breached", "undone", "gone", "recovered", "over",
    ]  # fmt: skip
    assert [one.kind for one in stretches] == ["", "fault", "recovery", "whole"]
    drawing = picture(happened, stretches)
    assert drawing.count("<circle") == len(happened)
    assert drawing.count('class="phase') == len(stretches)
    places = [float(part.split('"')[0]) for part in drawing.split(' cx="')[1:]]
    assert all(0 < place < 1000 for place in places)
    crowd = [happened[0]] * 40
    assert picture(crowd, []).count("<circle") == 40
    assert picture(happened[:1], []) == ""
