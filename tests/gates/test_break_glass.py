"""Emergencies: what they open, for how long, and what they never open."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from feem.api.gate import Stage
from feem.api.release import GateOutcome, SignOffDuty
from feem.core.gates.chain import evaluate
from feem.core.gates.facts import GateFacts, Guard
from feem.core.gates.result import Reliance
from tests.gates import cases as at
from tests.gates.cases import Act, break_glass

FREEZE = at.window("year-end", "Freeze", at.ALWAYS)
RULES = {"breakGlass": {"skips": ["approvals", "freeze"], "maxSeconds": 3600, "signOffRole": "compliance"}}
GATES = (at.approvals(("risk", 1)), at.gate("ticket", pattern="PAY-[0-9]+"))


def burning(*acts: Act, rules: dict[str, Any] | None = None, **facts: Any) -> GateFacts:
    return at.picture(*GATES, acts=acts, rules=RULES if rules is None else rules, windows=(FREEZE,), **facts)


def test_it_skips_what_the_profile_lists_and_nothing_else() -> None:
    facts = burning(break_glass(name="fire"))
    assert at.holding(facts) == ["ticket"]
    for name in ("freeze", "approvals"):
        result = at.said(facts, name)
        assert (result.outcome, result.reason, result.short) == (GateOutcome.SKIPPED, "BreakGlass", "")
        assert "BreakGlass fire of on-call (ticket INC-7: looked at it)" in result.message
        assert "it would hold: " in result.message
    assert evaluate(facts).relies_on == (Reliance("fire", "on-call", ("staff",), "breakglass"),)


def test_a_gate_that_passes_is_not_skipped() -> None:
    facts = replace(burning(break_glass(), at.approve("risk-officer", "risk")), windows=())
    assert at.said(facts, "approvals").outcome is GateOutcome.PASSED
    assert [item.verb for item in evaluate(facts).relies_on] == ["approve"]


def test_it_ends_by_itself() -> None:
    facts = burning(break_glass(expires_in=60))
    assert at.said(facts, "approvals").until == at.later(60)
    assert at.holding(replace(facts, now=at.later(59))) == ["ticket"]
    assert at.holding(replace(facts, now=at.later(60))) == ["freeze", "approvals", "ticket"]


@pytest.mark.parametrize(
    ("act", "changes", "words"),
    [
        (break_glass(digest=at.SHA), {}, "allowed something else"),
        (break_glass(ago=0, expires_in=3601), {}, "reaches further than 3600 s"),
        (break_glass(ago=600, expires_in=0), {}, "has expired"),
        (break_glass(expires_in=None), {}, "has expired"),
        (break_glass(ago=-1), {}, "later than the operator's clock"),
        (break_glass(ago=11 * 86400, expires_in=60), {}, "before the change was requested"),
        (break_glass(), {"guard": Guard(since=at.NOW)}, "policies were not in force"),
        (break_glass(), {"lost": frozenset({("on-call", "breakglass", "")})}, "may not do so any more"),
    ],
)
def test_it_does_not_count(act: Act, changes: dict[str, Any], words: str) -> None:
    facts = burning(act, **changes)
    assert at.holding(facts) == ["freeze", "approvals", "ticket"]
    assert evaluate(facts).relies_on == ()
    assert words in at.said(facts, "approvals").message
    assert "BreakGlass" not in at.said(facts, "ticket").message


@pytest.mark.parametrize(
    ("act", "changes"),
    [
        (break_glass(ago=0, expires_in=3600), {}),
        (break_glass(ago=0, expires_in=1), {}),
        (break_glass(by=at.PIPELINE), {}),
        (break_glass(), {"lost": frozenset({("on-call", "approve", "")})}),
        (break_glass(), {"guard": Guard(since=None)}),
    ],
)
def test_it_just_counts(act: Act, changes: dict[str, Any]) -> None:
    assert at.holding(burning(act, **changes)) == ["ticket"]


def test_four_hours_are_the_limit_of_all_profiles() -> None:
    rules = {"breakGlass": {**RULES["breakGlass"], "maxSeconds": 14400}}
    facts = burning(break_glass(ago=0, expires_in=14400), rules=rules)
    assert at.holding(facts) == ["ticket"]
    assert facts.profile is not None
    wide = facts.profile.spec.break_glass
    assert wide is not None
    spec = facts.profile.spec.model_copy(update={"break_glass": wide.model_copy(update={"max_seconds": 999999})})
    loose = replace(facts, profile=facts.profile.model_copy(update={"spec": spec}), decisions=())
    longer = at.with_acts(loose, [break_glass(ago=0, expires_in=14401)])
    assert "approvals" in at.holding(longer)
    assert "approvals" not in at.holding(at.with_acts(loose, [break_glass(ago=0, expires_in=14400)]))


def test_of_several_the_longest_counts() -> None:
    acts = [break_glass(by="first", expires_in=900), break_glass(by="second", expires_in=300), break_glass(digest="")]
    facts = burning(*acts)
    assert at.said(facts, "approvals").until == at.later(900)
    assert [item.user for item in evaluate(facts).relies_on] == ["first"]


def test_without_rules_nothing_is_skipped() -> None:
    assert at.holding(burning(break_glass(), rules={})) == ["freeze", "approvals", "ticket"]


def test_feems_own_gates_cannot_be_skipped_whatever_the_profile_lists() -> None:
    rules = {
        "breakGlass": {**RULES["breakGlass"], "skips": ["debt", "guard", "profile", "clock", "author", "approvals"]}
    }
    facts = burning(
        break_glass(),
        rules={**rules, "pipelines": [at.PIPELINE]},
        guard=Guard(("policy is missing",), at.SINCE),
        skew=99.0,
        siblings=(
            at.release(
                None,
                at.service(None),
                name="scoring-3",
                status=at.ended(duty=SignOffDuty(role="product", due=at.later(-1))),
            ),
        ),
    )
    renamed = facts.service.spec.model_copy(update={"compliance_profile": "pilot"})
    facts = replace(facts, service=facts.service.model_copy(update={"spec": renamed}))
    assert at.holding(facts, Stage.REQUEST) == ["freeze", "debt", "guard", "profile", "clock", "author"]


def test_a_rejected_release_can_still_break_the_glass() -> None:
    assert at.holding(burning(break_glass(), at.reject("risk-officer", "risk"))) == ["ticket"]
