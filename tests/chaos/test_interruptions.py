"""Whoever interrupts a run whose fault is in place: the right result and nothing left, also when the operator dies then."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest

from feem.ports import Refused, Unavailable
from tests.chaos.world.world import DEPLOYMENTS, HALTS, RUNS, ChaosWorld
from tests.world.api import CONTROLLER, Request
from tests.world.bodies import NAME, NAMESPACE

Happens = Callable[[ChaosWorld], object]


def _stop(world: ChaosWorld) -> None:
    body = copy.deepcopy(world.api.get(RUNS, NAMESPACE, "try-it-1"))
    assert body is not None
    body["spec"]["stop"] = {"by": "admin", "reason": "seen enough"}
    world.api.update(RUNS, body, "admin")


def _halt(world: ChaosWorld) -> None:
    world.api.create(HALTS, {"metadata": {"name": "halt"}, "spec": {"reason": "an incident", "by": "admin"}}, "admin")


def _freeze(world: ChaosWorld) -> None:
    spec = {
        "type": "Freeze",
        "reason": "period end",
        "timeZone": "UTC",
        "range": {"start": "2026-03-02T00:00", "end": "2026-03-03T00:00"},
    }
    world.api.create("changewindows.feem.dev", {"metadata": {"name": "freeze"}, "spec": spec}, "admin")


def _delete_run(world: ChaosWorld) -> None:
    world.api.delete(RUNS, NAMESPACE, "try-it-1", "admin")


def _replace(world: ChaosWorld) -> None:
    body = copy.deepcopy(world.api.get(DEPLOYMENTS, NAMESPACE, NAME))
    assert body is not None
    world.api.delete(DEPLOYMENTS, NAMESPACE, NAME, "admin")
    new = {key: value for key, value in body.items() if key != "status"}
    new["metadata"] = {"namespace": NAMESPACE, "name": NAME}
    world.api.create(DEPLOYMENTS, new, "admin")


HAPPENS: dict[str, tuple[Happens, tuple[str, str] | None]] = {
    "a breach": (lambda world: world.metrics.fail(0.5), ("Failed", "ObjectiveBreached")),
    "a person": (_stop, ("Aborted", "Stopped")),
    "the switch": (_halt, ("Aborted", "Halted")),
    "a freeze": (_freeze, ("Aborted", "ChangeFreeze")),
    "deletion": (_delete_run, None),
    "no metrics": (lambda world: setattr(world.metrics, "down", True), ("Aborted", "MetricsLost")),
}
LONG = {"pods": 1, "durationSeconds": 300}


async def running(fault: str = "partition") -> ChaosWorld:
    """A world whose fault has been in place for a moment."""
    world = ChaosWorld(fault, blastRadius=LONG)
    world.ask()
    await world.until(lambda one: bool(one.residue()) or one.before != one.state())
    return await world.run(3)


def heal(world: ChaosWorld) -> None:
    world.metrics.fail(0.0)
    world.metrics.down = False


@pytest.mark.parametrize("fault", ["scale", "partition", "cpu"])
@pytest.mark.parametrize("what", HAPPENS)
async def test_the_fault_goes_and_the_result_says_why(what: str, fault: str) -> None:
    world, (happens, result) = await running(fault), HAPPENS[what]
    happens(world)
    await world.until(lambda one: not one.residue(), limit=90)
    heal(world)
    await world.ended()
    assert world.state() == world.before
    assert result is None or world.result() == result


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("what", [name for name in HAPPENS if name != "no metrics"])
async def test_it_is_the_same_when_the_operator_dies_at_any_write_of_the_way_back(what: str, when: str) -> None:
    happens, result = HAPPENS[what]
    world = await running()
    found: list[tuple[Request, ChaosWorld]] = []

    def at_each(request: Request, moment: str) -> None:
        if moment == when:
            found.append((request, world.fork()))

    world.api.fault = at_each
    happens(world)
    await world.until(lambda one: not one.residue(), limit=90)
    heal(world)
    await world.ended()
    assert len(found) > 6
    for request, fork in found:
        heal(fork)
        fork.restart()
        await fork.ended()
        assert fork.residue() == [], request
        assert fork.state() == fork.before, request
        assert all(len(reasons) == 1 for reasons in fork.outcomes().values()), request
        if result is not None and what != "a breach":
            assert fork.result() in (result, ("Aborted", "TakenBack")), f"{request}: {fork.story()}"


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("fault", ["kill", "fail", "scale", "partition", "abort", "cpu"])
async def test_answers_that_are_lost_once_each_change_nothing(fault: str, when: str) -> None:
    """An API server that restarts, or a load balancer that drops connections, in the midst of a run."""
    world, failed = ChaosWorld(fault), set[str]()
    world.ask()

    def once_each(request: Request, moment: str) -> None:
        if moment == when and str(request) not in failed and not request.resource.startswith("auditrecords"):
            failed.add(str(request))
            raise Unavailable("the connection was reset")

    world.api.fault = once_each
    await world.ended()
    assert world.result() == ("Passed", "HypothesisHeld"), world.story()
    assert world.state() == world.before
    assert len(failed) >= 5


async def test_a_replaced_deployment_is_another_one_and_stays_as_it_is() -> None:
    world = await running("scale")
    _replace(world)
    await world.ended()
    assert world.result() == ("Aborted", "TargetReplaced")
    new = world.api.get(DEPLOYMENTS, NAMESPACE, NAME)
    assert new is not None
    assert new["spec"]["replicas"] == 2, "what its owner wrote"


async def test_what_people_write_meanwhile_stays_and_is_named() -> None:
    world = await running("scale")
    body = copy.deepcopy(world.api.get(DEPLOYMENTS, NAMESPACE, NAME))
    assert body is not None
    body["spec"]["replicas"] = 5
    world.api.update(DEPLOYMENTS, body, "admin")
    _stop(world)
    await world.ended()
    run, after = world.chaos_run(), world.api.get(DEPLOYMENTS, NAMESPACE, NAME)
    assert run is not None
    assert run.status is not None
    assert after is not None
    assert after["spec"]["replicas"] == 5
    assert world.residue() == []
    assert run.status.kept == [
        f"/spec/replicas of Deployment {NAMESPACE}/{NAME} was changed by somebody else meanwhile, and left so"
    ]


async def test_a_fault_that_does_not_show_proves_nothing() -> None:
    world = ChaosWorld("partition")
    world.blind = True
    world.ask()
    await world.ended()
    assert world.result() == ("Error", "FaultHadNoEffect")
    assert world.state() == world.before


async def test_a_service_that_does_not_recover_has_failed() -> None:
    world = ChaosWorld("scale")
    world.ask()
    await world.until(
        lambda one: (
            "Undone" in one.story() or (not one.residue() and one.before == one.state() and len(one.records) > 3)
        )
    )
    world.metrics.fail(0.5)
    await world.ended()
    assert world.result()[0] == "Failed"


async def test_the_reaper_takes_back_what_an_operator_that_sleeps_too_long_has_left_and_it_notices() -> None:
    world = await running("scale")
    operator, world.operator = world.operator, None
    await world.run(400)
    assert await world.reap() == 1
    await world.run(1)
    assert world.state() == world.before
    world.operator = operator
    await world.ended()
    assert world.state() == world.before
    assert world.result()[0] in ("Passed", "Aborted")


async def test_the_switch_works_without_any_operator() -> None:
    world = await running("partition")
    world.operator = None
    _halt(world)
    await world.run(3)
    assert await world.reap() > 0
    assert world.residue() == []


async def test_pods_that_kubernetes_replaces_meanwhile_need_nothing() -> None:
    world = await running("partition")
    for body in list(world.api.list("pods")):
        if "feem.dev/chaos" in (body["metadata"].get("labels") or {}):
            world.api.delete("pods", NAMESPACE, body["metadata"]["name"], CONTROLLER)
    _stop(world)
    await world.ended()
    assert world.residue() == []
    assert world.result() == ("Aborted", "Stopped")


@pytest.mark.parametrize("many", [2, 30])
async def test_an_object_whose_undo_is_refused_does_not_keep_the_others(many: int) -> None:
    """With thirty pods the undo has several parts in the audit log, and the refused one is in the first or the last of them."""
    world = ChaosWorld("partition", blastRadius={"pods": many, "durationSeconds": 300})
    deployment = copy.deepcopy(world.api.get(DEPLOYMENTS, NAMESPACE, NAME))
    assert deployment is not None
    deployment["spec"]["replicas"] = many + 1
    world.api.update(DEPLOYMENTS, deployment, "team")
    await world.run(3)
    world.ask()
    await world.until(lambda one: len(one.residue()) == many + 1)
    pods = [one for one in world.residue() if one.startswith("pods ")]
    for stuck in (pods[0], pods[-1]):

        def refuse(request: Request, moment: str, stuck: str = stuck) -> None:
            if moment == "before" and request.verb == "patch" and f"{request.resource} {request.name}" == stuck:
                raise Refused(f"{stuck} may not be written")

        fork = world.fork()
        fork.restart()
        fork.api.fault = refuse
        _stop(fork)
        await fork.until(lambda one: len(one.residue()) == 1)
        assert fork.residue() == [stuck]
        assert "UndoRefused" in fork.story()
        fork.api.fault = None
        await fork.ended()
        assert fork.residue() == []
        assert fork.result() == ("Aborted", "Stopped")
