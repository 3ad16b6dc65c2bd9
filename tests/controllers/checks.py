"""What must be true of a world when a release is over."""

from __future__ import annotations

from feem.api.audit import Part
from feem.core.digest import template_digest
from tests.world.bodies import NAME, NAMESPACE, route, service, template
from tests.world.deployments import DEPLOYMENTS
from tests.world.experiments import RUNS
from tests.world.traffic import ROUTES, SERVICES
from tests.world.world import World

KNOWN_OUTCOMES = {"Done", "Recovered", "Abandoned", "Failed"}


def given_back(world: World, *, paused: bool = False) -> None:
    """Nothing of a release is left: no canary, no pin, no weight; the Deployment is its owner's but for FEEM's own label."""
    for resource in (DEPLOYMENTS, SERVICES):
        assert world.get(resource, f"{NAME}-canary") is None, f"{resource} {NAME}-canary is left"
    for resource, wanted in ((SERVICES, service()), (ROUTES, route())):
        body = world.get(resource)
        if body is None:
            continue
        assert body["spec"] == wanted["spec"], resource
        assert not body["metadata"].get("annotations"), resource
        assert "feem" not in {item["manager"] for item in body["metadata"]["managedFields"]}, resource
    deployment = world.get(DEPLOYMENTS)
    if deployment is None:
        return
    assert bool(deployment["spec"].get("paused")) == paused
    assert set(deployment["spec"]) - {"paused"} == {"replicas", "selector", "strategy", "template"}
    assert deployment["metadata"]["labels"].keys() <= {"team", "feem.dev/governed"}
    assert deployment["metadata"].get("annotations", {}).keys() <= {"feem.dev/requested-by"}


def recorded(world: World) -> None:
    """The log is whole, and every intent has exactly one outcome."""
    report = world.audit()
    assert report.ok, report.findings
    assert not report.open_intents, [str(world.records[index]) for index in report.open_intents]
    assert {reason for reasons in world.outcomes().values() for reason in reasons} <= KNOWN_OUTCOMES


def runs(world: World, version: str) -> None:
    """Every pod of the Deployment runs this version, and FEEM calls it stable."""
    live = [body for body in world.pods.sets_of(world.get(DEPLOYMENTS)) if world.pods.ready(body)]
    assert [template_digest(body["spec"]["template"]) for body in live] == [template_digest(template(version))]
    assert world.stable == template_digest(template(version))


async def at_rest(world: World) -> None:
    """Another look at everything writes nothing."""
    before = len(world.api.requests)
    await world.operator.visit_all()
    world.restart()
    await world.operator.visit_all()
    extra = [str(request) for request in world.api.requests[before:] if request.verb != "get"]
    assert not extra, f"a settled world was written to: {extra}"


async def over(world: World, version: str, *, paused: bool = False) -> None:
    """All of the above."""
    given_back(world, paused=paused)
    recorded(world)
    runs(world, version)
    await at_rest(world)


def nothing_was_done_twice(world: World) -> None:
    """No effect of a subject was performed under two intents, unless the API server had refused it the first time."""
    by_index = {item.index: item for item in world.records}
    failed = {item.intent for item in world.records if item.reason == "Failed"}
    under: dict[tuple[str, str], set[int]] = {}
    for effect, intent in world.api.performed:
        if intent not in failed:
            under.setdefault((by_index[intent].subject.uid, effect), set()).add(intent)
    twice = {key: intents for key, intents in under.items() if len(intents) > 1}
    assert not twice, f"performed under more than one intent: {twice}"


def experiments_were_tried(world: World, names: tuple[str, ...]) -> None:
    """These runs were made, each once and by the release that asked for it, and all of them are over."""
    assert tuple(world.runs.begun) == names
    made = [effect for effect, _ in world.api.performed if effect.startswith("create ChaosRun ")]
    assert len(made) == len(set(made))
    assert set(made) <= {f"create ChaosRun {NAMESPACE}/{name}" for name in names}
    for name in names:
        body = world.get(RUNS, name)
        if body is not None:
            (owner,) = body["metadata"]["ownerReferences"]
            assert (owner["kind"], owner["name"]) == ("Release", body["spec"]["release"])
            assert body["status"]["completedAt"]
            assert not body["metadata"]["finalizers"]


def traffic_never_came_back(world: World) -> None:
    """Once a release is on its way back, its weight only falls, until it is over."""
    for record in world.records:
        if record.action != "RollBack" or record.part is not Part.INTENT:
            continue
        name, uid = record.subject.name, record.subject.uid
        over = next(
            (item.time for item in world.records if item.action == "ReleaseEnded" and item.subject.uid == uid), "~"
        )
        times = record.time[:19], over[:19]
        after = [
            each for at, marked, each in world.history if marked == name and times[0] < at.isoformat()[:19] < times[1]
        ]
        assert after == sorted(after, reverse=True), f"{name} went up again after it went back: {after}"
