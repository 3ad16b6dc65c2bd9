"""Everything at once: people change their minds, pods and metrics come and go, the operator dies; in the end all is in order."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from feem.core.digest import template_digest
from feem.ports import Refused, Unavailable
from tests.controllers import checks
from tests.world.api import Denied, Request
from tests.world.deployments import DEPLOYMENTS, version_of
from tests.world.world import Crash, World

Act = Callable[[World, random.Random], object]


def _decide(world: World, chance: random.Random) -> None:
    if world.releases:
        world.decide(chance.choice(["Pause", "Resume", "Resume", "Promote", "Abort", "Retry"]))


def _delete_release(world: World, _: random.Random) -> None:
    if world.releases:
        world.api.delete("releases.feem.dev", "lending", world.last.metadata.name, "pipeline")


def _break(world: World, chance: random.Random) -> None:
    world.traffic.error_rates = {chance.choice(["2.0", "3.0", "4.0"]): 0.3}


def _sour(world: World, _: random.Random) -> None:
    """What was just promoted turns bad."""
    if world.state() == "Watching":
        world.traffic.error_rates = {version_of(world.get(DEPLOYMENTS)): 0.3}


def _starve(world: World, chance: random.Random) -> None:
    world.pods.never_ready = {chance.choice(["2.0", "3.0", "4.0"])}


def _toggle_metrics(world: World, _: random.Random) -> None:
    world.traffic.metrics_down = not world.traffic.metrics_down


def _crash(world: World, _: random.Random) -> None:
    number, moment = world.api.writes + 1, random.Random(world.api.writes).choice(["before", "after"])  # noqa: S311

    def fault(request: Request, when: str) -> None:
        if (request.number, when) == (number, moment):
            raise Crash

    world.api.fault = fault


def _silence(world: World, _: random.Random) -> None:
    number = world.api.writes + 1

    def fault(request: Request, when: str) -> None:
        if request.number == number and when == "after":
            raise Unavailable("no answer")

    world.api.fault = fault


ACTS: tuple[tuple[int, Act], ...] = (
    (4, lambda world, chance: world.apply_template(chance.choice(["1.0", "2.0", "3.0", "4.0"]))),
    (2, lambda world, chance: world.scale(chance.randint(1, 8))),
    (3, _decide),
    (1, lambda world, _: world.reapply_route()),
    (1, lambda world, _: world.bypass()),
    (1, _delete_release),
    (2, _break),
    (6, _sour),
    (1, _starve),
    (2, _toggle_metrics),
    (5, _crash),
    (3, _silence),
    (1, lambda world, _: world.restart()),
)


async def storm(seed: int, *, policy: bool = True) -> World:
    """Two minutes of chance, then calm."""
    chance = random.Random(seed)  # noqa: S311 - a test's own dice
    plan: dict[str, Any] = {
        "watchSeconds": (0, 20)[seed % 2],
        "inconclusive": {"action": ("Hold", "Promote", "Rollback")[seed % 3], "maxHoldSeconds": 5},
    }
    world = await World(policy=policy, steps=((20, 2), (60, 2)), **plan).start()
    kinds, acts = [weight for weight, _ in ACTS], [act for _, act in ACTS]
    for _ in range(30):
        act = chance.choices(acts, kinds)[0]
        try:
            act(world, chance)
        except Denied:
            continue
        finally:
            await world.run(chance.choice([0, 1, 1, 2, 5, 12]))
    world.api.fault = None
    world.traffic.error_rates, world.traffic.metrics_down, world.pods.never_ready = {}, False, set()
    world.pods.heal()
    if world.releases:
        world.decide("Resume")
    await world.run(30)
    if world.state() == "PromotionInterrupted":
        world.decide("Abort")
    return await world.settled(400)


@pytest.mark.parametrize("policy", [True, False])
@pytest.mark.parametrize("seed", range(12))
async def test_after_the_storm_everything_is_in_order(seed: int, *, policy: bool) -> None:
    world = await storm(seed, policy=policy)
    deployment = world.get(DEPLOYMENTS)
    held = template_digest(deployment["spec"]["template"]) != world.stable
    assert world.ready == "Governed", world.story()
    checks.given_back(world, paused=held or not policy)
    checks.recorded(world)
    checks.traffic_never_came_back(world)
    live = {version_of(body) for body in world.pods.sets_of(deployment) if world.pods.ready(body)}
    stable = next(
        version_of(body)
        for body in world.pods.sets_of(deployment)
        if template_digest(body["spec"]["template"]) == world.stable
    )
    assert stable in live
    if held:  # a change that stopped somebody's bypass half-way leaves pods of both
        assert world.state("Succeeded") in ("RolledBack", "Aborted")
    else:
        assert live == {stable}
    await checks.at_rest(world)


@pytest.mark.parametrize("verb", ["create", "update", "patch"])
async def test_what_the_api_server_refuses_stands_in_the_release_until_it_is_mended(verb: str) -> None:
    world = await World().start()
    kinds = {"create": "deployments", "update": "httproutes", "patch": "services"}

    def fault(request: Request, when: str) -> None:
        if when == "before" and request.verb == verb and request.resource.startswith(kinds[verb]):
            raise Refused(f"{request}: exceeded quota")

    world.api.fault = fault
    world.apply_template("2.0")
    await world.run(30)
    assert world.state() == "Refused"
    assert len(world.operator.refusals) in range(2, 9)
    world.api.fault = None
    await world.settled()
    assert world.state("Succeeded") == "Promoted"
    checks.given_back(world)
    checks.recorded(world)
    await checks.at_rest(world)
