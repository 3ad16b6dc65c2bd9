"""Whole releases in a simulated cluster: what people, pods, gateways and metrics can do to one, and how the world looks after."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.controllers import checks
from tests.world.bodies import deployment, managed, route, service
from tests.world.deployments import DEPLOYMENTS
from tests.world.traffic import ROUTES, SERVICES
from tests.world.world import DECISIONS, MANAGED, World

Stage = Callable[[World], bool]

STAGES: dict[str, Stage] = {
    "requested": lambda w: bool(w.releases),
    "starting": lambda w: w.state() == "StartingCanary",
    "step 1": lambda w: w.step == 1,
    "baking 2": lambda w: w.step == 2 and w.state() == "Baking",
    "starting 3": lambda w: w.step == 2 and w.state() == "StartingCanary",
    "step 3": lambda w: w.step == 3,
    "promotion": lambda w: w.step == 4,
    "rolling": lambda w: w.state() == "RollingUpdate",
    "cleaning": lambda w: w.state() == "CleaningUp",
}
BEFORE_PROMOTION = [name for name in STAGES if name not in ("promotion", "rolling", "cleaning")]


async def releasing(stage: str, version: str = "2.0", **options: object) -> World:
    """A world in the middle of a release."""
    world = await World(**options).start()  # type: ignore[arg-type]
    world.apply_template(version)
    return await world.until(STAGES[stage])


async def test_a_good_version_reaches_everybody_and_no_request_fails() -> None:
    world = await World().start()
    world.apply_template("2.0")
    await world.settled()
    assert world.state("Succeeded") == "Promoted"
    assert world.traffic.unanswered == 0
    assert [weight for weight in dict.fromkeys(world.traffic.weights) if weight] == [10, 30, 60, 100]
    assert world.last.spec.requested_by == "pipeline"
    await checks.over(world, "2.0")


async def test_a_good_release_stays_within_sixty_requests() -> None:
    world = await World().start()
    before = len(world.api.requests)
    world.apply_template("2.0")
    await world.settled()
    made = [str(request) for request in world.api.requests[before:]]
    assert len(made) <= 60, "\n".join(made)


@pytest.mark.parametrize("step", [1, 2, 3])
async def test_a_version_that_fails_in_a_step_goes_back_and_is_held(step: int) -> None:
    world = await releasing("starting")
    await world.until(lambda w: w.step == step)
    world.traffic.error_rates["2.0"] = 0.2
    await world.settled()
    assert world.state("Succeeded") == "RolledBack"
    assert world.state("Held") == "Held"
    assert max(world.traffic.weights) == [10, 30, 60][step - 1]
    assert world.traffic.unanswered == 0
    await checks.over(world, "1.0", paused=True)


async def test_a_canary_that_never_becomes_ready_is_rolled_back_without_any_traffic() -> None:
    world = await World().start()
    world.pods.never_ready.add("2.0")
    world.apply_template("2.0")
    await world.settled()
    assert world.state("Succeeded") == "RolledBack"
    assert world.traffic.answers["2.0"] == 0
    await checks.over(world, "1.0", paused=True)


@pytest.mark.parametrize("stage", BEFORE_PROMOTION)
async def test_a_newer_change_supersedes_a_release_and_gets_its_own(stage: str) -> None:
    world = await releasing(stage)
    world.apply_template("3.0")
    await world.settled()
    assert [item.spec.deployment_generation for item in world.releases] == [2, 3]
    first = world.releases[0].status
    assert first is not None
    assert [item.reason for item in first.conditions if item.type == "Succeeded"] == ["Superseded"]
    assert world.state("Succeeded") == "Promoted"
    assert world.traffic.unanswered == 0
    await checks.over(world, "3.0")


@pytest.mark.parametrize("stage", BEFORE_PROMOTION)
async def test_a_return_to_stable_cancels(stage: str) -> None:
    world = await releasing(stage)
    world.apply_template("1.0")
    await world.settled()
    assert world.state("Succeeded") == "Cancelled"
    assert world.state("Held") == "Reverted"
    assert world.traffic.unanswered == 0
    await checks.over(world, "1.0")


@pytest.mark.parametrize("stage", ["cleaning"])
async def test_a_change_in_the_clean_up_after_promotion_is_released_from_the_new_stable(stage: str) -> None:
    world = await releasing(stage)
    await world.until(lambda w: "feem.dev/promoting" not in w.get(DEPLOYMENTS)["metadata"]["labels"])
    assert world.last.status is not None
    assert world.last.status.completed_at is None
    world.apply_template("3.0")
    await world.until(lambda w: len(w.releases) == 2)
    assert world.last.spec.stable.template_digest == world.releases[0].spec.template_digest
    await world.settled()
    assert world.traffic.unanswered == 0
    await checks.over(world, "3.0")


async def test_the_old_version_applied_in_the_clean_up_after_promotion_is_a_change_like_any_other() -> None:
    world = await releasing("cleaning")
    await world.until(lambda w: "feem.dev/promoting" not in w.get(DEPLOYMENTS)["metadata"]["labels"])
    world.apply_template("1.0")
    await world.settled()
    assert len(world.releases) == 2
    assert world.state("Succeeded") == "Promoted"
    await checks.over(world, "1.0")


async def test_a_change_taken_back_and_made_again_during_clean_up_is_released() -> None:
    world = await releasing("step 3")
    world.apply_template("3.0")
    await world.until(lambda w: w.state() == "CleaningUp")
    world.apply_template("2.0")
    await world.settled()
    first, second = world.releases
    assert first.spec.template_digest == second.spec.template_digest
    assert world.state("Succeeded") == "Promoted"
    await checks.over(world, "2.0")


@pytest.mark.parametrize("stage", BEFORE_PROMOTION)
async def test_abort_sends_traffic_back(stage: str) -> None:
    world = await releasing(stage)
    world.decide("Abort")
    await world.settled()
    assert world.state("Succeeded") == "Aborted"
    await checks.over(world, "1.0", paused=True)


@pytest.mark.parametrize("stage", ["starting", "step 1", "baking 2", "step 3"])
async def test_pause_keeps_the_weight_until_resume(stage: str) -> None:
    world = await releasing(stage)
    world.decide("Pause")
    await world.run(2)
    weight = world.weight
    await world.run(20)
    assert world.weight == weight
    assert world.state() == "Paused"
    world.decide("Resume")
    await world.settled()
    assert world.state("Succeeded") == "Promoted"
    await checks.over(world, "2.0")


async def test_a_paused_canary_that_fails_goes_back() -> None:
    world = await releasing("baking 2")
    world.decide("Pause")
    await world.run(10)
    world.traffic.error_rates["2.0"] = 0.2
    await world.run(10)
    assert world.state("Succeeded") == "RolledBack"
    await world.settled()
    await checks.over(world, "1.0", paused=True)


async def stuck() -> World:
    """A promotion whose new pods never become Ready, though the canary's did."""
    world = await World().start()
    world.change(DEPLOYMENTS, lambda body: body["spec"].update(progressDeadlineSeconds=10))
    world.apply_template("2.0")
    await world.until(lambda w: w.step == 4)
    world.pods.never_ready.add("2.0")
    return await world.until(lambda w: w.state() == "RollingUpdateStuck")


async def test_a_stuck_promotion_keeps_the_canary_until_its_pods_come() -> None:
    world = await stuck()
    await world.run(20)
    assert world.weight == 100
    world.pods.never_ready.clear()
    world.pods.heal()
    await world.settled()
    assert world.state("Succeeded") == "Promoted"
    assert world.traffic.unanswered == 0


async def test_a_stuck_promotion_can_be_given_up_and_the_earlier_template_takes_it_back() -> None:
    world = await stuck()
    world.decide("Abort")
    await world.settled()
    assert world.state("Succeeded") == "Aborted"
    assert world.get(DEPLOYMENTS)["spec"]["paused"]
    world.apply_template("1.0")
    await world.settled()
    assert world.traffic.unanswered == 0
    world.change(DEPLOYMENTS, lambda body: body["spec"].pop("progressDeadlineSeconds"))
    await world.run(2)
    await checks.over(world, "1.0")


async def test_a_service_can_be_deleted_in_a_stuck_promotion() -> None:
    world = await stuck()
    world.delete_service()
    await world.until(lambda w: w.get(MANAGED) is None)
    assert "paused" not in world.get(DEPLOYMENTS)["spec"]
    assert world.get(DEPLOYMENTS, "scoring-canary") is None
    assert world.traffic.unanswered == 0
    checks.recorded(world)


async def test_promote_skips_the_bakes_that_are_left() -> None:
    world = await releasing("step 1")
    world.decide("Promote")
    await world.settled()
    assert world.state("Succeeded") == "Promoted"
    assert [weight for weight in dict.fromkeys(world.traffic.weights) if weight] == [10, 100]
    assert world.traffic.unanswered == 0
    await checks.over(world, "2.0")


async def test_retry_tries_a_rolled_back_change_again() -> None:
    world = await releasing("step 1")
    world.traffic.error_rates["2.0"] = 0.2
    await world.settled()
    world.traffic.error_rates.clear()
    world.decide("Retry")
    await world.until(lambda w: len(w.releases) == 2)
    await world.settled()
    assert world.last.metadata.name.endswith("-r2")
    assert world.last.spec.attempt == 2
    assert world.state("Succeeded") == "Promoted"
    await checks.over(world, "2.0")


async def test_a_retry_that_was_answered_with_no_stays_without_effect() -> None:
    world = await releasing("step 1")
    asked = world.decide("Retry")
    answer = {
        "type": "Applied",
        "status": "False",
        "reason": "StillRunning",
        "lastTransitionTime": "2026-03-02T09:30:00Z",
    }
    world.api.update(DECISIONS, {**asked, "status": {"conditions": [answer]}}, "feem", status=True)
    world.traffic.error_rates["2.0"] = 0.2
    await world.settled()
    assert len(world.releases) == 1
    await checks.over(world, "1.0", paused=True)


@pytest.mark.parametrize("policy", [True, False])
@pytest.mark.parametrize("stage", STAGES)
async def test_deleting_the_service_gives_everything_back(stage: str, *, policy: bool) -> None:
    world = await releasing(stage, policy=policy)
    world.delete_service()
    await world.until(lambda w: w.get(MANAGED) is None)
    await world.run(5)
    promoted = stage in ("promotion", "rolling", "cleaning")
    checks.given_back(world, paused=not promoted)
    checks.recorded(world)
    assert "feem.dev/governed" not in world.get(DEPLOYMENTS)["metadata"]["labels"]
    assert world.traffic.unanswered == 0
    assert world.weight == 0


async def test_scaling_in_the_middle_scales_old_pods_and_canary() -> None:
    world = await releasing("step 1", steps=((60, 30),))
    world.scale(10)
    await world.run(4)
    assert world.get(DEPLOYMENTS, "scoring-canary")["spec"]["replicas"] == 6
    assert [world.pods.ready(each) for each in world.pods.sets_of(world.get(DEPLOYMENTS))] == [10]
    await world.settled()
    assert world.state("Succeeded") == "Promoted"
    assert world.traffic.unanswered == 0
    await checks.over(world, "2.0")


@pytest.mark.parametrize("stage", ["step 1", "baking 2", "step 3"])
async def test_a_route_applied_again_by_its_owner_gets_its_weight_back(stage: str) -> None:
    world = await releasing(stage)
    weight = world.weight
    world.reapply_route()
    await world.run(1)
    assert world.weight == weight
    await world.settled()
    assert world.state("Succeeded") == "Promoted"
    assert world.traffic.unanswered == 0
    await checks.over(world, "2.0")


async def test_metrics_that_are_gone_for_a_while_hold_the_release_and_nothing_else() -> None:
    world = await releasing("baking 2")
    world.traffic.metrics_down = True
    await world.run(30)
    assert (world.weight, world.state()) == (30, "Inconclusive")
    world.traffic.metrics_down = False
    await world.settled()
    assert world.state("Succeeded") == "Promoted"
    await checks.over(world, "2.0")


@pytest.mark.parametrize("stage", ["starting", "step 1", "baking 2", "step 3"])
async def test_a_deployment_resumed_around_feem_is_followed_and_recorded(stage: str) -> None:
    world = await releasing(stage)
    world.bypass()
    await world.settled()
    assert world.state("Succeeded") == "Bypassed"
    assert [item.action for item in world.records if item.action == "UnattributedChange"] == ["UnattributedChange"]
    assert world.traffic.unanswered == 0
    await checks.over(world, "2.0")


@pytest.mark.parametrize("stage", STAGES)
async def test_a_deleted_deployment_ends_its_release(stage: str) -> None:
    world = await releasing(stage)
    world.delete_deployment()
    await world.settled()
    assert world.state("Succeeded") == ("Promoted" if stage == "cleaning" else "Cancelled")
    assert world.ready == "DeploymentNotFound"
    checks.given_back(world)
    checks.recorded(world)
    await checks.at_rest(world)


@pytest.mark.parametrize("stage", ["step 1", "step 3"])
@pytest.mark.parametrize("resource", [DEPLOYMENTS, SERVICES])
async def test_a_canary_that_loses_its_pods_or_its_service_goes_back_at_once(stage: str, resource: str) -> None:
    world = await releasing(stage)
    world.api.delete(resource, "lending", "scoring-canary", "pipeline")
    await world.run(1)
    assert world.weight == 0
    await world.settled()
    assert world.state("Succeeded") == "RolledBack"
    await checks.over(world, "1.0", paused=True)


async def test_a_canary_whose_pods_all_crash_goes_back() -> None:
    world = await releasing("step 3")
    world.pods.crashing.add("2.0")
    await world.run(2)
    assert world.weight == 0
    await world.settled()
    assert world.state("Succeeded") == "RolledBack"
    await checks.over(world, "1.0", paused=True)


async def test_a_canary_lost_in_the_rolling_update_gives_its_traffic_to_the_owners_pods() -> None:
    world = await releasing("rolling", replicas=6)
    world.api.delete(DEPLOYMENTS, "lending", "scoring-canary", "pipeline")
    await world.run(1)
    assert world.weight == 0
    await world.settled()
    assert world.state("Succeeded") == "Promoted"
    await checks.over(world, "2.0")


async def test_without_the_admission_api_a_standing_pause_holds_changes() -> None:
    world = await World(policy=False).start()
    assert world.get(DEPLOYMENTS)["spec"]["paused"]
    world.apply_template("2.0")
    await world.run(1)
    assert world.last.spec.requested_by == ""
    await world.settled()
    assert world.state("Succeeded") == "Promoted"
    assert world.traffic.unanswered == 0
    await checks.over(world, "2.0", paused=True)


async def test_of_two_services_on_one_deployment_the_second_waits_its_turn() -> None:
    world = await World().start()
    world.api.create(MANAGED, managed(((50, 1),), "other"), "pipeline")
    await world.run(2)
    reasons = [
        item["reason"] for item in world.get(MANAGED, "other")["status"]["conditions"] if item["type"] == "Ready"
    ]
    assert reasons == ["GovernedTwice"]
    world.delete_service()
    await world.until(lambda w: w.get(DEPLOYMENTS)["metadata"]["labels"].get("feem.dev/governed") == "other", 20)
    await world.run(3)
    reasons = [
        item["reason"] for item in world.get(MANAGED, "other")["status"]["conditions"] if item["type"] == "Ready"
    ]
    assert reasons == ["Governed"]


async def test_somebody_elses_canary_is_left_alone_and_named_as_what_is_in_the_way() -> None:
    world = await World().start()
    world.api.create(DEPLOYMENTS, deployment("7.0", 1, "scoring-canary"), "pipeline")
    world.apply_template("2.0")
    await world.run(20)
    assert (world.ready, world.releases) == ("CanaryNameTaken", [])
    world.api.delete(DEPLOYMENTS, "lending", "scoring-canary", "pipeline")
    await world.settled()
    await checks.over(world, "2.0")


async def test_a_service_that_goes_away_halts_the_release_and_comes_back() -> None:
    world = await releasing("baking 2")
    world.api.delete(SERVICES, "lending", "scoring", "pipeline")
    await world.run(10)
    assert world.state() == "Waiting"
    world.api.create(SERVICES, service(), "pipeline")
    await world.settled()
    assert world.state("Succeeded") == "Promoted"
    await checks.over(world, "2.0")


async def test_a_route_that_goes_away_halts_the_release_and_comes_back() -> None:
    world = await releasing("baking 2")
    world.api.delete(ROUTES, "lending", "scoring", "pipeline")
    await world.run(10)
    assert world.state() == "Waiting"
    world.api.create(ROUTES, route(), "pipeline")
    await world.settled()
    assert world.state("Succeeded") == "Promoted"
    await checks.over(world, "2.0")


@pytest.mark.parametrize("stage", BEFORE_PROMOTION)
async def test_a_deleted_release_is_cleaned_up_and_its_change_requested_anew(stage: str) -> None:
    world = await releasing(stage)
    first = world.last
    world.api.delete("releases.feem.dev", "lending", first.metadata.name, "pipeline")
    await world.settled()
    assert world.traffic.unanswered == 0
    assert world.last.metadata.uid != first.metadata.uid
    await checks.over(world, "2.0")


async def test_a_release_deleted_in_its_rolling_update_is_finished_first() -> None:
    world = await releasing("rolling")
    world.api.delete("releases.feem.dev", "lending", world.last.metadata.name, "pipeline")
    await world.until(lambda w: not w.releases)
    await world.run(5)
    assert world.traffic.unanswered == 0
    await checks.over(world, "2.0")
