"""decide: one row a transition."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from feem.api.release import Outcome
from feem.core.rollout.decide import decide
from feem.core.rollout.effects import (
    ApplyCanary,
    DeleteCanary,
    Pause,
    PinService,
    RestoreRoute,
    SettleDeployment,
    SetWeight,
    Unpause,
    UnpinService,
)
from feem.core.rollout.mark import parse_mark
from feem.core.rollout.snapshot import Directives, HoldMechanism, ReleaseSnapshot
from tests.rollout import snapshots as at
from tests.rollout.snapshots import CHANGE, NEWER, NOW, STABLE, WORKLOAD, canary, ended, seen, traffic

PASS, FAIL = Outcome.PASS, Outcome.FAIL
YOUNG = at.release(at.status(1, ago=10))
PAUSED, PROMOTE, ABORT = Directives(paused=True), Directives(promote=True), Directives(abort=True)
ROLLING = replace(WORKLOAD, paused=False, promoting=True)
AROUND = replace(WORKLOAD, paused=False)

FORWARD: dict[str, tuple[ReleaseSnapshot, str, str, list[type[Any]]]] = {
    "a new release gets its canary": (seen(0), "ApplyCanary", "StartingCanary", [PinService, ApplyCanary]),
    "paused before its first step": (seen(0, directives=PAUSED), "Wait", "Paused", []),
    "something it needs is not there": (seen(0, problem="Service gone"), "Wait", "Waiting", []),
    "promoted before its first step": (
        seen(0, directives=PROMOTE),
        "ApplyCanary",
        "StartingCanary",
        [PinService, ApplyCanary],
    ),
    "canary pods are starting": (
        seen(0, canary=canary(ready=0), canary_service=True, pinned="aaa"),
        "Wait",
        "StartingCanary",
        [],
    ),
    "canary pods are there": (
        seen(0, canary=canary(), canary_service=True, pinned="aaa"),
        "ShiftTraffic",
        "Baking",
        [SetWeight],
    ),
    "the canary's Service is missing": (
        seen(0, canary=canary(), pinned="aaa"),
        "ApplyCanary",
        "StartingCanary",
        [ApplyCanary],
    ),
    "another release's canary is in the way": (
        seen(0, canary=canary(release="scoring-3"), canary_service=True, pinned="aaa"),
        "ApplyCanary",
        "StartingCanary",
        [DeleteCanary, ApplyCanary],
    ),
    "a canary of another template is in the way": (
        seen(0, canary=canary(template_digest=NEWER), canary_service=True, pinned="aaa"),
        "ApplyCanary",
        "StartingCanary",
        [DeleteCanary, ApplyCanary],
    ),
    "baking": (seen(1, PASS, release=YOUNG), "Wait", "Baking", []),
    "baked without evidence": (seen(1), "Wait", "Inconclusive", []),
    "baked and passed, more pods first": (seen(1, PASS), "ApplyCanary", "StartingCanary", [ApplyCanary]),
    "baked and passed, pods are starting": (seen(1, PASS, canary=canary(5, ready=4)), "Wait", "StartingCanary", []),
    "baked and passed, pods are there": (seen(1, PASS, canary=canary(5)), "ShiftTraffic", "Baking", [SetWeight]),
    "passed once, inconclusive since": (
        seen(1, canary=canary(5), release=at.release(at.status(1, passed_at=NOW))),
        "Wait",
        "Inconclusive",
        [],
    ),
    "paused in a step": (seen(1, PASS, directives=PAUSED), "Wait", "Paused", []),
    "promoted in a step": (
        seen(1, directives=PROMOTE, canary=canary(10)),
        "Promote",
        "RollingUpdate",
        [SetWeight, UnpinService, Unpause],
    ),
    "paused wins over promote": (seen(1, directives=Directives(paused=True, promote=True)), "Wait", "Paused", []),
    "scaled by an HPA": (
        seen(2, release=at.release(at.status(2, ago=10)), workload=replace(WORKLOAD, replicas=20)),
        "ApplyCanary",
        "StartingCanary",
        [ApplyCanary],
    ),
    "the owner applied the route again": (seen(2, traffic=traffic(2, weight=0)), "ShiftTraffic", "Baking", [SetWeight]),
    "one rule of the route was changed": (
        seen(2, traffic=traffic(2, uneven=True)),
        "ShiftTraffic",
        "Baking",
        [SetWeight],
    ),
    "the owner dropped the pin": (seen(1, release=YOUNG, pinned=""), "ApplyCanary", "StartingCanary", [PinService]),
    "the last step passed": (
        seen(3, PASS, canary=canary(10)),
        "Promote",
        "RollingUpdate",
        [SetWeight, UnpinService, Unpause],
    ),
    "stopped in its promotion after the weight": (seen(4), "Promote", "RollingUpdate", [UnpinService, Unpause]),
    "stopped in its promotion after the pin": (seen(4, pinned=""), "Promote", "RollingUpdate", [Unpause]),
    "stopped in the middle of the unpinning": (
        seen(4, pinned="", unfinished=frozenset({str(UnpinService("lending", "scoring"))})),
        "Promote",
        "RollingUpdate",
        [UnpinService, Unpause],
    ),
    "paused in its promotion": (seen(4, directives=PAUSED), "Wait", "Paused", []),
    "rolling": (seen(4, workload=ROLLING, pinned=""), "Wait", "RollingUpdate", []),
    "rolling, stuck": (
        seen(4, workload=replace(ROLLING, stuck="deadline"), pinned=""),
        "Wait",
        "RollingUpdateStuck",
        [],
    ),
    "rolling, the canary is gone": (
        seen(4, workload=ROLLING, pinned="", canary=None),
        "RestoreTraffic",
        "RollingUpdate",
        [RestoreRoute],
    ),
    "interrupted by another template": (
        seen(4, workload=replace(ROLLING, template_digest=NEWER), pinned=""),
        "Wait",
        "PromotionInterrupted",
        [],
    ),
    "rolled": (seen(4, workload=replace(ROLLING, settled=True), pinned=""), "Complete", "CleaningUp", []),
    "resumed around FEEM": (seen(2, workload=AROUND), "FollowBypass", "Bypassed", [UnpinService]),
    "resumed around FEEM, rolling": (seen(2, workload=AROUND, pinned=""), "Wait", "Bypassed", []),
    "resumed around FEEM, rolled": (
        seen(2, workload=replace(AROUND, settled=True), pinned=""),
        "Complete",
        "CleaningUp",
        [],
    ),
    "resumed around FEEM, canary gone": (
        seen(2, workload=AROUND, pinned="", canary=None),
        "RestoreTraffic",
        "RollingUpdate",
        [RestoreRoute],
    ),
}


@pytest.mark.parametrize("name", FORWARD)
def test_on_the_way_forward(name: str) -> None:
    snapshot, action, state, effects = FORWARD[name]
    plan = decide(snapshot)
    assert (plan.action, at.word(plan), [type(effect) for effect in plan.effects]) == (action, state, effects)


BACK: dict[str, tuple[dict[str, Any], str, str]] = {
    "the service was deleted": ({"service_deleting": True}, "Cancelled", "ServiceDeleted"),
    "the release was deleted": (
        {"release": at.release(at.status(1), deletion_timestamp=NOW)},
        "Cancelled",
        "ReleaseDeleted",
    ),
    "the Deployment was deleted": ({"workload": None}, "Cancelled", "DeploymentDeleted"),
    "the Deployment is going": ({"workload": replace(WORKLOAD, deleting=True)}, "Cancelled", "DeploymentDeleted"),
    "the stable template is back": ({"workload": replace(WORKLOAD, template_digest=STABLE)}, "Cancelled", "Reverted"),
    "a newer change came": ({"workload": replace(WORKLOAD, template_digest=NEWER)}, "Superseded", "NewerChange"),
    "a person aborted": ({"directives": ABORT}, "Aborted", "AbortDecision"),
    "abort wins over pause and promote": (
        {"directives": Directives(paused=True, promote=True, abort=True)},
        "Aborted",
        "AbortDecision",
    ),
    "the objective failed": (
        {"outcome": FAIL, "verdicts": (at.verdict(FAIL),)},
        "RolledBack",
        "ErrorRatioAboveStable",
    ),
    "failed while paused": (
        {"outcome": FAIL, "verdicts": (at.verdict(FAIL),), "directives": PAUSED},
        "RolledBack",
        "ErrorRatioAboveStable",
    ),
    "failed while something is missing": (
        {"outcome": FAIL, "verdicts": (at.verdict(FAIL),), "problem": "Service gone"},
        "RolledBack",
        "ErrorRatioAboveStable",
    ),
    "pods did not become Ready": ({"canary": canary(stuck="deadline")}, "RolledBack", "CanaryNotReady"),
    "the canary is gone": ({"canary": None}, "RolledBack", "CanaryLost"),
    "its pods are gone": ({"canary": canary(ready=0)}, "RolledBack", "CanaryLost"),
    "its Service is gone": ({"canary_service": False}, "RolledBack", "CanaryLost"),
    "a way back was announced": ({"announced": ("NoErrors", "text"), "outcome": PASS}, "RolledBack", "NoErrors"),
    "an abort was announced": ({"announced": ("AbortDecision", "text")}, "Aborted", "AbortDecision"),
}


@pytest.mark.parametrize("step", [1, 2, 3, 4])
@pytest.mark.parametrize("name", BACK)
def test_traffic_goes_back_first_and_the_route_remembers_why(name: str, step: int) -> None:
    changes, ending, reason = BACK[name]
    if step > 1 and "release" in changes:
        changes = {**changes, "release": at.release(at.status(step), deletion_timestamp=NOW)}
    plan = decide(replace(seen(step), **changes))
    assert (plan.action, plan.reason, at.word(plan, "Succeeded"), at.word(plan)) == (
        "RollBack",
        reason,
        ending,
        "RollingBack",
    )
    (first,) = plan.effects
    assert isinstance(first, SetWeight)
    mark = parse_mark(first.mark)
    assert mark is not None
    assert (first.weight, mark.release, mark.ending, mark.reason) == (0, at.NAME, ending, reason)
    assert (plan.status.weight, plan.requeue) == (0, 0)


@pytest.mark.parametrize("name", [name for name in BACK if "canary" not in BACK[name][0] and "gone" not in name])
def test_without_traffic_nothing_has_to_go_back_but_the_end_is_written(name: str) -> None:
    changes, ending, _ = BACK[name]
    plan = decide(replace(seen(0), **changes))
    assert (plan.action, at.word(plan, "Succeeded"), plan.effects) == ("RollBack", ending, ())


def test_a_route_on_its_way_back_is_believed_whatever_else_is_seen() -> None:
    for step in (1, 2, 3):
        plan = decide(seen(step, PASS, traffic=traffic(step, ending="RolledBack"), directives=PROMOTE))
        assert (at.word(plan, "Succeeded"), plan.effects) == ("RolledBack", ())


def test_a_stopped_promotion_that_goes_back_pins_the_service_again() -> None:
    plan = decide(seen(4, pinned="", directives=ABORT))
    assert [type(effect) for effect in plan.effects] == [SetWeight, PinService]


GIVEN_UP: dict[str, tuple[dict[str, Any], str, list[type[Any]]]] = {
    "aborted": ({"directives": ABORT}, "Aborted", [SetWeight, Pause]),
    "the release was deleted": (
        {"release": at.release(at.status(4), deletion_timestamp=NOW)},
        "Cancelled",
        [SetWeight, Pause],
    ),
    "the service was deleted": ({"service_deleting": True}, "Cancelled", [SetWeight]),
}


@pytest.mark.parametrize("trouble", [{"stuck": "deadline"}, {"template_digest": NEWER}])
@pytest.mark.parametrize("name", GIVEN_UP)
def test_a_promotion_that_cannot_finish_ends_when_people_say_so(name: str, trouble: dict[str, Any]) -> None:
    changes, ending, effects = GIVEN_UP[name]
    plan = decide(replace(seen(4, pinned="", workload=replace(ROLLING, **trouble)), **changes))
    assert (at.word(plan, "Succeeded"), [type(effect) for effect in plan.effects]) == (ending, effects)
    healthy = decide(replace(seen(4, pinned="", workload=ROLLING), **changes))
    assert (at.word(healthy), healthy.effects) == ("RollingUpdate", ())


def test_evidence_is_named_where_it_led_to_the_decision() -> None:
    assert decide(seen(1, FAIL)).evidence
    assert decide(seen(1, PASS, canary=canary(5))).evidence
    assert not decide(seen(1, directives=ABORT)).evidence


LEFT: dict[str, Any] = {"canary": None, "canary_service": False, "traffic": traffic(0), "pinned": ""}
LATER = NOW - timedelta(seconds=5)
QUIET = at.release(at.status(1, ended="RolledBack", restored_at=LATER))
FRESH = at.release(at.status(1, ended="RolledBack", restored_at=NOW))

ENDS: dict[str, tuple[ReleaseSnapshot, str, list[type[Any]]]] = {
    "the route first": (ended(), "RestoreTraffic", [RestoreRoute]),
    "the route and the promoting mark": (
        ended("Promoted", workload=replace(ROLLING, settled=True)),
        "RestoreTraffic",
        [RestoreRoute, SettleDeployment],
    ),
    "the mark alone": (
        ended("Promoted", workload=ROLLING, traffic=traffic(0)),
        "RestoreTraffic",
        [SettleDeployment],
    ),
    "canary pods go on a while": (ended(traffic=traffic(0), release=FRESH), "ScaleDownCanary", []),
    "then they are scaled away": (ended(traffic=traffic(0), release=QUIET), "ScaleDownCanary", [ApplyCanary]),
    "their going is waited for": (
        ended(traffic=traffic(0), release=QUIET, canary=canary(0, pods=1)),
        "RemoveCanary",
        [],
    ),
    "then the Service is unpinned and the canary removed": (
        ended(traffic=traffic(0), release=QUIET, canary=canary(0)),
        "RemoveCanary",
        [UnpinService, DeleteCanary],
    ),
    "the pin alone": (ended(traffic=traffic(0), canary=None, canary_service=False), "RemoveCanary", [UnpinService]),
    "the canary's Service alone": (ended(traffic=traffic(0), canary=None, pinned=""), "RemoveCanary", [DeleteCanary]),
    "an unpinned canary goes with its pods": (
        ended(traffic=traffic(0), release=QUIET, pinned=""),
        "RemoveCanary",
        [DeleteCanary],
    ),
    "then it is complete": (ended(**LEFT), "Complete", []),
    "without a route": (ended(**{**LEFT, "traffic": None}), "Complete", []),
}


@pytest.mark.parametrize("name", ENDS)
def test_the_clean_up_opens_no_closed_door(name: str) -> None:
    snapshot, action, effects = ENDS[name]
    plan = decide(snapshot)
    assert (plan.action, [type(effect) for effect in plan.effects]) == (action, effects)
    assert (plan.status.completed_at is not None) == (action == "Complete")


HELD = {
    "promoted": ("Promoted", CHANGE, "Promoted"),
    "bypassed": ("Bypassed", CHANGE, "Bypassed"),
    "rolled back, still carried": ("RolledBack", CHANGE, "Held"),
    "rolled back, stable again": ("RolledBack", STABLE, "Reverted"),
    "superseded": ("Superseded", NEWER, "Superseded"),
    "reverted": ("Cancelled", STABLE, "Reverted"),
}


@pytest.mark.parametrize("name", HELD)
def test_at_the_end_the_release_says_whether_its_change_is_still_held(name: str) -> None:
    how, carried, reason = HELD[name]
    plan = decide(ended(how, workload=replace(WORKLOAD, template_digest=carried), **LEFT))
    assert (at.word(plan, "Held"), at.word(plan)) == (reason, how)


def test_where_a_standing_pause_holds_changes_a_promoted_deployment_is_paused_again() -> None:
    plan = decide(ended("Promoted", workload=ROLLING, hold=HoldMechanism.STANDING))
    assert any(isinstance(effect, SettleDeployment) and effect.standing for effect in plan.effects)


@pytest.mark.parametrize(("step", "replicas"), [(0, 1), (1, 5), (2, 8)])
def test_a_step_has_pods_for_its_share(step: int, replicas: int) -> None:
    (effect,) = [item for item in decide(seen(step, PASS)).effects if isinstance(item, ApplyCanary)]
    assert effect.replicas == replicas


def test_a_canary_with_traffic_is_looked_at_every_interval_whatever_is_waited_for() -> None:
    for changes in ({"directives": PAUSED}, {"problem": "x"}, {"canary": canary(5, ready=4)}, {}):
        plan = decide(seen(1, PASS if "canary" in changes else Outcome.INCONCLUSIVE, **changes))
        assert plan.requeue == 5, changes
