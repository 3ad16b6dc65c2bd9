"""Whole releases in a simulated cluster: what people, pods, gateways and metrics can do to one, and how the world looks after."""

from __future__ import annotations

from tests.controllers import checks
from tests.world.world import World


async def test_a_good_version_reaches_everybody_and_no_request_fails() -> None:
    world = await World().start()
    world.apply_template("2.0")
    await world.settled()
    assert world.state("Succeeded") == "Promoted"
    assert world.traffic.unanswered == 0
    assert [weight for weight in dict.fromkeys(world.traffic.weights) if weight] == [10, 30, 60, 100]
    await checks.over(world, "2.0")
