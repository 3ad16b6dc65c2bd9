"""The operator is killed at every single write of a run: with a new one all ends the same, and with none the reaper leaves nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from feem.api.audit import Part
from tests.chaos.world.bodies import FAULTS
from tests.chaos.world.world import ChaosWorld
from tests.world.api import Request
from tests.world.world import Crash

ROWS: dict[tuple[str, str], list[str]] = {}


@pytest.fixture(scope="module", autouse=True)
def table() -> Iterator[None]:
    """Print what was tried: every point at which the operator died."""
    yield
    print("\nkilled at every write of a run, before and after it")
    print(f"{'fault':<16} {'when':<7} {'a new operator: ends well':>26} {'none: the reaper leaves nothing':>32}")
    for (fault, when), cells in sorted(ROWS.items()):
        print(f"{fault:<16} {when:<7} {cells[0]:>26} {cells[-1]:>32}")


async def worlds(fault: str, when: str) -> list[tuple[Request, ChaosWorld]]:
    """Let one run go through; at every write, take a world in which the operator died just then."""
    world = ChaosWorld(fault)
    world.ask()
    found: list[tuple[Request, ChaosWorld]] = []

    def at_each(request: Request, moment: str) -> None:
        if moment == when:
            found.append((request, world.fork()))

    world.api.fault = at_each
    await world.ended()
    assert world.result() == ("Passed", "HypothesisHeld"), world.story()
    assert world.state() == world.before
    return found


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_the_next_operator_finishes_a_run_that_the_last_one_began(fault: str, when: str) -> None:
    points = await worlds(fault, when)
    for request, world in points:
        world.restart()
        await world.ended()
        assert world.result() in (("Passed", "HypothesisHeld"), ("Aborted", "TakenBack")), f"{request}: {world.story()}"
        assert world.residue() == [], request
        assert world.state() == world.before, request
        assert all(len(reasons) == 1 for reasons in world.outcomes().values()), f"{request}: {world.outcomes()}"
        ends = [record for record in world.records if record.action == "ChaosRunEnded" and record.part is Part.FACT]
        assert 1 <= len(ends) <= 2, request
    ROWS.setdefault((fault, when), []).append(f"{len(points)} of {len(points)}")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_without_any_operator_the_reaper_leaves_nothing_once_the_fault_has_expired(fault: str, when: str) -> None:
    points = await worlds(fault, when)
    dirty = 0
    for request, world in points:
        dirty += bool(world.residue())
        await world.run(60)
        await world.reap()
        assert world.residue() == [], f"{request}: {world.residue()}"
        await world.run(3)
        assert world.state() == world.before, request
    assert dirty or fault in ("kill", "evict")
    ROWS.setdefault((fault, when), []).append(f"{len(points)} of {len(points)}")


@pytest.mark.parametrize("fault", FAULTS)
async def test_it_survives_an_operator_that_dies_at_each_of_its_writes_in_turn(fault: str) -> None:
    world, seen = ChaosWorld(fault), set[str]()
    world.ask()

    def once_each(request: Request, moment: str) -> None:
        what = re.sub(r"[0-9]{6,}", "", str(request))
        if moment == "after" and what not in seen:
            seen.add(what)
            raise Crash

    world.api.fault = once_each
    await world.ended()
    assert world.residue() == []
    assert world.state() == world.before
    assert world.crashes > 5
