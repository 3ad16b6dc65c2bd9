"""Gates that are always there: freezes, the rules themselves, what is owed, the clock, and whose change it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from feem.api.gate import Stage
from feem.api.release import GateOutcome, Release, SignOffDuty
from feem.core.gates.binding import binding_of
from feem.core.gates.chain import evaluate
from feem.core.gates.facts import GateFacts, Guard
from feem.core.gates.result import Compliance, GateResult
from feem.core.gates.words import LONGEST_MESSAGE, counted, listed, statuses, summary
from tests.gates import cases as at
from tests.rollout.snapshots import NAME

FREEZE = at.window("year-end", "Freeze", at.ALWAYS)
TONIGHT = at.window("evenings", "Freeze", at.TONIGHT)
ALLOW = at.window("business-hours", "Allow", at.ALWAYS)
EVENINGS = at.window("evenings", "Allow", at.TONIGHT)
UNUSABLE = {"timeZone": "Mars/Olympus"}
NEVER = {"range": {"start": "2020-01-01T00:00", "end": "2020-01-02T00:00"}}


def bare(**facts: Any) -> GateFacts:
    """A release of a service without a profile."""
    of = at.service(None)
    return replace(GateFacts(at.NOW, at.release(None, of), of), **facts)


def test_without_a_profile_only_freezes_and_debts_are_asked() -> None:
    compliance = evaluate(bare())
    assert [(item.name, item.outcome, item.stage) for item in compliance.results] == [
        ("freeze", GateOutcome.PASSED, Stage.REQUEST),
        ("debt", GateOutcome.PASSED, Stage.REQUEST),
    ]
    assert compliance.binding == binding_of(bare().release, None)


def test_every_gate_reports_once_in_the_profiles_order_after_feems_own() -> None:
    gates = (
        at.gate("window", "w", "Promotion"),
        at.gate("data", "d", "Request"),
        at.gate("signOff", "s", "Closure", role="product", withinDays=5),
        at.approvals(("risk", 1), name="a", stage="Step"),
        at.gate("retention", "r", "Closure", days=5),
    )
    results = evaluate(at.picture(*gates)).results
    names = [item.name for item in results]
    assert names == ["freeze", "debt", "guard", "profile", "clock", "author", "w", "d", "a"]
    assert [item.stage for item in results[6:]] == [Stage.PROMOTION, Stage.REQUEST, Stage.STEP]


def test_a_stage_is_kept_by_its_gates_and_all_before() -> None:
    gates = [at.gate("data", stage.lower(), stage) for stage in ("Promotion", "Step", "Start", "Request")]
    facts = at.picture(*gates)
    assert at.holding(facts, Stage.REQUEST) == ["request"]
    assert at.holding(facts, Stage.START) == ["start", "request"]
    assert at.holding(facts, Stage.STEP) == ["step", "start", "request"]
    assert at.holding(facts, Stage.PROMOTION) == ["promotion", "step", "start", "request"]


@pytest.mark.parametrize("facts", [bare(), at.picture()], ids=["no profile", "profile"])
@pytest.mark.parametrize(
    ("windows", "reason", "short", "words"),
    [
        ((), "NoFreeze", "", ""),
        ((ALLOW, TONIGHT), "NoFreeze", "", ""),
        ((FREEZE,), "ChangeFreeze", "freeze year-end until 2027-01-01 00:00 Asia/Shanghai", "year-end: why year-end"),
        ((FREEZE, ALLOW), "ChangeFreeze", "freeze year-end until 2027-01-01 00:00 Asia/Shanghai", "rolling back is never held"),
        ((at.window("bad", "Freeze", at.ALWAYS, **UNUSABLE),), "ChangeFreeze", "freeze bad", "ChangeWindow bad cannot be used"),
        ((at.window("bad", "Freeze", at.ALWAYS, **UNUSABLE), FREEZE), "ChangeFreeze", "freeze bad and year-end", "as long as"),
        ((at.window("else", "Freeze", at.ALWAYS, scope={"namespaces": ["other"]}),), "NoFreeze", "", ""),
        ((at.window("tier", "Freeze", at.ALWAYS, scope={"matchLabels": {"tier": "1"}}),), "NoFreeze", "", ""),
        ((at.window("here", "Freeze", at.ALWAYS, scope={"namespaces": ["lending"]}),), "ChangeFreeze",
         "freeze here until 2027-01-01 00:00 Asia/Shanghai", ""),
    ],
)  # fmt: skip
def test_freeze(facts: GateFacts, windows: tuple[Any, ...], reason: str, short: str, words: str) -> None:
    result = at.said(replace(facts, windows=windows), "freeze")
    assert (result.reason, result.short, result.holds) == (reason, short, bool(short))
    assert words in result.message


def test_a_freeze_says_when_to_look_again() -> None:
    assert at.said(bare(windows=(TONIGHT,)), "freeze").until == at.later(4.5 * 3600)
    assert at.said(bare(windows=(TONIGHT,), now=at.later(5 * 3600)), "freeze").until == at.later(6.5 * 3600)


@pytest.mark.parametrize(
    ("windows", "allowed", "reason", "short"),
    [
        ((ALLOW,), "Required", "InWindow", ""),
        ((EVENINGS,), "Required", "OutsideWindow", "window opens 22:00 Asia/Shanghai"),
        ((EVENINGS, ALLOW), "Required", "InWindow", ""),
        ((), "Required", "NoWindow", "no change window"),
        ((TONIGHT,), "Required", "NoWindow", "no change window"),
        ((), "Optional", "NoWindowNeeded", ""),
        ((TONIGHT,), "Optional", "NoWindowNeeded", ""),
        ((EVENINGS,), "Optional", "OutsideWindow", "window opens 22:00 Asia/Shanghai"),
        ((at.window("past", "Allow", NEVER),), "Optional", "OutsideWindow", "no window opens"),
        ((at.window("bad", "Allow", at.ALWAYS, **UNUSABLE),), "Required", "OutsideWindow", "no window opens"),
        ((at.window("else", "Allow", at.ALWAYS, scope={"namespaces": ["other"]}),), "Required", "NoWindow", "no change window"),
        ((at.window("berlin", "Allow", at.TONIGHT, timeZone="Europe/Berlin"),), "Required", "OutsideWindow",
         "window opens 22:00 Europe/Berlin"),
        ((at.window("berlin", "Allow", at.TONIGHT, timeZone="Europe/Berlin"), EVENINGS), "Required", "OutsideWindow",
         "window opens 22:00 Asia/Shanghai"),
        ((ALLOW, FREEZE), "Required", "InWindow", ""),
    ],
)  # fmt: skip
def test_window(windows: tuple[Any, ...], allowed: str, reason: str, short: str) -> None:
    result = at.said(at.picture(at.gate("window", allowed=allowed), windows=windows), "window")
    assert (result.reason, result.short, result.holds) == (reason, short, bool(short))


def test_a_window_that_cannot_be_used_is_named() -> None:
    bad = at.window("bad", "Allow", at.ALWAYS, **UNUSABLE)
    message = at.said(at.picture(at.gate("window"), windows=(bad,)), "window").message
    assert "ChangeWindow bad cannot be used" in message
    assert "Mars/Olympus" in message


def test_the_moment_a_window_closes_it_holds() -> None:
    gate = at.gate("window")
    facts = at.picture(gate, windows=(EVENINGS,), now=at.later(6.5 * 3600 - 1))
    assert at.said(facts, "window").reason == "InWindow"
    assert at.said(facts, "window").until == at.later(6.5 * 3600)
    assert at.said(replace(facts, now=at.later(6.5 * 3600)), "window").reason == "OutsideWindow"


def renamed(facts: GateFacts, named: str | None) -> GateFacts:
    spec = facts.service.spec.model_copy(update={"compliance_profile": named})
    return replace(facts, service=facts.service.model_copy(update={"spec": spec}))


LOOSER = at.profile(at.gate("objectives", "objectives", "Start"))


@pytest.mark.parametrize(
    ("facts", "reason", "words"),
    [
        (at.picture(), "ProfileUnchanged", ""),
        (at.picture(profile=None), "ProfileMissing", "put it back"),
        (at.picture(profile=LOOSER), "ProfileChanged", "put it back"),
        (renamed(at.picture(), "pilot"), "ProfileReplaced", "names pilot now: name standard again"),
        (renamed(at.picture(), None), "ProfileReplaced", "names no profile now"),
        (renamed(at.picture(profile=None), "pilot"), "ProfileReplaced", "name standard again"),
        (renamed(bare(), "standard"), "ProfileChanged", "was put under standard"),
    ],
)
def test_profile(facts: GateFacts, reason: str, words: str) -> None:
    result = at.said(facts, "profile")
    assert (result.reason, result.holds) == (reason, reason != "ProfileUnchanged")
    assert words in result.message
    if result.holds and reason != "ProfileMissing":
        assert "kubectl feem abort" in result.message
    assert [item.name for item in evaluate(facts).results][:6] == [
        "freeze",
        "debt",
        "guard",
        "profile",
        "clock",
        "author",
    ]


def test_a_loosened_profile_does_not_hide_what_it_still_asks() -> None:
    asked = at.profile(at.approvals(("risk", 1)))
    facts = at.picture(at.approvals(("risk", 2)), acts=[at.approve("one", "risk")])
    loosened = replace(facts, profile=asked)
    assert at.said(loosened, "approvals").reason == "ApprovedSomethingElse"
    assert at.holding(loosened, Stage.REQUEST) == ["profile"]


@pytest.mark.parametrize(
    ("skew", "reason"),
    [
        (None, "ClockAgrees"), (0.0, "ClockAgrees"), (30.0, "ClockAgrees"), (-30.0, "ClockAgrees"),
        (30.1, "ClockSkewed"), (-30.1, "ClockSkewed"), (3600.0, "ClockSkewed"),
    ],
)  # fmt: skip
def test_clock(skew: float | None, reason: str) -> None:
    result = at.said(at.picture(skew=skew), "clock")
    assert result.reason == reason
    if skew is not None and result.holds:
        assert ("ahead of" if skew > 0 else "behind") in result.message


def test_guard() -> None:
    guard = Guard(("policy decisions.feem.dev is missing", "binding held.feem.dev only audits"), at.SINCE)
    result = at.said(at.picture(guard=guard), "guard")
    assert (result.reason, result.short) == ("PolicyWeakened", "policies weakened")
    assert "policy decisions.feem.dev is missing; binding held.feem.dev only audits" in result.message
    assert at.said(at.picture(), "guard").reason == "PoliciesInForce"


@pytest.mark.parametrize(
    ("pipelines", "author", "reason"),
    [
        ([], "", "AuthorNotNeeded"),
        (["other"], "", "AuthorNotNeeded"),
        ([at.PIPELINE], "", "AuthorMissing"),
        ([at.PIPELINE], at.AUTHOR, "AuthorNamed"),
    ],
)
def test_author(pipelines: list[str], author: str, reason: str) -> None:
    result = at.said(at.picture(rules={"pipelines": pipelines}, spec={"author": author}), "author")
    assert (result.reason, result.holds) == (reason, reason == "AuthorMissing")
    if result.holds:
        assert "annotation feem.dev/author of Deployment scoring" in result.message


def owing(name: str, due: float, emergency: str = "", *, signed: bool = False) -> Release:
    duty = SignOffDuty(role="product", due=at.later(due), emergency=emergency, not_by=["on-call"])
    return at.release(None, at.service(None), name=name, status=at.ended(duty=duty, signed=signed))


@pytest.mark.parametrize(
    ("siblings", "reason", "short", "until"),
    [
        ([], "NothingOwed", "", None),
        ([owing("scoring-3", 60)], "NothingOwed", "", 60),
        ([owing("scoring-3", 60), owing("scoring-2", 30)], "NothingOwed", "", 30),
        ([owing("scoring-3", 0)], "SignOffOverdue", "sign-off of scoring-3 overdue", None),
        ([owing("scoring-3", -60), owing("scoring-2", 30)], "SignOffOverdue", "sign-off of scoring-3 overdue", 30),
        ([owing("scoring-3", -60, signed=True)], "NothingOwed", "", None),
        ([owing("scoring-3", 60, "decision-9")], "ReviewOwed", "review of scoring-3 owed", None),
        ([owing("scoring-2", -60), owing("scoring-3", 60, "decision-9")], "ReviewOwed", "review of scoring-3 owed", None),
        ([owing("scoring-3", -60, "decision-9", signed=True)], "NothingOwed", "", None),
        ([owing(NAME, -60)], "NothingOwed", "", None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("facts", [bare(), at.picture()], ids=["no profile", "profile"])
def test_debt(facts: GateFacts, siblings: list[Release], reason: str, short: str, until: float | None) -> None:
    result = at.said(replace(facts, siblings=tuple(siblings)), "debt")
    assert (result.reason, result.short, result.holds) == (reason, short, bool(short))
    assert result.until == (at.later(until) if until is not None else None)
    if result.holds:
        assert "kubectl feem sign-off scoring-" in result.message
        assert "not on-call" in result.message
        assert "verb signoff on approvalroles/product" in result.message


def test_a_sibling_without_a_status_owes_nothing() -> None:
    assert at.said(bare(siblings=(at.release(None, at.service(None), name="x"),)), "debt").reason == "NothingOwed"


def test_results_as_the_status_has_them() -> None:
    results = [GateResult(f"g{n}", Stage.START, GateOutcome.HOLDING, "R" * 200, "m" * 2000, "s") for n in range(50)]
    written = statuses(results)
    assert len(written) == 40
    assert len(written[0].reason) == 128
    assert len(written[0].message) == LONGEST_MESSAGE
    assert written[0].message.endswith("…")
    assert statuses(results[:1])[0].name == "g0"
    assert summary(results) == "s"
    assert summary([replace(results[0], short=""), replace(results[1], short="two")]) == "g0; two"
    assert summary([]) == ""


def test_words() -> None:
    assert listed([]) == ""
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert (counted(1, "day"), counted(2, "day")) == ("1 day", "2 days")


def test_observing_evaluates_all_the_same() -> None:
    gates = (at.gate("data"), at.approvals(("risk", 1)))
    enforced, observed = at.picture(*gates), at.picture(*gates, spec={"mode": "Observe"})
    assert outcomes(enforced) == outcomes(observed)


def outcomes(facts: GateFacts) -> list[tuple[str, GateOutcome, str]]:
    return [(item.name, item.outcome, item.reason) for item in evaluate(facts).results]


def test_the_same_facts_give_the_same_answer() -> None:
    facts = at.picture(at.approvals(("risk", 1)), at.gate("data"), windows=(FREEZE,), acts=[at.approve("one", "risk")])
    first: Compliance = evaluate(facts)
    assert evaluate(facts) == first


def test_a_clock_that_is_off_by_an_hour_does_not_lengthen_what_counts() -> None:
    facts = at.picture(at.approvals(("risk", 1)), acts=[at.approve("one", "risk", expires_in=1800)])
    assert at.holding(facts) == []
    assert at.holding(replace(facts, now=at.NOW + timedelta(hours=1), skew=3600.0)) == ["clock", "approvals"]
