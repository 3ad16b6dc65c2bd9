"""A step about which too little is known, in a whole cluster: what each policy does, and what none of them does."""

from __future__ import annotations

from typing import Any

import pytest

from feem.api.audit import Part
from tests.controllers import checks
from tests.world.world import World

HELD = 20


async def quiet(action: str, *, rate: int = 1) -> World:
    """A world with next to no requests, and a release in its first step."""
    policy: dict[str, Any] = {"action": action, "maxHoldSeconds": HELD}
    world = await World(steps=((20, 2), (60, 2)), inconclusive=policy).start()
    world.traffic.rate = rate
    world.apply_template("2.0")
    return await world.until(lambda w: w.step == 1)


def reasons(world: World, action: str) -> list[str]:
    return [item.reason for item in world.records if item.action == action and item.part is Part.INTENT]


def told(world: World, reason: str) -> list[bool]:
    """Whether it was a warning, each time people were told."""
    return [warning for _, why, _, warning in world.operator.notes.said if why == reason]


async def test_hold_waits_for_people_and_tells_them_once() -> None:
    world = await quiet("Hold")
    await world.until(lambda w: w.state() == "HeldTooLong")
    await world.run(30)
    assert (world.state(), world.step, told(world, "HeldTooLong")) == ("HeldTooLong", 1, [True])
    world.decide("Promote")
    await world.settled()
    assert world.state("Succeeded") == "Promoted"
    await checks.over(world, "2.0")


async def test_rollback_goes_back_when_the_time_is_over_and_not_before() -> None:
    world = await quiet("Rollback")
    await world.run(HELD - 2)
    assert world.state() == "Inconclusive"
    await world.settled()
    assert (world.state("Succeeded"), reasons(world, "RollBack")) == ("RolledBack", ["InconclusiveTooLong"])
    await checks.over(world, "1.0", paused=True)


async def test_promote_goes_on_without_proof_and_the_record_says_so() -> None:
    world = await quiet("Promote")
    await world.settled()
    assert world.state("Succeeded") == "Promoted"
    assert reasons(world, "ShiftTraffic")[0] == "Step1"
    assert "PromotedWithoutProof" in reasons(world, "ShiftTraffic") + reasons(world, "Promote")
    assert set(told(world, "PromotedWithoutProof")) == {True}
    assert world.traffic.unanswered == 0
    await checks.over(world, "2.0")


@pytest.mark.parametrize("action", ["Hold", "Rollback", "Promote"])
async def test_missing_metrics_hold_whatever_the_policy_says(action: str) -> None:
    world = await quiet(action)
    world.traffic.metrics_down = True
    await world.run(4 * HELD)
    assert (world.state(), world.step) == ("Inconclusive", 1)
    world.traffic.metrics_down = False
    await world.run(HELD // 2)
    assert (world.state(), world.step) == ("Inconclusive", 1), "the time without metrics does not count"
    world.traffic.rate = 200
    await world.settled()
    assert world.state("Succeeded") == "Promoted"


@pytest.mark.parametrize("action", ["Rollback", "Promote"])
async def test_a_trouble_that_both_tracks_share_holds_and_warns(action: str) -> None:
    world = await quiet(action, rate=200)
    world.traffic.error_rates = {"1.0": 0.2, "2.0": 0.2}
    await world.until(lambda w: w.state() == "SharedDegradation")
    await world.run(2 * HELD)
    assert (world.state(), world.state("Succeeded")) == ("SharedDegradation", "Running")
    assert set(told(world, "SharedDegradation")) == {True}


async def test_a_pause_takes_the_decision_over() -> None:
    world = await quiet("Rollback")
    world.decide("Pause")
    await world.run(3 * HELD)
    assert world.state() == "Paused"
    world.decide("Resume")
    await world.run(HELD // 2)
    assert world.state() == "Inconclusive"
    world.decide("Abort")
    await world.settled()
    await checks.over(world, "1.0", paused=True)
