"""What holds for every picture, however unlikely: nothing that speaks against a change ever opens a gate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feem.api.decision import Verb
from feem.api.gate import Stage
from feem.api.release import GateOutcome, SignOffDuty
from feem.api.window import ChangeWindow, WindowType
from feem.core.gates.chain import evaluate
from feem.core.gates.closure import close
from feem.core.gates.facts import GateFacts, Guard, TicketAnswer
from feem.core.gates.result import ORDER
from feem.core.gates.words import statuses, summary
from tests.gates import cases as at
from tests.gates.cases import Act
from tests.rollout import snapshots

STAGES = ORDER[:4]
ROLES, PEOPLE = ("risk", "product"), ("one", "two", "three", at.PIPELINE, at.AUTHOR)
AGES = (0, 60, 600, 600, 4000, 86400, 8 * 86400, 11 * 86400)
PATTERNS = ("PAY-[0-9]+", "(", ".*", "[")
TIMES: tuple[dict[str, Any], ...] = (
    at.ALWAYS, at.TONIGHT, {"recurrence": {"cron": "not a cron", "durationSeconds": 60}},
    {"range": {"start": "2026-02-31T00:00", "end": "2026-03-05T00:00"}}, {"preset": {"kind": "Weekends"}},
)  # fmt: skip
OTHERS: tuple[dict[str, Any], ...] = (
    at.gate("images", registries=["registry.example"]), at.gate("data"), at.gate("window"),
    at.gate("window", "maybe", allowed="Optional"), at.gate("evidence", documents=["sbom"]),
    at.gate("ticket", pattern="PAY-[0-9]+", verification={"provider": "Jira", "statuses": ["ok"]}),
    at.gate("ticket", "odd", pattern="("), at.gate("leadTime", workingDays=1, timeZone="Nowhere/At-all"),
    at.gate("leadTime", "lead", workingDays=5, timeZone="Asia/Shanghai", country="CN"), at.gate("exposure"),
    at.gate("drill", experiment=snapshots.EXPERIMENT, withinDays=1),
    at.gate("runbook", drilledWithinDays=5), at.gate("moonPhase", "moon"), at.gate("requirements", pattern="["),
    at.gate("signOff", stage="Closure", role="product", withinDays=5), at.gate("retention", stage="Closure", days=9),
)  # fmt: skip
GLASS = {"breakGlass": {"skips": ["freeze", "window", "a0", "a1"], "maxSeconds": 7200, "signOffRole": "compliance"}}

RUNS = ((), (snapshots.stable_run(result="Passed"),), (snapshots.stable_run(result="Failed"),))

quorums = st.lists(
    st.tuples(st.sampled_from(ROLES), st.integers(1, 2)), min_size=1, max_size=2, unique_by=lambda pair: pair[0]
)
rejections = st.builds(
    Act, st.just(Verb.REJECT), st.sampled_from(PEOPLE), st.sampled_from(ROLES), st.sampled_from(AGES), st.just("")
)
odd_acts = st.builds(
    Act,
    st.sampled_from([Verb.APPROVE, Verb.REJECT, Verb.BREAK_GLASS, Verb.SIGN_OFF]),
    st.sampled_from(PEOPLE),
    st.sampled_from(ROLES),
    st.sampled_from(AGES),
    st.sampled_from([None, None, "", at.SHA]),
    st.sampled_from([None, None, 900, 3000, 0]),
)
good_approvals = st.builds(at.approve, st.sampled_from(PEOPLE[:3]), st.sampled_from(ROLES), st.sampled_from((20, 200)))
good_glass = st.builds(at.break_glass, st.sampled_from(PEOPLE), st.sampled_from((0, 600)), st.sampled_from((900, 3000)))
acts = st.builds(
    lambda good, odd, glass: [*good, *odd, *glass],
    st.lists(good_approvals, max_size=6),
    st.lists(odd_acts, max_size=2),
    st.one_of(st.just([]), st.just([]), st.lists(good_glass, min_size=1, max_size=1)),
)
windows = st.lists(
    st.builds(
        lambda kind, time, zone: at.window("w", kind, time, timeZone=zone),
        st.sampled_from(["Allow", "Allow", "Freeze"]),
        st.sampled_from(TIMES),
        st.sampled_from(["UTC", "Asia/Shanghai", "Mars/Olympus"]),
    ),
    max_size=2,
)
triples = st.frozensets(
    st.tuples(st.sampled_from((*PEOPLE, "on-call")), st.sampled_from(["approve", "breakglass"]), st.sampled_from((*ROLES, ""))),
    max_size=3,
)  # fmt: skip
sinces = st.sampled_from(
    [None, at.SINCE, at.SINCE, at.SINCE, at.NOW - timedelta(seconds=600), at.NOW - timedelta(seconds=30)]
)


@st.composite
def pictures(draw: st.DrawFn) -> GateFacts:
    asked = draw(st.lists(st.tuples(quorums, st.sampled_from(STAGES), st.sampled_from([300, 604800])), max_size=2))
    gates: list[dict[str, Any]] = [
        at.approvals(*roles, name=f"a{number}", stage=stage, validForSeconds=valid)
        for number, (roles, stage, valid) in enumerate(asked)
    ]
    gates += draw(
        st.lists(
            st.sampled_from(OTHERS), max_size=draw(st.sampled_from([0, 0, 2])), unique_by=lambda gate: str(gate["name"])
        )
    )
    facts = at.picture(
        *gates,
        acts=draw(acts),
        rules=GLASS if draw(st.booleans()) else {},
        annotations={"feem.dev/ticket": draw(st.sampled_from(["", "PAY-1", "x"]))},
        spec={
            "requestedBy": draw(st.sampled_from([at.PIPELINE] * 4 + ["", "one"])),
            "author": draw(st.sampled_from(["", at.AUTHOR])),
        },
        windows=tuple(draw(windows)) if draw(st.booleans()) else (),
        guard=Guard(since=draw(sinces)),
        lost=draw(triples) if draw(st.booleans()) else frozenset(),
        tickets={"PAY-1": TicketAnswer(draw(st.sampled_from(["ok", "open"])))},
        runs=draw(st.sampled_from(RUNS)),
    )
    return replace(facts, profile=draw(st.sampled_from([facts.profile] * 9 + [None])))


@st.composite
def votes(draw: st.DrawFn) -> GateFacts:
    """Pictures in which nothing but people's votes decides: most are one vote away from another answer."""
    asked = draw(st.lists(st.tuples(quorums, st.sampled_from(STAGES)), min_size=1, max_size=2))
    gates = [at.approvals(*roles, name=f"a{number}", stage=stage) for number, (roles, stage) in enumerate(asked)]
    said = draw(st.lists(good_approvals, min_size=1, max_size=7))
    against = draw(st.lists(rejections, max_size=draw(st.sampled_from([0, 0, 1]))))
    return at.picture(*gates, acts=[*said, *against])


def held(facts: GateFacts) -> list[bool]:
    compliance = evaluate(facts)
    return [bool(compliance.holding(stage)) for stage in STAGES]


def never_opens(before: GateFacts, after: GateFacts) -> None:
    """Wherever a stage was held before, it is held after."""
    assert all(now or not then for then, now in zip(held(before), held(after), strict=True))


SETTINGS = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SETTINGS
@given(pictures(), st.sampled_from(TIMES), st.sampled_from(["UTC", "Asia/Shanghai", "Mars/Olympus"]))
def test_a_freeze_never_opens_anything(facts: GateFacts, time: dict[str, Any], zone: str) -> None:
    freeze = at.window("another", "Freeze", time, timeZone=zone)
    never_opens(facts, replace(facts, windows=(*facts.windows, freeze)))


@SETTINGS
@given(st.one_of(votes(), votes(), pictures()))
def test_an_approval_less_never_opens_anything(facts: GateFacts) -> None:
    for gone in facts.decisions:
        if gone.spec.verb in (Verb.APPROVE, Verb.BREAK_GLASS):
            never_opens(facts, replace(facts, decisions=tuple(item for item in facts.decisions if item is not gone)))


@SETTINGS
@given(st.one_of(votes(), votes(), pictures()), rejections)
def test_a_rejection_more_never_opens_anything(facts: GateFacts, act: Act) -> None:
    never_opens(facts, at.with_acts(facts, [act]))


@SETTINGS
@given(st.one_of(votes(), votes(), pictures()))
def test_policies_in_force_later_never_open_anything(facts: GateFacts) -> None:
    moments = sorted(item.metadata.creation_timestamp or at.NOW for item in facts.decisions)
    for moment in (at.SINCE, *moments, at.NOW, at.later(60)):
        if facts.guard.since is None or moment >= facts.guard.since:
            later = replace(facts, guard=replace(facts.guard, since=moment))
            never_opens(facts, later)
            facts = later


@SETTINGS
@given(st.one_of(votes(), votes(), pictures()), st.randoms(use_true_random=False))
def test_rights_that_are_lost_one_by_one_never_open_anything(facts: GateFacts, chance: Random) -> None:
    verbs = {Verb.BREAK_GLASS: "breakglass", Verb.SIGN_OFF: "signoff"}
    rights = [(item.spec.by, verbs.get(item.spec.verb, "approve"), item.spec.role or "") for item in facts.decisions]
    rights = [(by, verb, "" if verb == "breakglass" else role) for by, verb, role in rights]
    chance.shuffle(rights)
    for right in rights:
        fewer = replace(facts, lost=facts.lost | {right})
        never_opens(facts, fewer)
        facts = fewer


@SETTINGS
@given(pictures())
def test_a_window_that_closes_never_opens_anything(facts: GateFacts) -> None:
    never_opens(facts, replace(facts, windows=tuple(closed(window) for window in facts.windows)))


def closed(window: ChangeWindow) -> ChangeWindow:
    """An Allow window that was open in the past only."""
    over = {"range": {"start": "2020-01-01T00:00", "end": "2020-01-02T00:00"}}
    return at.window("w", "Allow", over) if window.spec.type is WindowType.ALLOW else window


WORSE: tuple[Callable[[GateFacts], GateFacts], ...] = (
    lambda facts: replace(facts, skew=31.0),
    lambda facts: replace(facts, profile=None),
    lambda facts: replace(facts, guard=replace(facts.guard, weakened=("a policy is missing",))),
    lambda facts: replace(facts, tickets={}),
    lambda facts: replace(facts, siblings=(_debtor(),)),
    lambda facts: replace(facts, decisions=()),
    lambda facts: replace(facts, runs=()),
)


def _debtor() -> Any:
    duty = SignOffDuty(role="product", due=at.later(9), emergency="fire")
    return at.release(None, at.service(None), name="scoring-3", status=at.ended(duty=duty))


@SETTINGS
@given(pictures(), st.sampled_from(WORSE))
def test_nothing_that_goes_missing_opens_anything(facts: GateFacts, worse: Callable[[GateFacts], GateFacts]) -> None:
    rejected = tuple(item for item in facts.decisions if item.spec.verb is Verb.REJECT)
    after = worse(facts)
    never_opens(facts, replace(after, decisions=after.decisions or rejected))


@SETTINGS
@given(pictures())
def test_each_gate_reports_once_and_later_stages_ask_for_more(facts: GateFacts) -> None:
    compliance = evaluate(facts)
    assert evaluate(facts) == compliance
    names = [item.name for item in compliance.results]
    assert len(names) == len(set(names))
    if facts.profile is not None:
        asked = [gate.name for gate in facts.profile.spec.gates if gate.stage is not Stage.CLOSURE]
        assert names[6:] == asked
    for earlier, later in pairwise(STAGES):
        assert set(compliance.holding(earlier)) <= set(compliance.holding(later))
    assert len(statuses(compliance.results)) == len(names)
    assert summary(compliance.holding(Stage.PROMOTION)).count("; ") < max(1, len(compliance.holding(Stage.PROMOTION)))


@SETTINGS
@given(pictures())
def test_what_holds_says_what_and_why_and_what_passes_rests_on_what_counts(facts: GateFacts) -> None:
    compliance = evaluate(facts)
    for result in compliance.results:
        assert result.message
        assert bool(result.short) == (result.outcome is GateOutcome.HOLDING)
        assert result.until is None or result.until > facts.now
    named = {decision.metadata.name: decision for decision in facts.decisions}
    for item in compliance.relies_on:
        assert (item.user, item.verb, item.role) not in facts.lost
        decision = named[item.decision]
        assert decision.spec.digest == compliance.binding
        assert (
            item.verb == "breakglass"
            or item.user not in (at.AUTHOR, facts.release.spec.requested_by)
            or (item.user == at.AUTHOR and not facts.release.spec.author)
        )
    users = [item.user for item in compliance.relies_on if item.verb == "approve"]
    assert len(users) == len(set(users))


@SETTINGS
@given(pictures(), st.sampled_from(["Promoted", "RolledBack", "Aborted"]), st.sampled_from([0, 600, 9 * 86400]))
def test_closing_never_fails_and_nobody_pays_an_own_debt(facts: GateFacts, how: str, ago: float) -> None:
    status = at.ended(how, ago=ago)
    found = close(replace(facts, release=facts.release.model_copy(update={"status": status})))
    assert not found.signed or found.relies_on
    for item in found.relies_on:
        assert found.duty is not None
        assert item.user not in found.duty.not_by
        assert item.role == found.duty.role
