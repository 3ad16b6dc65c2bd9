"""Who counts, who does not, and what people are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from feem.api.gate import Stage
from feem.api.release import GateOutcome
from feem.core.gates.chain import evaluate
from feem.core.gates.facts import GateFacts, Guard
from feem.core.gates.result import Reliance
from feem.core.gates.words import summary
from tests.gates import cases as at
from tests.gates.cases import Act, approve, break_glass, reject

RISK = at.approvals(("risk", 1))
DAY = 86400


def test_nobody_has_approved() -> None:
    result = at.said(at.picture(RISK), "approvals")
    assert (result.outcome, result.reason) == (GateOutcome.HOLDING, "ApprovalsMissing")
    assert result.short == "0 of 1 approvals (risk)"
    assert "verb approve on approvalroles/risk" in result.message
    assert 'kubectl feem approve scoring-4 -n lending --role risk --reason "…"' in result.message


def test_one_of_two_is_said_as_people_read_it() -> None:
    facts = at.picture(at.approvals(("product", 1), ("risk", 1)), acts=[approve("product-owner", "product")])
    result = at.said(facts, "approvals")
    assert result.short == "1 of 2 approvals (risk)"
    assert "by product-owner (product)" in result.message
    assert "--role risk" in result.message
    assert "--role product" not in result.message


def test_several_missing_of_one_role_are_counted() -> None:
    facts = at.picture(at.approvals(("committee", 3), ("risk", 1)), acts=[approve("member-1", "committee")])
    assert at.said(facts, "approvals").short == "1 of 4 approvals (2 committee, risk)"


def test_a_pass_rests_on_the_approvals_that_count() -> None:
    acts = [approve("risk-officer", "risk", name="one"), approve("product-owner", "product", name="other")]
    compliance = evaluate(at.picture(at.approvals(("risk", 1), ("product", 1)), acts=acts))
    assert at.said(at.picture(RISK, acts=acts[:1]), "approvals").reason == "Approved"
    assert compliance.relies_on == (
        Reliance("one", "risk-officer", ("staff",), "approve", "risk"),
        Reliance("other", "product-owner", ("staff",), "approve", "product"),
    )


def test_what_does_not_pass_rests_on_nothing() -> None:
    assert evaluate(at.picture(at.approvals(("risk", 2)), acts=[approve("risk-officer", "risk")])).relies_on == ()


@pytest.mark.parametrize(
    ("act", "changes", "reason", "words"),
    [
        (approve(at.PIPELINE, "risk"), {}, "OwnApproval", "asked for the change, or wrote it"),
        (approve(at.AUTHOR, "risk"), {"spec": {"author": at.AUTHOR}}, "OwnApproval", "asked for the change, or wrote it"),
        (approve("risk-officer", "risk", 11 * DAY), {}, "ApprovedBeforeRequest", "before the change was requested"),
        (approve("risk-officer", "risk", digest=at.SHA), {}, "ApprovedSomethingElse", "were edited since"),
        (approve("risk-officer", "risk", digest=""), {}, "ApprovedSomethingElse", "were edited since"),
        (approve("risk-officer", "risk", 8 * DAY), {}, "ApprovalExpired", "too long ago"),
        (approve("risk-officer", "risk", 7 * DAY), {}, "ApprovalExpired", "too long ago"),
        (approve("risk-officer", "risk", expires_in=0), {}, "ApprovalExpired", "too long ago"),
        (approve("risk-officer", "risk"), {"lost": frozenset({("risk-officer", "approve", "risk")})}, "RoleLost", "hold the role"),
        (approve("risk-officer", "risk"), {"guard": Guard(since=at.NOW)}, "DecidedUnguarded", "policies were not in force"),
    ],
)  # fmt: skip
def test_an_approval_that_does_not_count(act: Act, changes: dict[str, Any], reason: str, words: str) -> None:
    facts = at.picture(RISK, acts=[act], **changes)
    result = at.said(facts, "approvals")
    assert (result.holds, result.reason, result.short) == (True, reason, "0 of 1 approvals (risk)")
    assert f"{act.by} (risk) does not count, {reason}:" in result.message
    assert words in result.message
    assert evaluate(facts).relies_on == ()


@pytest.mark.parametrize(
    ("act", "changes"),
    [
        (approve("risk-officer", "risk", 7 * DAY - 1), {}),
        (approve("risk-officer", "risk", expires_in=1), {}),
        (approve("risk-officer", "risk", 10 * DAY), {"rules_valid": 2592000}),
        (approve("risk-officer", "risk"), {"lost": frozenset({("risk-officer", "approve", "product")})}),
        (approve("risk-officer", "risk"), {"lost": frozenset({("risk-officer", "signoff", "risk")})}),
        (approve("risk-officer", "risk"), {"guard": Guard(since=at.NOW - timedelta(seconds=600))}),
        (approve("risk-officer", "risk"), {"guard": Guard(since=None)}),
    ],
)
def test_an_approval_that_just_counts(act: Act, changes: dict[str, Any]) -> None:
    valid = changes.pop("rules_valid", 604800)
    facts = at.picture(at.approvals(("risk", 1), validForSeconds=valid), acts=[act], **changes)
    assert at.said(facts, "approvals").outcome is GateOutcome.PASSED


def test_an_approval_of_another_release_is_not_even_mentioned() -> None:
    result = at.said(at.picture(RISK, acts=[approve("risk-officer", "risk", release="scoring-3")]), "approvals")
    assert result.reason == "ApprovalsMissing"
    assert "risk-officer" not in result.message


def test_an_approval_in_a_role_nobody_asks_for_does_nothing() -> None:
    assert at.said(at.picture(RISK, acts=[approve("tester", "test")]), "approvals").reason == "ApprovalsMissing"


def test_when_the_first_approval_ends_is_when_to_look_again() -> None:
    acts = [approve("risk-officer", "risk", 600), approve("product-owner", "product", expires_in=90)]
    result = at.said(at.picture(at.approvals(("risk", 1), ("product", 1)), acts=acts), "approvals")
    assert result.until == at.later(90)
    alone = at.said(at.picture(RISK, acts=acts[:1]), "approvals")
    assert alone.until == at.later(7 * DAY - 600)


def test_who_renews_an_approval_is_no_longer_told_of_the_old_one() -> None:
    acts = [approve("risk-officer", "risk", digest=at.SHA), approve("risk-officer", "risk", 30)]
    result = at.said(at.picture(at.approvals(("risk", 2)), acts=acts), "approvals")
    assert result.short == "1 of 2 approvals (risk)"
    assert result.reason == "ApprovalsMissing"


def test_of_two_approvals_of_a_person_the_longer_one_counts() -> None:
    acts = [approve("risk-officer", "risk", 600), approve("risk-officer", "risk", 60, expires_in=30)]
    assert at.said(at.picture(RISK, acts=acts), "approvals").until == at.later(7 * DAY - 600)


def test_the_strictest_gate_says_how_long_a_role_counts() -> None:
    gates = (
        at.approvals(("risk", 1), name="early", stage="Start"),
        at.approvals(("risk", 1), name="late", stage="Promotion", validForSeconds=300),
    )
    assert at.holding(at.picture(*gates, acts=[approve("risk-officer", "risk", 301)])) == ["early", "late"]
    assert at.holding(at.picture(*gates, acts=[approve("risk-officer", "risk", 299)])) == []


BOTH = at.approvals(("product", 1), ("risk", 1))


@pytest.mark.parametrize(
    ("acts", "short", "reason"),
    [
        ([approve("one", "risk"), approve("one", "product")], "1 of 2 approvals (risk)", "CountsInAnotherRole"),
        ([approve("one", "risk"), approve("other", "product")], "", "Approved"),
        # A greedy count would seat `one` as product and leave risk empty, or the other way round.
        ([approve("one", "product"), approve("one", "risk"), approve("two", "product")], "", "Approved"),
        ([approve("two", "product"), approve("two", "risk"), approve("one", "risk")], "", "Approved"),
        ([approve("one", "risk"), approve("two", "risk")], "1 of 2 approvals (product)", "ApprovalsMissing"),
    ],
)
def test_a_person_counts_in_one_role(acts: Sequence[Act], short: str, reason: str) -> None:
    result = at.said(at.picture(BOTH, acts=acts), "approvals")
    assert (result.short, result.reason) == (short, reason)


def test_a_person_counts_in_one_role_across_gates() -> None:
    gates = (
        at.approvals(("risk", 1), name="later", stage="Promotion"),
        at.approvals(("product", 1), name="sooner", stage="Start"),
    )
    facts = at.picture(*gates, acts=[approve("one", "risk"), approve("one", "product")])
    assert at.holding(facts, Stage.START) == []
    assert at.holding(facts, Stage.PROMOTION) == ["later"]
    assert at.said(facts, "later").reason == "CountsInAnotherRole"


def test_a_role_asked_for_by_two_gates_needs_the_larger_number_only() -> None:
    gates = (
        at.approvals(("risk", 1), name="sooner"),
        at.approvals(("risk", 2), name="later", stage="Promotion"),
    )
    one = at.picture(*gates, acts=[approve("one", "risk")])
    assert at.holding(one) == ["later"]
    assert at.holding(at.picture(*gates, acts=[approve("one", "risk"), approve("two", "risk")])) == []


@pytest.mark.parametrize(
    ("acts", "held"),
    [
        ([approve("one", "risk", 600), approve("two", "risk", 500), reject("one", "risk", 300)], True),
        ([reject("one", "risk", 600), approve("one", "risk", 300)], False),
        ([reject("one", "risk", 600), approve("two", "risk", 300)], True),
        ([reject("one", "risk", 600), approve("one", "risk", 600)], True),
        ([reject("one", "risk", 600), approve("one", "product", 300), approve("two", "risk")], True),
        ([reject("one", "risk", 600), approve("one", "risk", 300, digest=at.SHA), approve("two", "risk")], True),
        ([reject(at.PIPELINE, "risk"), approve("two", "risk", 300)], True),
        ([reject("one", "test"), approve("two", "risk")], False),
        ([reject("one", "risk", release="scoring-3"), approve("two", "risk")], False),
        ([reject("one", "risk", 11 * DAY), approve("two", "risk")], False),
        ([reject("one", "risk", digest=""), approve("two", "risk")], True),
    ],
)
def test_a_rejection_stands_until_its_author_approves(*, acts: Sequence[Act], held: bool) -> None:
    result = at.said(at.picture(RISK, acts=acts), "approvals")
    assert result.reason == ("Rejected" if held else "Approved")


def test_a_rejection_is_told_with_its_reason_and_the_two_ways_on() -> None:
    result = at.said(at.picture(RISK, acts=[reject("risk-officer", "risk"), approve("two", "risk")]), "approvals")
    assert result.short == "rejected by risk-officer (risk)"
    assert "risk-officer (risk): looked at it" in result.message
    assert "risk-officer runs kubectl feem approve scoring-4" in result.message
    assert "kubectl feem abort scoring-4 -n lending" in result.message


@pytest.mark.parametrize(
    "change",
    [{"lost": frozenset({("risk-officer", "approve", "risk")})}, {"guard": Guard(since=at.NOW)}],
    ids=["role lost", "unguarded"],
)
def test_taking_the_role_away_from_who_rejects_does_not_open_the_gate(change: dict[str, Any]) -> None:
    facts = at.picture(RISK, acts=[reject("risk-officer", "risk"), approve("two", "risk", -10)], **change)
    assert at.said(facts, "approvals").reason == "Rejected"


def test_a_rejection_holds_every_gate_that_asks_for_its_role_and_no_other() -> None:
    gates = (RISK, at.approvals(("product", 1), name="product"), at.approvals(("risk", 1), name="again", stage="Step"))
    acts = [approve("one", "risk"), approve("two", "product"), reject("three", "risk")]
    assert at.holding(at.picture(*gates, acts=acts)) == ["approvals", "again"]


def test_who_rejected_in_one_role_does_not_count_in_another() -> None:
    facts = at.picture(RISK, acts=[approve("one", "risk", 600), reject("one", "test", 300)])
    assert at.said(facts, "approvals").reason == "RejectedLater"


@pytest.mark.parametrize(
    ("acts", "policy", "reason"),
    [
        ([], "Refuse", "ApprovalsMissing"),
        ([approve("risk-officer", "risk")], "Refuse", "RequesterUnknown"),
        ([approve("risk-officer", "risk")], "Accept", "Approved"),
        ([], "Accept", "ApprovalsMissing"),
    ],
)
def test_an_unknown_requester_is_said_once_everybody_is_there(acts: Sequence[Act], policy: str, reason: str) -> None:
    gate = at.approvals(("risk", 1), unknownRequester=policy)
    result = at.said(at.picture(gate, acts=acts, spec={"requestedBy": ""}), "approvals")
    assert result.reason == reason
    if reason == "RequesterUnknown":
        assert result.short == "requester unknown"
        assert "MutatingAdmissionPolicy" in result.message


def test_a_break_glass_is_no_approval() -> None:
    assert at.said(at.picture(RISK, acts=[break_glass("risk-officer")]), "approvals").reason == "ApprovalsMissing"


def test_an_approval_without_a_time_is_as_old_as_can_be() -> None:
    facts = at.picture(RISK, acts=[approve("risk-officer", "risk")])
    (decision,) = facts.decisions
    timeless = decision.model_copy(
        update={"metadata": decision.metadata.model_copy(update={"creation_timestamp": None})}
    )
    assert at.said(replace(facts, decisions=(timeless,)), "approvals").reason == "ApprovedBeforeRequest"


def test_the_line_of_kubectl_get() -> None:
    facts: GateFacts = at.picture(
        at.approvals(("product", 1), ("risk", 1)),
        at.gate("window"),
        acts=[approve("product-owner", "product")],
        windows=(at.window("evenings", "Allow", at.TONIGHT),),
    )
    text = summary(evaluate(facts).holding(Stage.START))
    assert text == "1 of 2 approvals (risk); window opens 22:00 Asia/Shanghai"
