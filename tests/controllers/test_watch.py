"""After the promotion: what a watched version can meet, and how a bad one is taken back and kept away."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from feem.api.audit import Part
from feem.core.conditions import find
from tests.controllers import checks
from tests.world.deployments import DEPLOYMENTS, REPLICA_SETS, version_of
from tests.world.world import DECISIONS, MANAGED, World

WATCH = 30


async def watched(version: str = "2.0", *, policy: bool = True, seconds: int = WATCH) -> World:
    """A world in which a good version was promoted and is watched."""
    world = await World(policy=policy, watchSeconds=seconds).start()
    world.apply_template(version)
    return await world.until(lambda w: w.state() == "Watching")


async def undone(*, policy: bool = True) -> World:
    """A world in which a version turned bad after its promotion and was taken back."""
    world = await watched(policy=policy)
    world.traffic.error_rates["2.0"] = 0.2
    await world.settled()
    world.traffic.error_rates.clear()
    return world


def ended(world: World) -> list[tuple[str, str]]:
    return world.operator.figures.ended


def warnings(world: World) -> list[str]:
    """What people were warned of about the release."""
    name = world.last.metadata.name
    return [reason for about, reason, _, warning in world.operator.notes.said if warning and about == name]


async def test_a_good_version_is_watched_and_then_complete() -> None:
    world = await watched()
    checks.given_back(world)
    assert (world.state("Succeeded"), ended(world)) == ("Promoted", [])
    begun = world.clock.now()
    await world.settled()
    status = world.last.status
    assert status is not None
    assert status.promoted_at is not None
    assert status.completed_at is not None
    assert (status.completed_at - status.promoted_at).total_seconds() == WATCH
    assert (world.clock.now() - begun).total_seconds() > WATCH / 2
    assert ended(world) == [(world.last.metadata.name, "Promoted")]
    assert world.traffic.unanswered == 0
    await checks.over(world, "2.0")


async def test_without_a_watch_the_release_is_complete_at_once() -> None:
    world = await World().start()
    world.apply_template("2.0")
    await world.until(lambda w: w.state() == "Promoted")
    assert "Watching" not in [reason for _, reason, _, _ in world.operator.notes.said]


@pytest.mark.parametrize("policy", [True, False])
async def test_a_version_that_turns_bad_is_taken_back_and_no_request_is_lost(*, policy: bool) -> None:
    world = await undone(policy=policy)
    assert (world.state("Succeeded"), world.state("Held")) == ("RolledBack", "Undone")
    (intent,) = [item for item in world.records if item.action == "Undo" and item.part is Part.INTENT]
    assert (intent.reason, bool(intent.evidence)) == ("BurnsTooFast", True)
    assert ended(world) == [(world.last.metadata.name, "RolledBack")]
    assert warnings(world) == ["Undoing", "RolledBack"]
    assert world.last.status is not None
    assert world.last.status.evidence
    assert world.traffic.unanswered == 0
    await checks.over(world, "1.0", paused=not policy)


async def test_while_the_way_back_rolls_another_change_is_refused() -> None:
    world = await watched()
    world.traffic.error_rates["2.0"] = 0.2
    await world.until(lambda w: w.state() == "Undoing")
    with pytest.raises(Exception, match="is being promoted"):
        world.apply_template("3.0")
    await world.settled()
    await checks.over(world, "1.0")


@pytest.mark.parametrize("policy", [True, False])
async def test_a_version_that_was_taken_back_is_held_when_it_comes_again(*, policy: bool) -> None:
    world = await undone(policy=policy)
    world.apply_template("2.0", by="gitops")
    await world.run(20)
    assert len(world.releases) == 1
    assert (world.state("Held"), world.state("Succeeded")) == ("Held", "RolledBack")
    await checks.over(world, "1.0", paused=True)
    world.apply_template("1.0")
    await world.run(5)
    assert world.state("Held") == "Undone"
    world.apply_template("2.0", by="gitops")
    await world.run(5)
    assert (world.state("Held"), len(world.releases)) == ("Held", 1)


async def test_a_version_that_was_taken_back_is_held_also_after_another_was_released() -> None:
    world = await undone()
    world.apply_template("3.0")
    await world.settled()
    assert world.state("Succeeded") == "Promoted"
    world.apply_template("2.0")
    await world.run(20)
    assert len(world.releases) == 2
    await checks.over(world, "3.0", paused=True)


async def test_retry_releases_a_version_that_was_taken_back() -> None:
    world = await undone()
    first = world.last.metadata.name
    world.decide("Retry")
    await world.run(3)
    assert len(world.releases) == 1, "nothing is held yet, so there is nothing to try again"
    world.api.delete(DECISIONS, "lending", "retry-001", "pipeline")
    world.apply_template("2.0")
    await world.run(3)
    world.decide("Retry", first)
    await world.until(lambda w: len(w.releases) == 2)
    await world.settled()
    assert (world.last.spec.attempt, world.state("Succeeded")) == (2, "Promoted")
    await checks.over(world, "2.0")


ENDS: dict[str, tuple[Callable[[World], object], str]] = {
    "a newer change": (lambda w: w.apply_template("3.0"), "3.0"),
    "the earlier version": (lambda w: w.apply_template("1.0"), "1.0"),
    "an abort": (lambda w: w.decide("Abort"), "2.0"),
}


@pytest.mark.parametrize("name", ENDS)
async def test_what_people_do_ends_the_watch_at_once(name: str) -> None:
    act, version = ENDS[name]
    world = await watched(seconds=1000)
    act(world)
    await world.run(2)
    first = world.releases[0].status
    assert first is not None
    assert first.completed_at is not None
    found = find(first.conditions, "Progressing")
    assert found is not None
    assert (found.reason, "the watch ended" in found.message) == ("Promoted", True)
    if version != "2.0":
        await world.until(lambda w: len(w.releases) == 2)
        await world.until(lambda w: w.state() == "Watching")
        world.decide("Abort")
    await world.settled()
    assert world.traffic.unanswered == 0
    await checks.over(world, version)


async def test_deleting_the_service_ends_the_watch() -> None:
    world = await watched(seconds=1000)
    world.delete_service()
    await world.until(lambda w: w.get(MANAGED) is None, 10)
    await world.run(3)
    checks.given_back(world)
    checks.recorded(world)


async def test_deleting_the_release_ends_the_watch() -> None:
    world = await watched(seconds=1000)
    world.api.delete("releases.feem.dev", "lending", world.last.metadata.name, "pipeline")
    await world.until(lambda w: not w.releases, 10)
    await world.run(3)
    await checks.over(world, "2.0")


async def test_missing_metrics_change_nothing_in_a_watch() -> None:
    world = await watched()
    world.traffic.metrics_down = True
    world.traffic.error_rates["2.0"] = 0.2
    await world.settled()
    assert world.state("Succeeded") == "Promoted"
    await checks.over(world, "2.0")


async def test_a_pause_does_not_stop_the_watch() -> None:
    world = await watched()
    world.decide("Pause")
    world.traffic.error_rates["2.0"] = 0.2
    await world.settled()
    assert world.state("Succeeded") == "RolledBack"
    await checks.over(world, "1.0")


async def test_without_its_earlier_replica_set_a_bad_version_stays_and_people_are_told_once() -> None:
    world = await watched()
    (old,) = [body for body in world.api.list(REPLICA_SETS) if version_of(body) == "1.0"]
    world.api.delete(REPLICA_SETS, "lending", old["metadata"]["name"], "kube-controller-manager")
    world.traffic.error_rates["2.0"] = 0.2
    await world.until(lambda w: w.state() == "CannotUndo")
    before = world.api.version
    await world.run(5)
    assert world.api.version == before
    assert warnings(world) == ["CannotUndo"]
    await world.settled()
    assert world.state("Succeeded") == "Promoted"
    found = find(world.last.status.conditions, "Progressing") if world.last.status else None
    assert found is not None
    assert "could not be undone" in found.message
    await checks.over(world, "2.0")


async def test_a_way_back_that_makes_no_progress_says_so_and_can_be_given_up() -> None:
    world = await World(watchSeconds=WATCH).start()
    world.change(DEPLOYMENTS, lambda body: body["spec"].update(progressDeadlineSeconds=10))
    world.apply_template("2.0")
    await world.until(lambda w: w.state() == "Watching")
    world.traffic.error_rates["2.0"] = 0.2
    world.pods.never_ready.add("1.0")
    await world.until(lambda w: w.state() == "UndoStuck")
    world.decide("Abort")
    world.traffic.error_rates.clear()
    world.pods.never_ready.clear()
    world.pods.heal()
    await world.settled()
    world.change(DEPLOYMENTS, lambda body: body["spec"].pop("progressDeadlineSeconds"))
    await world.run(2)
    assert world.state("Succeeded") == "RolledBack"
    await checks.over(world, "1.0")


async def test_a_concurrent_edit_of_something_else_delays_the_way_back_and_does_not_lose_it() -> None:
    world = await watched()
    world.script = [(lambda w: w.state() == "Watching", lambda w: w.scale(5))]
    world.traffic.error_rates["2.0"] = 0.2
    await world.settled()
    assert world.state("Succeeded") == "RolledBack"
    assert world.get(DEPLOYMENTS)["spec"]["replicas"] == 5
    checks.recorded(world)
