"""Proves that the timeline shows what the records say was done, not what was only announced."""

from __future__ import annotations

from typing import Any

import pytest

from feem.view.report.history import MOST_EVENTS, Weight, events, weights
from feem.view.report.text import seconds_of
from feem.view.report.trace import log10_of, play
from tests.report.fixture import pack

ROUTE = "set HTTPRoute lending/limit-scoring to canary weight {}"


def intent(index: int, effect: str, **changes: Any) -> dict[str, Any]:
    time = f"2026-11-23T09:00:{index:02d}.000000Z"
    return {"index": index, "time": time, "part": "Intent", "action": "ShiftTraffic", "effects": [effect], **changes}


def outcome(index: int, reason: str = "Done", **changes: Any) -> dict[str, Any]:
    return {**intent(index, ""), "part": "Outcome", "reason": reason, "effects": [], "intent": index - 1, **changes}


def percents(*records: dict[str, Any]) -> list[int]:
    return [one.percent for one in weights(records)]


@pytest.mark.parametrize(("good", "expected"), [(False, [10, 50, 0, 0]), (True, [10, 50, 100, 100])])
def test_the_weights_of_a_release(good: bool, expected: list[int]) -> None:  # noqa: FBT001 - a parameter of pytest
    found = weights(pack(good=good).records)
    assert [one.percent for one in found] == expected
    assert [one.everywhere for one in found] == [False, False, False, good]
    assert [one.at for one in found] == sorted(one.at for one in found)


def test_a_weight_counts_from_its_outcome_on() -> None:
    records = [intent(4, ROUTE.format(10)), outcome(9, intent=4)]
    assert weights(records) == [Weight(seconds_of(records[1]["time"]) or 0, 10)]
    assert percents(intent(4, "patch HTTPRoute lending/limit-scoring weight 10"), outcome(5)) == [10]


@pytest.mark.parametrize("reason", ["Failed", "Abandoned"])
def test_what_failed_or_was_given_up_changed_nothing(reason: str) -> None:
    assert percents(intent(4, ROUTE.format(10)), outcome(5, reason)) == []
    assert percents(intent(4, ROUTE.format(10)), outcome(5, "Recovered")) == [10]


def test_what_has_no_outcome_or_another_ones_changed_nothing() -> None:
    assert percents(intent(0, ROUTE.format(10))) == []
    assert percents(intent(0, ROUTE.format(10)), outcome(5, intent=None)) == []
    assert percents(intent(0, ROUTE.format(10)), outcome(5, intent=3)) == []
    assert percents(intent(4, "pin Service lending/limit-scoring to pod-template-hash 1"), outcome(5)) == []


def test_an_undo_takes_the_change_back() -> None:
    promoted = [intent(1, ROUTE.format(100)), outcome(2)]
    promoted += [intent(3, "restore HTTPRoute lending/limit-scoring", reason="Promoted"), outcome(4)]
    undo = [intent(5, "take Deployment lending/limit-scoring back to template sha256:0", action="Undo"), outcome(6)]
    assert [(one.percent, one.everywhere) for one in weights(promoted + undo)] == [
        (100, False),
        (100, True),
        (0, False),
    ]


def test_events_come_in_the_order_of_time_each_once() -> None:
    one = pack()
    found, more = events(one.dossier, one.records)
    assert not more
    assert [event.action for event in found] == [
        "Requested",
        "Gates",
        "Approve",
        "Gates",
        "ApplyCanary",
        "ShiftTraffic",
        "ShiftTraffic",
        "RollBack",
        "RestoreTraffic",
        "ReleaseEnded",
        "SignOff",
    ]
    assert [event.kind for event in found if event.action in ("Approve", "ShiftTraffic", "RollBack")] == [
        "people",
        "forward",
        "forward",
        "back",
    ]


def test_a_decision_that_is_on_record_is_told_once() -> None:
    one = pack()
    subject = {"kind": "Decision", "namespace": "lending", "name": "limit-scoring-7-approve-risk"}
    record = {**one.records[0], "action": "Decision", "reason": "Counted", "subject": subject}
    found, _ = events(one.dossier, [record])
    assert [event.action for event in found] == ["Requested", "Decision", "RolledBack", "SignOff"]


def test_many_events_keep_what_people_and_ways_back_are() -> None:
    many = [intent(number % 60, ROUTE.format(10)) for number in range(100)]
    found, more = events({}, [*many, {**many[0], "action": "RollBack"}])
    assert more
    assert [event.action for event in found] == ["RollBack"]
    assert len(found) <= MOST_EVENTS


@pytest.mark.parametrize(
    ("text", "expected"), [("", None), ("0.00", -3.0), ("1.00", 0.0), ("8,103", 3.908646), ("10^21", 21.0), ("?", None)]
)
def test_evidence_is_read_back(text: str, expected: float | None) -> None:
    assert log10_of(text) == (None if expected is None else pytest.approx(expected))


def test_the_traces_end_in_the_recorded_verdicts() -> None:
    one = pack()
    played = play(one.samples[0])
    assert played.holds
    for trace, verdict in zip(played.traces, one.dossier["verdicts"], strict=True):
        assert trace.verdict.wire() == verdict
        last = trace.looks[-1]
        assert last.evidence == log10_of(verdict.get("evidence", ""))
        if verdict["canary"].get("bad") is not None:
            assert last.canary == verdict["canary"]["bad"] / verdict["canary"]["total"]
    failed = [trace for trace in played.traces if trace.verdict.outcome.value == "Fail"]
    assert [trace.crossed for trace in failed] == [played.at]
    assert [[step for _, step in trace.steps] for trace in played.traces] == [[1, 2]] * 4
    shift = next(trace for trace in played.traces if trace.terms.objective.indicator.mix is not None)
    assert f"{(shift.looks[-1].canary or 0) * 100:.1f} of 100 events fall elsewhere" in shift.verdict.message
