"""A profile that wants acts witnessed before they are done: what waits, what never does, and that nothing is done twice."""

from __future__ import annotations

import pytest

from feem.api.audit import Part
from feem.ports import Body
from tests.controllers import checks
from tests.world import bodies
from tests.world.bodies import NAME
from tests.world.deployments import DEPLOYMENTS
from tests.world.world import World


def profile(*actions: str) -> Body:
    return bodies.profile(
        [{"name": "exposure", "stage": "Start", "exposure": {"firstStepPercent": 50}}], witnessBefore=list(actions)
    )


async def asleep(*actions: str) -> World:
    """A change under such a profile while no witness answers."""
    world = await World(profile=profile(*actions)).start()
    world.rights.witnesses.awake = False
    world.apply_template("2.0")
    return await world.until(lambda w: w.state() == "NotWitnessed")


def announced(world: World, action: str) -> list[int]:
    return [record.index for record in world.records if record.part is Part.INTENT and record.action == action]


async def test_no_pod_starts_before_its_announcement_is_witnessed() -> None:
    world = await asleep("ApplyCanary")
    await world.run(60)
    assert world.get(DEPLOYMENTS, f"{NAME}-canary") is None
    assert len(announced(world, "ApplyCanary")) == 1, "it is announced once, and waits"
    world.rights.witnesses.awake = True
    await world.settled()
    assert world.state("Succeeded") == "Promoted"
    await checks.over(world, "2.0")


@pytest.mark.parametrize("action", ["ShiftTraffic", "Promote"])
async def test_every_such_act_is_shown_to_witnesses_and_no_other(action: str) -> None:
    world = await World(profile=profile(action)).start()
    world.apply_template("2.0")
    await world.settled()
    assert world.state("Succeeded") == "Promoted"
    assert world.rights.witnesses.asked == announced(world, action)


async def test_the_way_back_never_waits() -> None:
    world = await World(profile=profile("ApplyCanary", "ShiftTraffic", "Promote")).start()
    world.apply_template("2.0")
    await world.until(lambda w: w.weight == 10)
    world.rights.witnesses.awake = False
    world.traffic.error_rates["2.0"] = 0.5
    await world.settled()
    assert world.state("Succeeded") == "RolledBack"
    assert world.weight == 0


async def test_a_new_operator_goes_on_under_the_same_announcement() -> None:
    world = await asleep("ShiftTraffic")
    before = announced(world, "ShiftTraffic")
    world.restart()
    await world.run(20)
    assert announced(world, "ShiftTraffic") == before
    world.rights.witnesses.awake = True
    await world.settled()
    assert world.state("Succeeded") == "Promoted"
    await checks.over(world, "2.0")


async def test_a_freeze_that_comes_meanwhile_ends_the_announcement() -> None:
    world = await asleep("ApplyCanary")
    world.freeze(hours=1)
    await world.until(lambda w: w.state() == "Waiting")
    ended = [
        record.reason for record in world.records if record.part is Part.OUTCOME and record.action == "ApplyCanary"
    ]
    assert ended == ["Abandoned"]
    assert world.get(DEPLOYMENTS, f"{NAME}-canary") is None
