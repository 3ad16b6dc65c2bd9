"""Proves what is done while a fault is in place: when it goes on, and why it is taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from feem.api.release import Outcome
from feem.core.chaos.decide import decide
from feem.core.chaos.snapshot import Judged, Reading, RunSnapshot, Workload
from feem.core.chaos.status import State
from tests.chaos import snapshots as at
from tests.chaos.life import (
    Next,
    check,
    deleted,
    stopped,
    undone,
    unreadable,
    with_status,
)

GOES_ON = Next("Wait", "Running", in_place="InPlace", state=State.RUNNING)
SINCE = at.NOW - timedelta(seconds=44)
LONG_AGO = at.NOW - timedelta(seconds=45)
RUNS: dict[str, tuple[RunSnapshot, Next]] = {
    **{f"well {name}": (at.running(fault), GOES_ON) for name, fault in at.FAULTS.items()},
    "just begun": (at.running(ago=0), GOES_ON),
    "too few samples": (at.running(judged=at.THIN), GOES_ON),
    "its last second": (at.running(ago=59), GOES_ON),
    "its time is up": (at.running(ago=60), undone("TimeIsUp")),
    "long ago": (at.running(ago=600), undone("TimeIsUp")),
    "breached": (at.running(judged=at.BREACH), undone("ObjectiveBreached")),
    "breached at the end": (at.running(ago=60, judged=at.BREACH), undone("ObjectiveBreached")),
    "breached and halted": (at.running(judged=at.BREACH, around=at.around(halts=(at.halt(),))), undone("Halted")),
    "no metrics": (at.running(judged=at.UNKNOWN), GOES_ON),
    "no metrics for 44 s": (with_status(at.running(judged=at.UNKNOWN), unmeasured_since=SINCE), GOES_ON),
    "no metrics for 45 s": (
        with_status(at.running(judged=at.UNKNOWN), unmeasured_since=LONG_AGO),
        undone("MetricsLost"),
    ),
    "no verdicts for 45 s": (
        with_status(at.running(judged=Judged()), unmeasured_since=LONG_AGO),
        undone("MetricsLost"),
    ),
    "metrics again after 45 s": (with_status(at.running(), unmeasured_since=LONG_AGO), GOES_ON),
    "too few samples after 45 s": (with_status(at.running(judged=at.THIN), unmeasured_since=LONG_AGO), GOES_ON),
    "no metrics and its time is up": (
        with_status(at.running(ago=60, judged=at.UNKNOWN), unmeasured_since=LONG_AGO),
        undone("MetricsLost"),
    ),
    "an undo that was interrupted": (at.running(announced=("ObjectiveBreached", "x")), undone("ObjectiveBreached")),
    "an undo that was interrupted, halted": (
        at.running(announced=("TimeIsUp", "x"), around=at.around(halts=(at.halt(),))),
        undone("TimeIsUp"),
    ),
    "somebody took it back": (at.running(at.FAIL, vanished=True), undone("TakenBack")),
    "the reaper took it back before its time": (at.running(at.FAIL, ago=78, vanished=True), undone("TakenBack")),
    "the reaper took it back when it expired": (at.running(at.FAIL, ago=79, vanished=True), undone("TimeIsUp")),
    "taken back and halted": (at.running(vanished=True, around=at.around(halts=(at.halt(),))), undone("Halted")),
    "stopped": (stopped(at.running()), undone("Stopped")),
    "deleted": (deleted(at.running()), undone("RunDeleted")),
    "its namespace is deleted": (deleted(at.running(around=at.around(terminating=True))), undone("NamespaceDeleted")),
    "frozen": (at.running(around=at.around(windows=(at.FREEZE,))), undone("ChangeFreeze")),
    "the Deployment is another one": (
        at.running(around=at.around(workload=Workload("u", 3, 3))),
        undone("TargetReplaced"),
    ),
    "its changes cannot be read": (unreadable(at.running()), undone("PlanUnreadable")),
    "the experiment is gone": (at.running(experiment=None), GOES_ON),
}


@pytest.mark.parametrize(("s", "expected"), RUNS.values(), ids=RUNS.keys())
def test_while_the_fault_is_in_place(s: RunSnapshot, expected: Next) -> None:
    check(s, expected)


def test_a_breach_whose_undo_was_not_written_down_is_still_a_failure() -> None:
    """The undo is done and on record, and the write of the status met a conflict: the next look finds no fault any more."""
    plan = decide(at.running(at.FAIL, judged=at.BREACH, vanished=True))
    assert plan.status.cause == "ObjectiveBreached"


@pytest.mark.parametrize(("ago", "seconds"), [(20, 5), (54, 5), (57, 3), (59.5, 0.5)])
def test_it_is_looked_at_again_before_its_time_is_up(ago: float, seconds: float) -> None:
    assert decide(at.running(ago=ago)).requeue == pytest.approx(seconds)


def test_a_breach_says_which_objective_and_when() -> None:
    plan = decide(at.running(judged=at.BREACH))
    assert plan.message == "objective errors: figures, 20 s after the fault began"
    assert (plan.status.breached_at, plan.status.cause_message) == (at.NOW, plan.message)
    assert [one.outcome for one in plan.status.during] == [Outcome.FAIL]
    assert plan.warning
    assert plan.event


def test_metrics_that_are_lost_are_counted_from_when_they_were_lost() -> None:
    first = decide(at.running(judged=at.UNKNOWN))
    assert first.status.unmeasured_since == at.NOW
    later = replace(with_status(at.running(judged=at.UNKNOWN), unmeasured_since=SINCE))
    assert decide(later).status.unmeasured_since == SINCE
    assert decide(replace(later, judged=at.PASS)).status.unmeasured_since is None


SHOWS: dict[str, tuple[Any, Callable[[RunSnapshot], RunSnapshot], str]] = {
    "pods are there": (at.KILL, lambda s: s, ""),
    "pods are gone": (at.KILL, lambda s: replace(s, observed=at.lost(at.edits_in(s))), "1 of the pods is gone"),
    "containers run": (at.FAIL, lambda s: s, ""),
    "containers fail": (at.FAIL, lambda s: replace(s, observed=at.lost(at.edits_in(s))), "1 of the pods is not Ready"),
    "not scaled yet": (at.SCALE, lambda s: s, ""),
    "scaled": (at.SCALE, lambda s: replace(s, around=at.fewer(s)), "2 pods are available, 3 were"),
    "the query is quiet": (at.PARTITION, lambda s: replace(s, reading=Reading(0.0)), ""),
    "the query does not answer": (at.PARTITION, lambda s: replace(s, reading=Reading(problem="x")), ""),
    "the query was not asked": (at.PARTITION, lambda s: replace(s, reading=None), ""),
    "the query shows it": (
        at.PARTITION,
        lambda s: replace(s, reading=Reading(0.25)),
        "the query gives 0.25, 0 before",
    ),
}


@pytest.mark.parametrize(("fault", "look", "words"), SHOWS.values(), ids=SHOWS.keys())
def test_the_effect_is_seen_once_and_stays_seen(
    fault: Any, look: Callable[[RunSnapshot], RunSnapshot], words: str
) -> None:
    s = look(at.running(fault))
    plan = decide(s)
    effect = plan.status.effect
    assert effect is not None
    assert (effect.seen_at, effect.message) == ((at.NOW, f"effect seen: {words}") if words else (None, ""))
    later = replace(at.followed(s, plan, judged=at.PASS), now=at.NOW + timedelta(seconds=5))
    assert decide(later).status.effect == effect
    if words:
        assert words in decide(later).message
        again = replace(later, observed=s.observed, reading=Reading(0.75), around=s.around)
        assert decide(again).status.effect == effect


def test_the_last_value_that_did_not_show_it_is_kept() -> None:
    effect = decide(at.running(at.PARTITION, reading=Reading(-3.5))).status.effect
    assert effect is not None
    assert (effect.before, effect.during, effect.seen_at) == ("0", "-3.5", None)


def test_an_effect_that_is_seen_in_the_last_look_counts() -> None:
    plan = decide(at.running(at.PARTITION, ago=60, reading=Reading(1.0)))
    assert plan.action == "UndoFault"
    assert plan.status.effect is not None
    assert plan.status.effect.seen_at == at.NOW
