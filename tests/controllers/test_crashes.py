"""The operator is killed, refused or left without an answer at every single write: the end is the same, and nothing is done twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from feem.api.audit import Part
from feem.ports import Conflict, Unavailable
from tests.controllers import checks
from tests.world.api import Request
from tests.world.bodies import Steps
from tests.world.deployments import DEPLOYMENTS
from tests.world.world import MANAGED, Crash, World

Script = list[tuple[Callable[[World], bool], Callable[[World], object]]]


def _fails(world: World) -> None:
    world.traffic.error_rates["2.0"] = 0.2


def _quiet(world: World) -> None:
    world.traffic.rate = 1


def _heals(world: World) -> None:
    world.traffic.error_rates.clear()
    world.decide("Retry")


@dataclass(frozen=True)
class Scenario:
    """What happens to a release of version 2.0, and how all shall be in the end."""

    script: Script
    version: str
    endings: tuple[str, ...]
    paused: bool = False
    policy: bool = True
    plan: dict[str, Any] = field(default_factory=dict)
    service: dict[str, Any] = field(default_factory=dict)
    steps: Steps = ((20, 1), (60, 1))
    results: tuple[tuple[str, str], ...] = ()
    """How the runs of the release's experiments end, by result and cause."""
    tried: tuple[str, ...] = ()
    """The runs there are in the end."""


OUTAGE: Steps = ((20, 1, "bureau-outage"), (60, 1))

SCENARIOS = {
    "good": Scenario([], "2.0", ("Promoted",)),
    "standing pause": Scenario([], "2.0", ("Promoted",), paused=True, policy=False),
    "bad": Scenario([(lambda w: w.step == 2, _fails)], "1.0", ("RolledBack",), paused=True),
    "never ready": Scenario(
        [(lambda _: True, lambda w: w.pods.never_ready.add("2.0"))], "1.0", ("RolledBack",), paused=True
    ),
    "aborted": Scenario([(lambda w: w.step == 2, lambda w: w.decide("Abort"))], "1.0", ("Aborted",), paused=True),
    "superseded": Scenario(
        [(lambda w: w.step == 2, lambda w: w.apply_template("3.0"))], "3.0", ("Superseded", "Promoted")
    ),
    "reverted": Scenario([(lambda w: w.step == 2, lambda w: w.apply_template("1.0"))], "1.0", ("Cancelled",)),
    "retried": Scenario(
        [(lambda w: w.step == 1, _fails), (lambda w: w.state() == "RolledBack", _heals)],
        "2.0",
        ("RolledBack", "Promoted"),
    ),
    "bypassed": Scenario([(lambda w: w.step == 2, lambda w: w.bypass())], "2.0", ("Bypassed",)),
    "deleted": Scenario([(lambda w: w.step == 2, lambda w: w.delete_service())], "1.0", (), paused=True),
    "watched": Scenario([], "2.0", ("Promoted",), plan={"watchSeconds": 4}),
    "undone": Scenario(
        [(lambda w: w.state() == "Watching", _fails)], "1.0", ("RolledBack",), plan={"watchSeconds": 600}
    ),
    "undone under a standing pause": Scenario(
        [(lambda w: w.state() == "Watching", _fails)],
        "1.0",
        ("RolledBack",),
        paused=True,
        policy=False,
        plan={"watchSeconds": 600},
    ),
    "undone and back again": Scenario(
        [
            (lambda w: w.state() == "Watching", _fails),
            (lambda w: w.state() == "RolledBack", lambda w: w.apply_template("2.0")),
            (lambda w: w.state("Held") == "Held", _heals),
            (lambda w: w.state() == "Watching", lambda w: w.decide("Abort")),
        ],
        "2.0",
        ("RolledBack", "Promoted"),
        plan={"watchSeconds": 600},
    ),
    "thin, promoted": Scenario(
        [(lambda _: True, _quiet)],
        "2.0",
        ("Promoted",),
        plan={"inconclusive": {"action": "Promote", "maxHoldSeconds": 3}},
    ),
    "thin, rolled back": Scenario(
        [(lambda _: True, _quiet)],
        "1.0",
        ("RolledBack",),
        paused=True,
        plan={"inconclusive": {"action": "Rollback", "maxHoldSeconds": 3}},
    ),
    "experiment passed": Scenario([], "2.0", ("Promoted",), steps=OUTAGE, tried=("scoring-2-s1",)),
    "experiment failed": Scenario(
        [],
        "1.0",
        ("RolledBack",),
        paused=True,
        steps=OUTAGE,
        results=(("Failed", "ObjectiveBreached"),),
        tried=("scoring-2-s1",),
    ),
    "experiment tried again": Scenario(
        [],
        "2.0",
        ("Promoted",),
        steps=OUTAGE,
        results=(("Skipped", "MetricsStale"),),
        tried=("scoring-2-s1", "scoring-2-s1-2"),
    ),
    "aborted in its experiment": Scenario(
        [(lambda w: w.state() == "Experimenting" and bool(w.runs.begun), lambda w: w.decide("Abort"))],
        "1.0",
        ("Aborted",),
        paused=True,
        steps=OUTAGE,
        tried=("scoring-2-s1",),
    ),
}


async def begun(scenario: Scenario) -> World:
    world = await World(policy=scenario.policy, steps=scenario.steps, **scenario.plan).start()
    world.script, world.runs.endings = list(scenario.script), list(scenario.results)
    world.apply_template("2.0")
    return world


async def forks(scenario: Scenario, when: str) -> list[tuple[Request, World]]:
    """Run a scenario once; at every write of the operator, take a world in which the operator died just before or after it."""
    world = await begun(scenario)
    found: list[tuple[Request, World]] = []

    def at_each(request: Request, moment: str) -> None:
        if moment == when:
            found.append((request, world.fork()))

    world.api.fault = at_each
    await finish(world, scenario)
    return found


async def finish(world: World, scenario: Scenario) -> None:
    if scenario.endings:
        await world.settled()
    else:
        await world.until(lambda w: w.get(MANAGED) is None)
        await world.run(3)


async def check(world: World, scenario: Scenario) -> None:
    """The end is the one the scenario knows, whatever happened on the way."""
    if scenario.endings:
        ended = [
            condition.reason
            for release in world.releases
            for condition in (release.status.conditions if release.status else ())
            if condition.type == "Succeeded"
        ]
        assert tuple(ended) == scenario.endings
        await checks.over(world, scenario.version, paused=scenario.paused)
    else:
        checks.given_back(world, paused=scenario.paused)
        checks.recorded(world)
        assert "feem.dev/governed" not in world.get(DEPLOYMENTS)["metadata"]["labels"]
    assert world.traffic.unanswered == 0
    checks.experiments_were_tried(world, scenario.tried)
    checks.nothing_was_done_twice(world)
    checks.traffic_never_came_back(world)


@pytest.mark.parametrize(
    ("name", "when"),
    [
        *((name, "after") for name in SCENARIOS),
        *(
            (name, "before")
            for name in ("good", "bad", "undone", "thin, promoted", "thin, rolled back", "experiment passed")
        ),
    ],
)
async def test_killed_at_each_write_the_release_ends_the_same(name: str, when: str) -> None:
    """Just after one write and just before the next is the same moment, but for those that begin a visit."""
    scenario = SCENARIOS[name]
    for request, world in await forks(scenario, when):
        try:
            await finish(world, scenario)
            await check(world, scenario)
        except AssertionError as failure:
            raise AssertionError(f"killed {when} write {request.number}, {request}:\n{failure}") from failure


def nth(number: int, when: str, problem: type[BaseException]) -> Callable[[Request, str], None]:
    def fault(request: Request, moment: str) -> None:
        if (request.number, moment) == (number, when):
            raise problem(f"injected {when} {request}")

    return fault


@pytest.mark.parametrize(
    ("name", "problem", "when"),
    [
        ("good", Conflict, "before"),
        ("superseded", Conflict, "before"),
        ("undone", Conflict, "before"),
        ("bad", Unavailable, "before"),
        ("deleted", Unavailable, "before"),
        ("good", Unavailable, "after"),
        ("superseded", Unavailable, "after"),
        ("undone", Unavailable, "after"),
        ("thin, promoted", Unavailable, "after"),
        ("experiment passed", Conflict, "before"),
        ("experiment failed", Unavailable, "after"),
    ],
)
async def test_refused_once_at_each_write_the_release_ends_the_same(
    name: str, problem: type[BaseException], when: str
) -> None:
    scenario = SCENARIOS[name]
    stride = 1 if name == "good" else 2
    for request, world in (await forks(scenario, "before"))[::stride]:
        if problem is Conflict and request.resource.startswith("auditrecords"):
            continue
        world.api.fault = nth(world.api.writes + 1, when, problem)
        try:
            await finish(world, scenario)
            await check(world, scenario)
        except AssertionError as failure:
            raise AssertionError(
                f"{problem.__name__} {when} write {request.number}, {request}:\n{failure}"
            ) from failure


@pytest.mark.parametrize("every", [2, 3, 5, 7])
@pytest.mark.parametrize("name", SCENARIOS)
async def test_killed_again_and_again_the_release_still_ends_the_same(name: str, every: int) -> None:
    scenario = SCENARIOS[name]
    world = await begun(scenario)

    def fault(request: Request, moment: str) -> None:
        if request.number % every == 0 and moment == ("before" if request.number % 2 else "after"):
            raise Crash

    world.api.fault = fault
    await finish(world, scenario)
    world.api.fault = None
    assert world.crashes > 2
    await check(world, scenario)


async def test_a_way_back_that_was_announced_is_taken_though_the_evidence_has_changed_by_then() -> None:
    scenario = SCENARIOS["bad"]
    cut = [world for request, world in await forks(scenario, "after") if "Intent RollBack" in request.name]
    assert len(cut) == 1
    world = cut[0]
    world.traffic.error_rates.clear()
    world.traffic.metrics_down = True
    await world.settled()
    await check(world, scenario)


async def test_facts_are_told_once_or_after_a_crash_at_most_twice() -> None:
    for _, world in await forks(SCENARIOS["good"], "after"):
        await world.settled()
        told: dict[str, int] = defaultdict(int)
        for record in world.records:
            if record.part is Part.FACT:
                told[record.action] += 1
        assert told["ReleaseEnded"] in (1, 2)
