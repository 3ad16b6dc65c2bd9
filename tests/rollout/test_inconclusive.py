"""Thin evidence: one row a policy and a moment, and what never counts as thin."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from feem.api.release import Outcome
from feem.core.rollout.decide import decide
from feem.core.rollout.effects import ApplyCanary, SetWeight, Unpause, UnpinService
from feem.core.rollout.mark import parse_mark
from feem.core.rollout.plan import Plan
from feem.core.rollout.snapshot import Directives, ReleaseSnapshot
from tests.rollout import snapshots as at
from tests.rollout.snapshots import NOW, canary, thin, verdict

DUE: dict[str, tuple[ReleaseSnapshot, str, str, str, list[type[Any]]]] = {
    "hold, in time": (thin(since=599), "Wait", "Inconclusive", "Inconclusive", []),
    "hold, too long": (thin(), "Wait", "HeldTooLong", "HeldTooLong", []),
    "rollback, in time": (thin(action="Rollback", since=599), "Wait", "Inconclusive", "Inconclusive", []),
    "rollback, too long": (thin(action="Rollback"), "RollBack", "InconclusiveTooLong", "RollingBack", [SetWeight]),
    "promote, in time": (thin(action="Promote", since=599), "Wait", "Inconclusive", "Inconclusive", []),
    "promote, more pods first": (thin(action="Promote"), "ApplyCanary", "Canary", "StartingCanary", [ApplyCanary]),
    "promote, pods are starting": (
        thin(action="Promote", canary=canary(5, ready=4)),
        "Wait",
        "StartingCanary",
        "StartingCanary",
        [],
    ),
    "promote, pods are there": (
        thin(action="Promote", canary=canary(5)),
        "ShiftTraffic",
        "PromotedWithoutProof",
        "Baking",
        [SetWeight],
    ),
    "promote, the last step": (
        thin(3, action="Promote", canary=canary(10)),
        "Promote",
        "PromotedWithoutProof",
        "RollingUpdate",
        [SetWeight, UnpinService, Unpause],
    ),
    "at once": (
        thin(action="Rollback", since=0, hold=0),
        "RollBack",
        "InconclusiveTooLong",
        "RollingBack",
        [SetWeight],
    ),
    "paused": (thin(action="Rollback", directives=Directives(paused=True)), "Wait", "Paused", "Paused", []),
    "proof came": (
        thin(action="Promote", outcome=Outcome.PASS, verdicts=(verdict(Outcome.PASS),), canary=canary(5)),
        "ShiftTraffic",
        "Step2",
        "Baking",
        [SetWeight],
    ),
}


@pytest.mark.parametrize("name", DUE)
def test_what_the_plan_says_is_done_when_its_time_has_come(name: str) -> None:
    snapshot, action, reason, state, effects = DUE[name]
    plan = decide(snapshot)
    assert (plan.action, plan.reason, at.word(plan)) == (action, reason, state)
    assert [type(effect) for effect in plan.effects] == effects


DOUBTS = (
    "MetricsUnavailable",
    "NoData",
    "StaleData",
    "CountsDisagree",
    "SharedDegradation",
    "MixShiftAwaitsDecision",
    "TooManyCategories",
)


@pytest.mark.parametrize("action", ["Hold", "Rollback", "Promote"])
@pytest.mark.parametrize("reason", DOUBTS)
def test_no_other_doubt_is_ever_acted_upon(reason: str, action: str) -> None:
    doubts = (verdict(Outcome.INCONCLUSIVE, "TooFewSamples"), verdict(Outcome.INCONCLUSIVE, reason))
    plan = decide(thin(action=action, verdicts=doubts))
    state = "SharedDegradation" if reason == "SharedDegradation" else "Inconclusive"
    assert (plan.action, at.word(plan), plan.status.thin_since) == ("Wait", state, None)


@pytest.mark.parametrize("action", ["Hold", "Rollback", "Promote"])
def test_no_verdict_at_all_is_not_thin_evidence(action: str) -> None:
    plan = decide(thin(action=action, verdicts=()))
    assert (plan.action, at.word(plan), plan.status.thin_since) == ("Wait", "Inconclusive", None)


def test_the_time_begins_with_the_first_thin_look_after_the_bake() -> None:
    verdicts = (verdict(Outcome.INCONCLUSIVE, "NotEnoughEvidence"),)
    early = decide(at.seen(1, release=at.release(at.status(1, ago=10)), verdicts=verdicts))
    assert early.status.thin_since is None
    first = decide(at.seen(1, verdicts=verdicts))
    assert (at.word(first), first.status.thin_since) == ("Inconclusive", NOW)


def test_a_step_that_was_let_go_waits_for_a_doubt_to_pass_and_then_goes_on() -> None:
    s = thin(action="Promote")
    let_go = decide(s)
    assert let_go.status.passed_at == NOW
    later = replace(
        s,
        now=NOW + timedelta(seconds=5),
        release=s.release.model_copy(update={"status": let_go.status}),
        canary=canary(5),
    )
    doubtful = decide(replace(later, verdicts=(verdict(Outcome.INCONCLUSIVE, "MetricsUnavailable"),)))
    assert (doubtful.action, doubtful.effects, doubtful.status.thin_since) == ("Wait", (), let_go.status.thin_since)
    on = decide(replace(later, release=later.release.model_copy(update={"status": doubtful.status})))
    assert (on.action, on.reason, on.status.step) == ("ShiftTraffic", "PromotedWithoutProof", 2)
    assert (on.status.thin_since, on.status.passed_at) == (None, None)


def _said(plan: Plan) -> str:
    return f"{plan.message} {[item.message for item in plan.status.conditions]}"


def test_people_are_told_what_happened_and_what_they_can_do() -> None:
    held = decide(thin())
    assert "decide Promote" in held.message
    assert "Abort" in held.message
    unproven = decide(thin(action="Promote", canary=canary(5)))
    assert (unproven.event, unproven.warning) == ("PromotedWithoutProof", True)
    assert "without proof" in _said(unproven)
    back = decide(thin(action="Rollback"))
    assert at.word(back, "Succeeded") == "RolledBack"
    (effect,) = back.effects
    assert isinstance(effect, SetWeight)
    mark = parse_mark(effect.mark)
    assert mark is not None
    assert mark.reason == "InconclusiveTooLong"


@pytest.mark.parametrize("ago", [10, at.BAKE])
def test_a_shared_degradation_is_said_in_the_bake_and_after_it(ago: float) -> None:
    doubts = (verdict(Outcome.INCONCLUSIVE, "SharedDegradation"),)
    plan = decide(at.seen(1, release=at.release(at.status(1, ago=ago)), verdicts=doubts))
    assert (plan.action, at.word(plan)) == ("Wait", "SharedDegradation")
    assert "both tracks" in plan.message
