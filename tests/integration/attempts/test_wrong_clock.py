"""Attempts with the time: an operator whose clock is wrong, and a window over the night in which clocks are changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.attempts.conftest import Judge, OpenBank
from tests.integration.attempts.profiles import at
from tests.integration.attempts.staff import Staff
from tests.integration.kubectl import Kubectl, Manifest
from tests.integration.operator import until

pytestmark = pytest.mark.integration

TURN = datetime(2027, 3, 28, 1, 30, tzinfo=UTC)
"""03:30 in Europe/Berlin, half an hour after 02:00 UTC+1 there became 03:00 UTC+2; without the change it would be 02:30."""
IN_WINDOW: Manifest = {"name": "window", "stage": "Start", "window": {}}
Night = Callable[[Manifest], Callable[[], Manifest]]


@pytest.fixture
def another_clock(staff: Staff) -> Iterator[Staff]:
    """The operator, to be started with another clock; with the right one again afterwards."""
    yield staff
    staff.stop()
    staff.start()


@pytest.fixture
def night(admin: Kubectl) -> Iterator[Night]:
    """Make a window for one test; returns how to read its status."""
    made: list[str] = []

    def make(manifest: Manifest) -> Callable[[], Manifest]:
        admin.done("create", manifest=manifest)
        name = manifest["metadata"]["name"]
        made.append(name)

        def status() -> Manifest:
            found: Manifest = admin.read("changewindow", name).get("status") or {}
            return found

        return status

    yield make
    for name in made:
        admin("delete", "changewindow", name)


def test_a_clock_that_is_an_hour_off(open_bank: OpenBank, judge: Judge, another_clock: Staff) -> None:
    bank = open_bank()
    name = bank.asked()
    verdict = judge(bank)
    another_clock.stop()
    another_clock.start(3600)
    bank.approve(name)
    verdict.held("Operator's clock an hour off", "platform-admin", name, "clock", "ClockSkewed")
    until("nothing but the clock holds it", lambda: bank.gates(name)["approvals"]["outcome"] == "Passed")
    verdict.still(name)


def test_a_window_over_the_night_in_which_clocks_are_changed(
    open_bank: OpenBank, judge: Judge, another_clock: Staff, profile: Callable[..., str], night: Night
) -> None:
    """From 01:30 to 03:30 is one hour in that night, and a freeze from 03:30 on begins an hour earlier than in winter."""
    bank = open_bank(profile(IN_WINDOW))
    name = bank.asked()
    verdict = judge(bank)
    span = {"start": "2027-03-28T01:30", "end": "2027-03-28T03:30"}
    allow = night(at(bank.namespace, "Allow", "few customers are there", "Europe/Berlin", range=span))
    often = {"cron": "30 3 * * *", "durationSeconds": 3600}
    freeze = night(at(bank.namespace, "Freeze", "the day is being closed", "Europe/Berlin", recurrence=often))
    another_clock.stop()
    another_clock.start_at(TURN - timedelta(seconds=another_clock.patience))
    until("the window open", lambda: allow().get("closesAt") == "2027-03-28T01:30:00Z", 40)
    until("the freeze ahead", lambda: freeze().get("opensAt") == "2027-03-28T01:30:00Z", 40)
    until("the gate open", lambda: bank.gates(name)["window"]["reason"] == "InWindow", 40)
    assert bank.gates(name)["freeze"]["outcome"] == "Passed"
    until("the freeze begun", lambda: "closesAt" in freeze(), 60)
    until("the window closed", lambda: "closesAt" not in allow())
    who = "team-dev"
    verdict.held("Going on in the hour that DST takes from the window", who, name, "window", "OutsideWindow")
    verdict.held("Going on in the freeze that DST brings forward", who, name, "freeze", "ChangeFreeze")
    assert freeze()["closesAt"] == "2027-03-28T02:30:00Z"
