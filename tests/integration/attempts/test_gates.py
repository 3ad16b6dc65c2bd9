"""Attempts to go on where the rules have changed meanwhile: a freeze, a window that closes, a looser profile, an unpaid debt."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.attempts.bank import Bank
from tests.integration.attempts.conftest import Judge, OpenBank
from tests.integration.attempts.profiles import IN_WINDOW, TICKET, strict, window
from tests.integration.kubectl import Kubectl
from tests.integration.operator import until
from tests.integration.people import hours_from_now

pytestmark = pytest.mark.integration

BAKES = [{"weight": 20, "bakeSeconds": 4}, {"weight": 60, "bakeSeconds": 2}]
ONE_STEP = [{"weight": 50, "bakeSeconds": 1}]
MakeProfile = Callable[..., str]


@pytest.fixture
def heads(open_bank: OpenBank, admin: Kubectl) -> Iterator[Callable[[Bank, str], Kubectl]]:
    """Somebody who holds a role in the whole cluster, as profiles and windows ask for; windows are taken away afterwards."""
    banks: list[Bank] = []

    def head(bank: Bank, role: str) -> Kubectl:
        banks.append(bank)
        bank.people.bind(f"feem-{role}", f"head-of-{role}", everywhere=True)
        return bank.people(f"head-of-{role}", f"head-of-{role}")

    yield head
    for bank in banks:
        for kind in ("freeze", "allow"):
            admin("delete", "changewindow", f"{kind}-{bank.namespace}", "--ignore-not-found")


def test_a_freeze_declared_mid_release(
    open_bank: OpenBank, judge: Judge, heads: Callable[[Bank, str], Kubectl]
) -> None:
    bank = open_bank(steps=BAKES)
    name = bank.running()
    verdict = judge(bank, "scoring:3")
    heads(bank, "risk").done("create", manifest=window(bank.namespace, "Freeze", 3600, "the core bank is being moved"))
    found = verdict.held("Freeze declared mid-release", "head-of-risk", name, "freeze", "ChangeFreeze")
    assert "the core bank is being moved" in found["message"]
    assert bank.status(name)["step"] == 1


def test_a_window_that_closes_mid_step(
    open_bank: OpenBank, judge: Judge, heads: Callable[[Bank, str], Kubectl], profile: MakeProfile
) -> None:
    bank = open_bank(profile(IN_WINDOW), steps=[{"weight": 20, "bakeSeconds": 6}, {"weight": 60, "bakeSeconds": 2}])
    head = heads(bank, "risk")
    head.done("create", manifest=window(bank.namespace, "Allow", 3600, "few customers are there"))
    name = bank.running()
    verdict = judge(bank, "scoring:3")
    end = (datetime.now(UTC) + timedelta(seconds=2)).strftime("%Y-%m-%dT%H:%M:%S")
    shorter = json.dumps({"spec": {"range": {"end": end}}})
    head.done("patch", "changewindow", f"allow-{bank.namespace}", "--type=merge", f"--patch={shorter}")
    assert bank.gates(name)["window"]["outcome"] == "Passed", "it has to close while the release is in its step"
    verdict.held("Window closing mid-step", "team-dev", name, "window", "OutsideWindow")
    assert bank.status(name)["step"] == 1


def test_a_profile_loosened_mid_release(
    open_bank: OpenBank, judge: Judge, heads: Callable[[Bank, str], Kubectl], profile: MakeProfile
) -> None:
    called = profile()
    bank = open_bank(called, steps=BAKES)
    name = bank.running()
    verdict = judge(bank, "scoring:3")
    looser = strict(called)
    looser["spec"] |= {"gates": [TICKET], "breakGlass": {"skips": ["freeze"], "signOffRole": "compliance"}}
    heads(bank, "compliance").done("replace", manifest=looser)  # an apply of fewer gates would leave those of others
    verdict.held("Profile loosened mid-release", "head-of-compliance", name, "profile", "ProfileChanged")
    assert bank.status(name)["step"] == 1


def test_a_profile_loosened_before_the_approvals(
    open_bank: OpenBank, judge: Judge, heads: Callable[[Bank, str], Kubectl], profile: MakeProfile
) -> None:
    called = profile()
    bank = open_bank(called)
    name = bank.asked()
    verdict = judge(bank)
    bank.approve(name, "risk")
    before = bank.status(name)["binding"]
    edited = strict(called)
    edited["spec"]["gates"][0] = {"name": "ticket", "stage": "Request", "ticket": {"pattern": ".*"}}
    heads(bank, "compliance").done("apply", "--server-side", "--force-conflicts", manifest=edited)
    until("another binding", lambda: bank.status(name)["binding"] != before)
    bank.approve(name, "compliance")
    attempt, by = "Profile edited after the approval", "head-of-compliance"
    verdict.held(attempt, by, name, "approvals", "ApprovedSomethingElse", "1 of 2")
    verdict.held("Profile edited while the release waits", by, name, "profile", "ProfileChanged")


def test_a_second_release_with_an_open_debt(open_bank: OpenBank, judge: Judge) -> None:
    bank = open_bank(steps=ONE_STEP)
    first = bank.asked()
    reason = "customers cannot pay their rates"
    bank.decide(bank.committee, first, "BreakGlass", ticket="INC-1", expiresAt=hours_from_now(1), reason=reason)
    until("the emergency's end", lambda: bank.shop.ending(first) == "Promoted", 60)
    assert bank.status(first)["signOff"]["role"] == "compliance"
    second = bank.asked("3")
    verdict = judge(bank, "scoring:3")
    bank.approve(second)
    found = verdict.held("Second release with an open debt", "team-dev", second, "debt", "ReviewOwed", first)
    assert bank.gates(second)["approvals"]["outcome"] == "Passed", "nothing but the debt may hold it"
    assert "sign-off" in found["message"]
    verdict.recorded("Decision", lambda spec: spec["actor"] == "committee-member" and "BreakGlass" in spec["message"])
