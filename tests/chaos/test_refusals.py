"""Proves everything that keeps a run from beginning, or ends one whose fault is in place, each with its word."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from feem.api.experiment import Terms
from feem.api.run import ChaosRun, Track
from feem.core.chaos.decide import decide
from feem.core.chaos.refusals import deleted_or_stopped, reason_to_stop, refusals
from feem.core.chaos.rivals import AT_REST
from feem.core.chaos.snapshot import RunSnapshot, Workload
from feem.core.chaos.status import status_of
from tests.chaos import snapshots as at
from tests.gates.cases import window
from tests.rollout import snapshots as rollout

MIX = {"mix": {"counter": "decisions_total", "label": "decision"}}
GAUGE = {"gauge": {"query": "max(queue_depth)", "max": "10"}}
LATENCY = {"latency": {"histogram": "seconds_bucket", "threshold": "0.3"}}
RELEASE = rollout.NAME
ELSEWHERE = window(
    "other",
    "Freeze",
    {"range": {"start": "2026-01-01T00:00", "end": "2027-01-01T00:00"}},
    scope={"namespaces": ["other"]},
)
CANARY: dict[str, Any] = {"track": "Canary", "release": RELEASE}


def with_around(s: RunSnapshot, **changes: Any) -> RunSnapshot:
    return replace(s, around=replace(s.around, **changes))


def before(**changes: Any) -> RunSnapshot:
    return with_around(at.new(), **changes)


def while_(**changes: Any) -> RunSnapshot:
    return with_around(at.running(), **changes)


def canary(s: RunSnapshot) -> RunSnapshot:
    spec = s.run.spec.model_copy(update={"track": Track.CANARY, "release": RELEASE})
    return replace(s, run=s.run.model_copy(update={"spec": spec}), compared_with="scoring-aaa")


def owing(emergency: str = "decision-7", due: float = 3600, **fields: Any) -> Any:
    """A release that is over and owes a sign-off."""
    duty = {"role": "risk", "due": at.NOW + timedelta(seconds=due), "emergency": emergency}
    status = at.release("Promoted", 4, ended="Promoted", completed_at=at.NOW, **fields).status
    assert status is not None
    whole = status.model_validate({**status.wire(), "signOff": duty})
    return rollout.release(whole, name="scoring-3")


def terms_in(s: RunSnapshot) -> Terms:
    frozen = status_of(s.run).terms
    if frozen is not None:
        return frozen
    assert s.experiment is not None
    return s.experiment.spec


def words(s: RunSnapshot) -> list[str]:
    return [one.reason for one in refusals(s, terms_in(s))]


def word_to_stop(s: RunSnapshot) -> str:
    found = reason_to_stop(s, terms_in(s))
    return found.reason if found is not None else ""


# -- before -------------------------------------------------------------------------------------------------------------

NEEDS_WINDOW = at.experiment(window="Required")
REFUSED: dict[str, tuple[RunSnapshot, list[str]]] = {
    "nothing": (before(), []),
    # the switch
    "halted everywhere": (before(halts=(at.halt(),)), ["Halted"]),
    "halted here": (before(halts=(at.halt("other", at.NAMESPACE),)), ["Halted"]),
    "halted elsewhere": (before(halts=(at.halt("other"),)), []),
    "halted elsewhere and here": (before(halts=(at.halt("other"), at.halt(at.NAMESPACE))), ["Halted"]),
    # windows
    "frozen": (before(windows=(at.FREEZE,)), ["ChangeFreeze"]),
    "frozen elsewhere": (before(windows=(ELSEWHERE,)), []),
    "frozen within an open window": (before(windows=(at.OPEN, at.FREEZE)), ["ChangeFreeze"]),
    "in a window": (before(windows=(at.OPEN,)), []),
    "in one of two windows": (before(windows=(at.CLOSED, at.OPEN)), []),
    "outside the windows": (before(windows=(at.CLOSED,)), ["OutsideWindow"]),
    "a window is required and there is none": (replace(before(), experiment=NEEDS_WINDOW), ["NoWindow"]),
    "a window is required and there is one": (replace(before(windows=(at.OPEN,)), experiment=NEEDS_WINDOW), []),
    "a window is required and closed": (
        replace(before(windows=(at.CLOSED,)), experiment=NEEDS_WINDOW),
        ["OutsideWindow"],
    ),
    # releases
    "a release under way": (before(releases=(at.release(),)), ["ReleaseInProgress"]),
    "a release that goes back": (before(releases=(at.release("Undoing", ended="RolledBack"),)), ["ReleaseInProgress"]),
    "a release in its watch": (before(releases=(at.release("Watching", 4, ended="Promoted"),)), ["ReleaseInProgress"]),
    "a paused release": (before(releases=(at.release("Paused"),)), ["ReleaseInProgress"]),
    "a release that is over": (
        before(releases=(at.release("Promoted", 4, ended="Promoted", completed_at=at.NOW),)),
        [],
    ),
    "a release nobody has looked at": (before(releases=(rollout.release(),)), []),
    "the second release is under way": (
        before(releases=(at.release("Held", 0), at.release("Baking", name="scoring-5"))),
        ["ReleaseInProgress"],
    ),
    # the service
    "a namespace that is not allowed": (before(allowed=False), ["NamespaceNotAllowed"]),
    "no service": (before(service=None), ["ServiceMissing"]),
    "a service nobody has looked at": (before(service=at.service(ready=None)), ["ServiceNotReady"]),
    "a service that is not governed": (before(service=at.service(ready=False)), ["ServiceNotReady"]),
    "a service without a stable version": (before(service=at.service(stable=False)), ["ServiceNotReady"]),
    "no Deployment": (before(workload=None), ["ServiceNotReady"]),
    "too few pods": (before(workload=Workload("u", 3, 2)), ["ServiceNotReady"]),
    "more pods than asked for": (before(workload=Workload("u", 3, 4)), []),
    "scaled to nothing": (before(workload=Workload("u", 0, 0)), []),
    # objectives
    "no objective": (before(objectives={}), ["ObjectiveMissing"]),
    "a mix": (before(objectives={"errors": at.objective(indicator=MIX)}), ["ObjectiveUnfit"]),
    "a gauge": (before(objectives={"errors": at.objective(indicator=GAUGE)}), ["ObjectiveUnfit"]),
    "a latency": (before(objectives={"errors": at.objective(indicator=LATENCY)}), []),
    "an untouched budget": (before(objectives={"errors": at.objective("100.0%")}), []),
    "a little budget": (before(objectives={"errors": at.objective("0.1%")}), []),
    "no events yet": (before(objectives={"errors": at.objective("")}), []),
    "a spent budget": (before(objectives={"errors": at.objective("0.0%")}), ["BudgetSpent"]),
    "an overspent budget": (before(objectives={"errors": at.objective("-12.5%")}), ["BudgetSpent"]),
    "a hopeless budget": (before(objectives={"errors": at.objective("-∞%")}), ["BudgetSpent"]),
    # debt
    "an emergency that is not reviewed": (before(releases=(owing(),)), ["DebtOpen"]),
    "an overdue sign-off": (before(releases=(owing("", -1),)), ["DebtOpen"]),
    "a sign-off that is not due yet": (before(releases=(owing("", 60),)), []),
    # other runs
    "another run": (before(others=(at.other(),)), ["AnotherRun"]),
    "another run that recovers": (before(others=(at.other(undone=True),)), ["AnotherRun"]),
    "another run that waits as well": (before(others=(at.other(planned=False),)), []),
    "a run nobody has looked at": (before(others=(at.run(name="x", uid="y"),)), []),
    "a run on another service": (before(others=(at.other(service="report"),)), []),
    # people
    "stopped": (replace(before(), run=at.stopped(at.run())), []),
    "deleted": (replace(before(), run=at.deleted(at.run())), []),
}


@pytest.mark.parametrize(("s", "reasons"), REFUSED.values(), ids=REFUSED.keys())
def test_what_forbids_a_run_to_begin(s: RunSnapshot, reasons: list[str]) -> None:
    assert words(s) == reasons
    for one in refusals(s, terms_in(s)):
        assert len(one.message) > 20


@pytest.mark.parametrize(
    "state", ["Baking", "Experimenting", "Paused", "Undoing", "Promoting", "Inconclusive", "Bypassed"]
)
def test_a_release_that_has_touched_something_is_in_progress(state: str) -> None:
    assert words(before(releases=(at.release(state),))) == ["ReleaseInProgress"]


@pytest.mark.parametrize("state", sorted(AT_REST))
def test_a_release_that_is_only_held_or_waits_refuses_nothing(state: str) -> None:
    assert words(before(releases=(at.release(state, 0),))) == []


@pytest.mark.parametrize("state", ["Waiting", "WaitingForChaos"])
@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_release_that_waits_with_traffic_on_its_canary_is_in_progress(state: str, step: int) -> None:
    assert words(before(releases=(at.release(state, step),))) == ["ReleaseInProgress"]


def test_a_canary_may_still_be_short_of_pods_and_may_be_held_against_anything_but_not_be_gone() -> None:
    own = (at.release("Experimenting"),)
    s = canary(before(releases=own, workload=Workload("u", 3, 1)))
    assert words(s) == []
    assert words(with_around(s, objectives={"errors": at.objective(indicator=MIX)})) == []
    assert words(with_around(s, objectives={"errors": at.objective(indicator=GAUGE)})) == []
    assert words(with_around(s, workload=None)) == ["ServiceNotReady"]
    assert words(with_around(s, objectives={"errors": at.objective("-1.0%")})) == ["BudgetSpent"]


OWN: dict[str, tuple[tuple[Any, ...], list[str]]] = {
    "experimenting": ((at.release("Experimenting"),), []),
    "in its last step": ((at.release("Baking", 3),), []),
    "not there": ((), ["ReleaseEnded"]),
    "before its first step": ((at.release("Waiting", 0),), ["ReleaseEnded"]),
    "nobody has looked at it": ((rollout.release(),), ["ReleaseEnded"]),
    "goes back": ((at.release("Undoing", ended="RolledBack"),), ["ReleaseEnded"]),
    "promoted": ((at.release("Watching", 4, ended="Promoted"),), ["ReleaseEnded"]),
    "over": ((at.release("Promoted", 4, ended="Promoted", completed_at=at.NOW),), ["ReleaseEnded"]),
    "another one as well": ((at.release("Experimenting"), at.release(name="scoring-5")), ["ReleaseInProgress"]),
    "another one that is held": ((at.release("Experimenting"), at.release("Held", 0, name="scoring-5")), []),
}


@pytest.mark.parametrize(("releases", "reasons"), OWN.values(), ids=OWN.keys())
def test_the_release_that_asks_for_a_run_on_its_canary_allows_it_and_no_other(
    releases: tuple[Any, ...], reasons: list[str]
) -> None:
    assert words(canary(before(releases=releases))) == reasons


def test_a_run_on_stable_has_no_release_of_its_own_whatever_it_says() -> None:
    spec = at.run().spec.model_copy(update={"release": RELEASE})
    s = replace(before(releases=(at.release("Experimenting"),)), run=at.run().model_copy(update={"spec": spec}))
    assert words(s) == ["ReleaseInProgress"]


def test_all_reasons_are_said_at_once_and_the_most_important_is_the_cause() -> None:
    s = before(
        halts=(at.halt(),),
        windows=(at.FREEZE, at.CLOSED),
        releases=(at.release(), owing()),
        allowed=False,
        service=at.service(ready=False),
        workload=None,
        objectives={},
        others=(at.other(),),
    )
    reasons = [
        *("Halted", "ChangeFreeze", "OutsideWindow", "ReleaseInProgress", "NamespaceNotAllowed", "ServiceNotReady"),
        *("ServiceNotReady", "ObjectiveMissing", "DebtOpen", "AnotherRun"),
    ]
    assert words(s) == reasons
    plan = decide(s)
    assert at.told(plan) == ("Skipped", "Halted")
    for one in refusals(s, terms_in(s)):
        assert one.message in plan.message


def test_a_halt_says_who_halts_why_and_how_it_goes_on() -> None:
    (found,) = refusals(before(halts=(at.halt(),)), terms_in(before()))
    assert "by mei" in found.message
    assert "customers call" in found.message
    assert "kubectl delete chalt all-stop" in found.message
    (found,) = refusals(before(halts=(at.halt(by=""),)), terms_in(before()))
    assert "stopped (ChaosHalt" in found.message


# -- other runs ---------------------------------------------------------------------------------------------------------

SERVICES = (at.service(), at.service(name="bureau-service", entry="bureau"))


def test_who_cuts_a_dependency_touches_it_as_well() -> None:
    on_bureau = at.other(service="bureau-service")
    cutting = at.other(fault=at.CUT)
    s = replace(before(others=(on_bureau,), services=SERVICES), experiment=at.experiment(at.CUT))
    assert words(s) == ["AnotherRun"]
    assert words(replace(s, experiment=at.experiment())) == []
    on_it = replace(before(others=(cutting,), services=SERVICES), experiment=at.experiment(service="bureau-service"))
    assert words(on_it) == ["AnotherRun"]
    assert words(with_around(on_it, services=())) == []


def test_of_two_runs_that_wait_neither_refuses_the_other_until_one_is_settled() -> None:
    """Which of them is settled first is the order in which they are looked at: see test_run_controller."""
    mine, theirs = at.new(), at.other(planned=False)
    assert words(with_around(mine, others=(theirs,))) == []
    settled = at.planned().run
    assert words(with_around(mine, others=(settled.model_copy(update={"metadata": theirs.metadata}),))) == [
        "AnotherRun"
    ]


def test_a_run_that_was_settled_meanwhile_is_seen_before_the_injection() -> None:
    """Two services, two visits at once: both give way, and nothing is injected."""
    plan = decide(with_around(at.planned(), others=(at.other(),)))
    assert (plan.action, plan.status.cause, plan.status.injected_at) == ("UndoFault", "AnotherRun", None)


REPLACE = at.experiment(concurrencyPolicy="Replace")


def test_a_run_that_replaces_waits_until_the_other_one_has_made_room() -> None:
    s = replace(before(others=(at.other(),)), experiment=REPLACE)
    plan = decide(s)
    assert (plan.action, plan.reason, at.said(plan.status)) == ("Wait", "Replacing", "Replacing")
    assert at.told(plan) == ("", "")
    assert (plan.requeue, plan.finalizer, plan.effects) == (s.interval, None, ())
    assert plan.status.terms is not None
    made_room = at.followed(s, plan, scene=s.scene, judged=at.PASS)
    assert decide(made_room).reason == "Replacing"
    assert decide(with_around(made_room, others=())).reason == "Planned"


@pytest.mark.parametrize("state", [at.planned(), at.running()], ids=["planned", "running"])
def test_a_run_that_is_replaced_makes_room(state: RunSnapshot) -> None:
    waiting = at.other("scoring-kill-2", planned=False, reason="Replacing")
    plan = decide(with_around(state, others=(waiting,)))
    assert (plan.action, plan.status.cause) == ("UndoFault", "Replaced")
    recovered = at.followed(state, plan, judged=at.PASS, observed={})
    recovered = replace(recovered, now=at.NOW + timedelta(seconds=at.WINDOW))
    assert at.told(decide(recovered)) == ("Aborted", "Replaced")


@pytest.mark.parametrize(
    "waiting",
    [
        at.other("b", planned=False, reason="Checking"),
        at.other("b", planned=False, reason="Replacing", service="report"),
        at.run(name="b", uid="c"),
    ],
    ids=["it only waits", "on another service", "new"],
)
def test_only_a_run_of_the_service_that_says_so_replaces(waiting: ChaosRun) -> None:
    assert word_to_stop(while_(others=(waiting,))) == ""


def test_a_run_that_replaces_is_refused_for_any_other_reason_all_the_same() -> None:
    s = replace(before(others=(at.other(),), windows=(at.FREEZE,)), experiment=REPLACE)
    assert at.told(decide(s)) == ("Skipped", "ChangeFreeze")


def test_without_the_policy_the_newer_run_is_skipped() -> None:
    assert at.told(decide(before(others=(at.other(),)))) == ("Skipped", "AnotherRun")


# -- while the fault is in place ----------------------------------------------------------------------------------------

STOPPED: dict[str, tuple[RunSnapshot, str]] = {
    "nothing": (while_(), ""),
    "a person": (replace(while_(), run=at.stopped(at.running().run)), "Stopped"),
    "the run is deleted": (replace(while_(), run=at.deleted(at.running().run)), "RunDeleted"),
    "its namespace is deleted": (
        replace(while_(terminating=True), run=at.deleted(at.running().run)),
        "NamespaceDeleted",
    ),
    "halted": (while_(halts=(at.halt(),)), "Halted"),
    "halted elsewhere": (while_(halts=(at.halt("other"),)), ""),
    "frozen": (while_(windows=(at.FREEZE,)), "ChangeFreeze"),
    "the window closes": (while_(windows=(at.CLOSED,)), "OutsideWindow"),
    "in a window": (while_(windows=(at.OPEN,)), ""),
    "a release waits": (while_(releases=(at.release("WaitingForChaos", 0),)), "ReleaseWaits"),
    "a release waits in a step": (while_(releases=(at.release("WaitingForChaos", 2),)), "ReleaseWaits"),
    "a release began": (while_(releases=(at.release(),)), "ReleaseInProgress"),
    "a release is held": (while_(releases=(at.release("Held", 0),)), ""),
    "a release waits for people": (while_(releases=(at.release("Waiting", 0),)), ""),
    "the Deployment is gone": (while_(workload=None), "TargetGone"),
    "the Deployment is another one": (while_(workload=Workload("uid-new", 3, 3)), "TargetReplaced"),
    "another run wants its place": (while_(others=(at.other(planned=False, reason="Replacing"),)), "Replaced"),
    "the canary's release goes on": (canary(while_(releases=(at.release("Experimenting"),))), ""),
    "the canary's release ended": (canary(while_(releases=(at.release("Undoing", ended="Aborted"),))), "ReleaseEnded"),
    "the canary's release is gone": (canary(while_()), "ReleaseEnded"),
    # what was asked before and would only cut short what is going well
    "another run": (while_(others=(at.other(),)), ""),
    "the namespace is not allowed any more": (while_(allowed=False), ""),
    "pods are missing": (while_(workload=Workload("uid-deployment", 3, 1)), ""),
    "the service is not ready": (while_(service=at.service(ready=False)), ""),
    "the service is gone": (while_(service=None), ""),
    "the budget is spent": (while_(objectives={"errors": at.objective("-1.0%")}), ""),
    "an objective is gone": (while_(objectives={}), ""),
    "a debt": (while_(releases=(owing(),)), ""),
}


@pytest.mark.parametrize(("s", "reason"), STOPPED.values(), ids=STOPPED.keys())
def test_what_ends_a_run_whose_fault_is_in_place(s: RunSnapshot, reason: str) -> None:
    assert word_to_stop(s) == reason
    plan = decide(s)
    assert plan.action == ("UndoFault" if reason else "Wait")
    if reason:
        assert plan.status.cause == reason


def test_people_come_first() -> None:
    everything = while_(
        halts=(at.halt(),), windows=(at.FREEZE,), releases=(at.release(),), workload=None, terminating=True
    )
    both = replace(everything, run=at.deleted(at.stopped(everything.run)))
    assert word_to_stop(both) == "NamespaceDeleted"
    assert word_to_stop(with_around(both, terminating=False)) == "RunDeleted"
    assert word_to_stop(replace(with_around(both, terminating=False), run=at.stopped(everything.run))) == "Stopped"
    assert word_to_stop(with_around(everything, terminating=False)) == "Halted"


def test_only_people_are_asked_once_the_fault_is_gone() -> None:
    s = with_around(at.recovering(), halts=(at.halt(),), windows=(at.FREEZE,), releases=(at.release(),))
    assert deleted_or_stopped(s, terms_in(s)) is None
    assert at.told(decide(s)) == ("Passed", "HypothesisHeld")
