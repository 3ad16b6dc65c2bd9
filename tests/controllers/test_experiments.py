"""Experiments on canaries, and on services that a release waits for, in a whole cluster."""

from __future__ import annotations

from typing import Any, cast

import pytest

from feem.adapters.kubernetes.client import Client
from feem.adapters.kubernetes.cluster import KubernetesCluster
from feem.adapters.kubernetes.store import Store
from feem.api.audit import Part
from feem.api.run import ChaosRun
from feem.controllers.routing import SERVICE, targets
from feem.core.conditions import find
from tests.controllers import checks
from tests.world import bodies
from tests.world.bodies import NAME, NAMESPACE, Steps
from tests.world.experiments import RUNS
from tests.world.traffic import ROUTES
from tests.world.world import World

OUTAGE = "bureau-outage"
STEPS: Steps = ((20, 2, OUTAGE), (60, 2))
FIRST = "scoring-2-s1"


async def trying(steps: Steps = STEPS, **options: Any) -> World:
    """A world in which a release's experiment is under way."""
    world = await begun(steps, **options)
    return await world.until(lambda w: w.state() == "Experimenting" and bool(w.runs.begun))


async def begun(steps: Steps = STEPS, **options: Any) -> World:
    world = await World(steps=steps, **options).start()
    world.apply_template("2.0")
    return world


def in_place(world: World, name: str) -> bool:
    body = world.get(RUNS, name)
    run = ChaosRun.read(body) if body is not None else None
    found = find(run.status.conditions, "FaultInPlace") if run is not None and run.status is not None else None
    return found is not None and found.status == "True"


def causes(world: World) -> list[tuple[str, str]]:
    return [(body["metadata"]["name"], body["status"]["cause"]) for body in world.api.list(RUNS)]


def told(world: World, reason: str) -> list[bool]:
    return [warning for _, why, _, warning in world.operator.notes.said if why == reason]


async def test_the_canary_keeps_its_weight_while_its_experiment_is_tried_and_goes_on_when_it_is_passed() -> None:
    world = await trying()
    world.runs.seconds = 8
    await world.run(5)
    assert (world.state(), world.weight, world.step) == ("Experimenting", 20, 1)
    await world.settled()
    assert world.state("Succeeded") == "Promoted"
    assert [weight for weight in dict.fromkeys(world.traffic.weights) if weight] == [20, 60, 100]
    assert told(world, "Experimenting") == [False]
    checks.experiments_were_tried(world, (FIRST,))
    await checks.over(world, "2.0")


async def test_every_step_has_its_own_experiment_also_the_last() -> None:
    world = await begun(((20, 1, OUTAGE), (60, 1, "node-outage")))
    await world.settled()
    assert world.state("Succeeded") == "Promoted"
    checks.experiments_were_tried(world, (FIRST, "scoring-2-s2"))
    assert {body["spec"]["experiment"] for body in world.api.list(RUNS)} == {OUTAGE, "node-outage"}


async def test_a_canary_that_does_not_survive_is_rolled_back_and_the_record_says_why() -> None:
    world = await begun()
    world.runs.endings = [("Failed", "ObjectiveBreached")]
    await world.settled()
    (back,) = [item for item in world.records if item.action == "RollBack" and item.part is Part.INTENT]
    assert back.reason == "ChaosFailed"
    assert "it ended because of ObjectiveBreached" in back.message
    assert max(world.traffic.weights) == 20
    await checks.over(world, "1.0", paused=True)


async def test_what_tells_nothing_is_tried_three_times_and_then_people_decide() -> None:
    world = await begun()
    world.runs.endings = [("Skipped", "MetricsStale")] * 4
    await world.run(400)
    assert world.runs.begun == [FIRST, f"{FIRST}-2", f"{FIRST}-3"]
    assert (world.state(), world.weight) == ("ExperimentInconclusive", 20)
    assert set(told(world, "ExperimentInconclusive")) == {True}
    world.decide("Promote")
    await world.settled()
    assert world.state("Succeeded") == "Promoted"
    (promoted,) = [item for item in world.records if item.action == "Promote" and item.part is Part.INTENT]
    assert promoted.reason == "PromoteDecision"


async def test_while_it_holds_nothing_is_written_again_and_again() -> None:
    world = await begun()
    world.runs.endings = [("Error", "FaultHadNoEffect")]
    await world.until(lambda w: w.state() == "ExperimentInconclusive")
    await world.run(3)
    before = world.writes
    await world.run(25)
    assert world.writes == before


async def test_who_promotes_in_an_experiment_waits_until_its_fault_is_gone() -> None:
    world = await trying()
    world.runs.seconds = 100
    world.decide("Promote")
    await world.tick()
    assert (world.state(), world.weight, in_place(world, FIRST)) == ("WaitingForChaos", 20, True)
    await world.until(lambda w: w.weight == 100)
    assert not in_place(world, FIRST)
    await world.settled()
    assert (world.state("Succeeded"), causes(world)) == ("Promoted", [(FIRST, "ReleaseWaits")])


async def test_a_release_that_goes_back_ends_its_experiment() -> None:
    world = await trying()
    world.runs.seconds = 100
    world.traffic.error_rates["2.0"] = 0.2
    await world.settled()
    assert world.state("Succeeded") == "RolledBack"
    assert causes(world) == [(FIRST, "ReleaseEnded")]
    await checks.over(world, "1.0", paused=True)


async def test_a_release_waits_for_a_fault_on_the_service_and_begins_when_it_is_undone() -> None:
    world = await World(steps=STEPS).start()
    world.runs.seconds = 100
    world.try_on_stable("by-hand", OUTAGE)
    await world.run(2)
    assert in_place(world, "by-hand")
    world.apply_template("2.0")
    await world.tick()
    assert world.state() == "WaitingForChaos"
    assert world.get("deployments.apps", f"{NAME}-canary") is None
    for _ in range(6):
        assert not (in_place(world, "by-hand") and world.get("deployments.apps", f"{NAME}-canary"))
        await world.tick()
    assert causes(world)[0] == ("by-hand", "ReleaseWaits")
    world.runs.seconds = 2
    await world.settled()
    assert world.state("Succeeded") == "Promoted"


async def test_a_release_that_gates_hold_lets_experiments_on_the_service_go_on() -> None:
    world = await World(steps=STEPS).start()
    world.freeze(hours=0.02)
    world.apply_template("2.0")
    await world.until(lambda w: w.state() == "Waiting")
    world.try_on_stable("by-hand", OUTAGE)
    await world.run(10)
    assert causes(world) == [("by-hand", "HypothesisHeld")]


async def test_a_missing_experiment_holds_until_somebody_creates_it() -> None:
    world = await World(steps=((20, 2, OUTAGE), (60, 2))).start()
    world.api.delete("chaosexperiments.feem.dev", NAMESPACE, OUTAGE, "team")
    world.apply_template("2.0")
    await world.until(lambda w: w.state() == "ExperimentMissing")
    await world.run(5)
    assert (world.state(), world.weight) == ("ExperimentMissing", 20)
    world.add_experiment(OUTAGE)
    await world.settled()
    assert world.state("Succeeded") == "Promoted"


@pytest.mark.parametrize("how", ["Pause", "freeze"])
async def test_a_paused_or_frozen_release_tries_nothing(how: str) -> None:
    world = await begun(((20, 4, OUTAGE), (60, 2)))
    await world.until(lambda w: w.step == 1)
    if how == "Pause":
        world.decide("Pause")
    else:
        world.freeze()
    await world.run(15)
    assert (world.state(), world.runs.begun) == ("Paused" if how == "Pause" else "Waiting", [])
    if how == "Pause":
        world.decide("Resume")
    else:
        world.thaw()
    await world.settled()
    checks.experiments_were_tried(world, (FIRST,))


async def test_an_experiment_counts_for_the_weight_at_which_it_was_tried() -> None:
    """The owner's `kubectl apply` takes the weight away: the step begins anew, and so does what it has to prove."""
    world = await trying(((20, 4, OUTAGE), (60, 2)))
    world.decide("Pause")
    await world.until(lambda w: not in_place(w, FIRST))
    world.reapply_route()
    await world.run(4)
    world.decide("Resume")
    await world.settled()
    assert world.state("Succeeded") == "Promoted"
    checks.experiments_were_tried(world, (FIRST, f"{FIRST}-2"))
    assert world.get(ROUTES)["spec"] == bodies.route()["spec"]


async def test_the_drill_gate_opens_as_soon_as_the_service_has_passed_the_experiment() -> None:
    gate = {"name": "outage", "stage": "Start", "drill": {"experiment": OUTAGE, "withinDays": 1}}
    world = await World(steps=((20, 1), (60, 1)), profile=bodies.profile([gate])).start()
    world.add_experiment(OUTAGE)
    world.apply_template("2.0")
    await world.until(lambda w: w.state() == "Waiting")
    world.runs.endings = [("Failed", "ObjectiveBreached")]
    world.try_on_stable("first", OUTAGE)
    await world.run(10)
    assert world.state() == "Waiting"
    world.try_on_stable("second", OUTAGE)
    await world.settled()
    assert world.state("Succeeded") == "Promoted"
    status = world.last.status
    assert status is not None
    (said,) = [item for item in status.gates if item.name == "outage"]
    assert (said.outcome, said.reason) == ("Passed", "DrillRecent")
    assert "ChaosRun second" in said.message


@pytest.mark.parametrize(
    ("spec", "status", "services"),
    [
        ({}, None, []),
        ({}, {}, []),
        ({}, {"terms": {"service": "scoring"}}, ["scoring"]),
        ({"release": "scoring-4"}, None, ["limits"]),
        ({"release": "scoring-4"}, {"terms": {"service": "limits"}}, ["limits"]),
        ({"release": "scoring-4"}, {"terms": {"service": "scoring"}}, ["scoring", "limits"]),
        ({"release": "gone"}, {"terms": {"service": "scoring"}}, ["scoring"]),
        ({"release": "gone"}, None, []),
    ],
)
def test_a_run_concerns_the_service_whose_pods_it_is_on(spec: dict[str, str], status: Any, services: list[str]) -> None:
    store = Store()
    release = {"metadata": {"name": "scoring-4", "namespace": NAMESPACE, "uid": "1"}, "spec": {"service": "limits"}}
    store.put("releases.feem.dev", release)
    body = {"metadata": {"name": "run", "namespace": NAMESPACE}, "spec": {"experiment": OUTAGE, **spec}}
    if status is not None:
        body["status"] = status
    found = targets(KubernetesCluster(cast("Client", None), store), RUNS, body)
    assert [target for target in found if target[0] == SERVICE] == [(SERVICE, NAMESPACE, name) for name in services]
