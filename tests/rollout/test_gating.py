"""Gates hold what brings a change closer to its users, and nothing else: going back, waiting and cleaning up ask none."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings

from feem.api.gate import Stage
from feem.api.release import GateOutcome, Outcome
from feem.core.conditions import find
from feem.core.gates.result import Compliance, GateResult
from feem.core.rollout.decide import decide
from feem.core.rollout.effects import ApplyCanary, SetWeight, Unpause
from feem.core.rollout.gating import news_of
from feem.core.rollout.snapshot import Directives, ReleaseSnapshot
from feem.core.rollout.status import status_of
from feem.core.rollout.steps import current_step, weight_of
from tests.rollout import snapshots as at
from tests.rollout.test_properties import pictures

BINDING = "sha256:" + "b" * 64


def gate(stage: Stage = Stage.REQUEST, *, holds: bool = True, until: float | None = None) -> GateResult:
    outcome = GateOutcome.HOLDING if holds else GateOutcome.PASSED
    moment = at.NOW + timedelta(seconds=until) if until is not None else None
    return GateResult("risk", stage, outcome, "ApprovalsMissing", "ask risk", "0 of 1 approvals (risk)", moment)


def under(*results: GateResult) -> Compliance:
    return Compliance(results, BINDING)


def passed(step: int, **changes: Any) -> ReleaseSnapshot:
    """A step that has baked and passed."""
    return replace(at.seen(step, Outcome.PASS), **changes)


@pytest.mark.parametrize(
    ("step", "stage", "held"),
    [
        (0, Stage.REQUEST, True),
        (0, Stage.START, True),
        (0, Stage.STEP, False),
        (0, Stage.PROMOTION, False),
        (1, Stage.REQUEST, True),
        (1, Stage.START, True),
        (1, Stage.STEP, True),
        (1, Stage.PROMOTION, False),
        (3, Stage.STEP, True),
        (3, Stage.PROMOTION, True),
    ],
)
def test_a_gate_holds_from_its_stage_on(step: int, stage: Stage, *, held: bool) -> None:
    plan = decide(passed(step, compliance=under(gate(stage))))
    assert (at.word(plan) == "Waiting") is held
    assert bool(plan.effects) is not held


def test_who_skips_the_bakes_passes_the_gates_of_the_promotion() -> None:
    compliance = under(gate(Stage.PROMOTION))
    for step in (0, 1):
        plan = decide(at.seen(step, directives=Directives(promote=True), compliance=compliance))
        assert at.word(plan) == "Waiting"
        assert plan.effects == ()


def test_what_it_waits_for_is_said_in_one_line_and_gate_by_gate() -> None:
    plan = decide(at.seen(0, compliance=under(gate(), gate(Stage.PROMOTION))))
    assert plan.message == "0 of 1 approvals (risk)"
    allowed = find(plan.status.conditions, "Allowed")
    assert allowed is not None
    assert (allowed.status, allowed.reason) == ("False", "GatesHold")
    assert [item.reason for item in plan.status.gates] == ["ApprovalsMissing"] * 2
    assert plan.status.binding == BINDING


def test_a_step_that_is_held_says_which_weight_is_kept() -> None:
    plan = decide(passed(1, compliance=under(gate(Stage.STEP))))
    assert plan.message == "1/3 at 10% is kept: 0 of 1 approvals (risk)"
    assert plan.requeue == 5, "a canary with traffic is judged all the time"


def test_it_looks_again_when_time_may_open_a_gate() -> None:
    assert decide(at.seen(0, compliance=under(gate(until=90)))).requeue == 90
    assert decide(at.seen(0, compliance=under(gate()))).requeue is None
    assert decide(passed(1, compliance=under(gate(until=2)))).requeue == 2


def test_news_are_what_a_gate_says_anew() -> None:
    old = status_of(at.release(at.status(1)))
    first = decide(at.seen(0, compliance=under(gate()))).status
    assert [item.name for item in news_of(old, first)] == ["risk"]
    assert news_of(first, first) == ()
    opened = decide(at.seen(0, compliance=under(gate(holds=False)))).status
    assert [item.outcome for item in news_of(first, opened)] == [GateOutcome.PASSED]
    usual = replace(gate(holds=False), name="freeze")
    assert news_of(old, decide(at.seen(0, compliance=under(usual))).status) == ()


@settings(max_examples=500)
@given(pictures())
def test_while_a_gate_holds_nothing_comes_closer_to_the_users(s: ReleaseSnapshot) -> None:
    held = decide(replace(s, compliance=under(gate())))
    step = current_step(s)
    for effect in held.effects:
        if isinstance(effect, SetWeight):
            assert effect.weight <= (weight_of(s, step) if step else 0)
        if isinstance(effect, Unpause):
            undone = s.workload is not None and s.workload.undo is not None
            assert not effect.promoting or undone, "what goes back after a promotion rolls as well"
        if isinstance(effect, ApplyCanary) and held.action == "ApplyCanary":
            assert step > 0, "not a single pod before it is allowed"


@settings(max_examples=500)
@given(pictures())
def test_whatever_does_not_go_forward_does_the_same_with_and_without_gates(s: ReleaseSnapshot) -> None:
    free, held = decide(s), decide(replace(s, compliance=under(gate())))
    if not free.goes_forward:
        assert held.effects == free.effects
        assert (held.action, held.message) == (free.action, free.message) or at.word(held) == "Waiting"
