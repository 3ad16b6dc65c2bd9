"""Whole releases under a profile: what waits, what lets it go on, and that going back never asks anybody."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from feem.api.audit import Part
from feem.api.release import GateOutcome
from feem.api.service import ManagedService
from feem.core.conditions import find
from feem.ports import Body
from tests.controllers import checks
from tests.world import bodies
from tests.world.bodies import NAME
from tests.world.deployments import DEPLOYMENTS
from tests.world.rights import SimulatedPolicies
from tests.world.world import MANAGED, PROFILES, RELEASES, Crash, World

APPROVAL = {"name": "risk-approval", "stage": "Start", "approvals": {"roles": [{"role": "risk"}]}}
GUARD = "validatingadmissionpolicybindings.admissionregistration.k8s.io"
EMERGENCY = {"skips": ["freeze", "risk-approval"], "signOffRole": "risk"}


def strict(*gates: dict[str, Any], **spec: Any) -> Body:
    return bodies.profile([APPROVAL, *gates], **spec)


async def waiting(profile: Body | None = None, **world: Any) -> World:
    """A world whose change waits for its gates."""
    made = await World(profile=profile or strict(), **world).start()
    made.apply_template("2.0")
    return await made.until(lambda w: w.state() == "Waiting")


async def in_step(step: int, profile: Body | None = None) -> World:
    """A world whose approved change is in a step."""
    world = await waiting(profile)
    world.approve()
    return await world.until(lambda w: w.step == step)


def message(world: World, kind: str = "Progressing") -> str:
    assert world.last.status is not None
    found = find(world.last.status.conditions, kind)
    return found.message if found else ""


def gate(world: World, name: str) -> tuple[GateOutcome, str]:
    assert world.last.status is not None
    found = next(item for item in world.last.status.gates if item.name == name)
    return found.outcome, found.reason


def facts(world: World, action: str) -> list[str]:
    return [item.reason for item in world.records if item.part is Part.FACT and item.action == action]


async def holds(world: World, seconds: int = 20) -> None:
    """Nothing moves forward while it waits."""
    step, weight = world.step, world.weight
    for _ in range(seconds):
        await world.tick()
        assert (world.step, world.weight) == (step, weight), world.story()


async def test_a_change_waits_for_its_approval_without_a_single_pod() -> None:
    world = await waiting()
    await holds(world)
    assert world.get(DEPLOYMENTS, f"{NAME}-canary") is None
    assert "1 approval" in message(world)
    assert "(risk)" in message(world)
    assert world.state("Allowed") == "GatesHold"
    assert gate(world, "risk-approval")[0] is GateOutcome.HOLDING


async def test_an_approval_lets_it_go_on_to_its_end() -> None:
    world = await waiting()
    world.approve()
    await world.settled()
    assert world.state("Succeeded") == "Promoted"
    assert facts(world, "Gates") == ["GatesHold", "AllGatesPassed"]
    await checks.over(world, "2.0")


@pytest.mark.parametrize(
    "approval",
    [
        {"by": "pipeline"},
        {"digest": "sha256:" + "0" * 64},
        {"role": "compliance"},
        {"expiresAt": "2026-03-02T09:00:00Z"},
    ],
    ids=["the requester's own", "of something else", "in another role", "expired"],
)
async def test_an_approval_that_does_not_count_changes_nothing(approval: dict[str, Any]) -> None:
    world = await waiting()
    world.approve(**approval)
    await holds(world)
    assert world.state() == "Waiting"


async def _ticketed() -> World:
    ticket = {"name": "ticket", "stage": "Request", "ticket": {"pattern": "PAY-[0-9]+"}}
    world = await waiting(strict(ticket))
    annotate(world, "PAY-1")
    await world.run(2)
    return world


def annotate(world: World, ticket: str) -> None:
    """Name a ticket on the waiting release."""

    def edit(body: Body) -> None:
        body["metadata"].setdefault("annotations", {})["feem.dev/ticket"] = ticket

    world.change(RELEASES, edit, world.last.metadata.name)


async def test_another_ticket_after_the_approval_is_something_else() -> None:
    world = await _ticketed()
    world.approve()
    annotate(world, "PAY-2")
    await holds(world)
    assert world.last.status is not None
    assert any("ApprovedSomethingElse" in f"{item.reason} {item.message}" for item in world.last.status.gates)
    world.approve(by="risk-deputy")
    await world.until(lambda w: w.step == 1)


async def test_a_freeze_declared_in_the_middle_holds_the_step_and_its_end_lets_go() -> None:
    world = await in_step(1)
    weight = world.weight
    world.freeze(hours=1 / 60)
    await world.until(lambda w: w.state() == "Waiting")
    assert (world.step, world.weight) == (1, weight)
    assert "freeze" in message(world).lower() or "period end" in message(world)
    await world.until(lambda w: w.step == 2, 120)
    await world.settled()
    assert world.state("Succeeded") == "Promoted"


async def test_a_freeze_holds_a_service_without_a_profile() -> None:
    world = await World().start()
    world.freeze()
    world.apply_template("2.0")
    await world.until(lambda w: w.state() == "Waiting")
    await holds(world)
    world.thaw()
    await world.settled()
    assert world.state("Succeeded") == "Promoted"


async def _goes_back(world: World) -> None:
    world.traffic.error_rates["2.0"] = 0.3
    await world.settled()
    assert world.state("Succeeded") == "RolledBack"
    await checks.over(world, "1.0", paused=True)


async def test_a_bad_version_goes_back_in_a_freeze() -> None:
    world = await in_step(1)
    world.freeze()
    await world.run(2)
    await _goes_back(world)


async def test_a_bad_version_goes_back_though_it_was_rejected() -> None:
    world = await in_step(1)
    world.decide("Reject", by="risk-deputy", role="risk")
    await world.until(lambda w: w.state() == "Waiting")
    assert "risk-deputy" in str(world.last.status)
    await _goes_back(world)


async def test_a_bad_version_goes_back_when_the_profile_is_gone() -> None:
    world = await in_step(1)
    world.api.delete(PROFILES, "", "strict", "admin")
    await world.until(lambda w: w.state() == "Waiting")
    assert gate(world, "profile") == (GateOutcome.HOLDING, "ProfileMissing")
    await _goes_back(world)


async def test_a_waiting_release_can_be_aborted() -> None:
    world = await waiting()
    world.decide("Abort")
    await world.settled()
    assert world.state("Succeeded") == "Aborted"


async def test_a_profile_loosened_in_the_middle_holds_until_it_is_put_back() -> None:
    world = await in_step(1)
    loose = bodies.profile([{"name": "some", "stage": "Request", "objectives": {}}])
    world.write_profile(loose)
    await world.until(lambda w: w.state() == "Waiting")
    assert gate(world, "profile") == (GateOutcome.HOLDING, "ProfileChanged")
    await holds(world)
    world.write_profile(strict())
    await world.until(lambda w: w.step == 2)


async def test_a_right_that_is_lost_meanwhile_counts_no_more() -> None:
    world = await in_step(1)
    world.rights.authority.lost.add(("risk-officer", "approve", "risk"))
    await world.until(lambda w: w.state() == "Waiting")
    await holds(world)
    assert "RoleLost" in str(world.last.status)
    world.rights.authority.lost.clear()
    await world.until(lambda w: w.step == 2)


async def test_rights_are_asked_for_only_when_something_is_done() -> None:
    world = await waiting()
    asked = [item for item in world.api.requests if item.resource.startswith("subjectaccessreviews")]
    assert asked == []
    world.approve()
    await world.settled()
    asked = [item for item in world.api.requests if item.resource.startswith("subjectaccessreviews")]
    assert 4 <= len(asked) <= 12, len(asked)


async def test_clocks_that_differ_hold() -> None:
    world = await in_step(1)
    world.rights.authority.skew = 3600.0
    await world.until(lambda w: w.state() == "Waiting")
    assert gate(world, "clock") == (GateOutcome.HOLDING, "ClockSkewed")
    world.rights.authority.skew = 0.0
    await world.until(lambda w: w.step == 2)


def break_glass(world: World, by: str = "duty-manager") -> None:
    assert world.last.status is not None
    expires = (world.clock.time + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    world.decide("BreakGlass", by=by, digest=world.last.status.binding, ticket="INC-7", expiresAt=expires)


async def test_an_emergency_skips_what_the_profile_lists_and_owes_a_review() -> None:
    world = await waiting(strict(breakGlass=EMERGENCY))
    world.freeze()
    await world.run(3)
    break_glass(world)
    await world.settled()
    status = world.last.status
    assert status is not None
    assert world.state("Succeeded") == "Promoted"
    assert gate(world, "freeze") == gate(world, "risk-approval") == (GateOutcome.SKIPPED, "BreakGlass")
    assert status.sign_off is not None
    assert status.sign_off.emergency
    assert world.state("SignedOff") == "ReviewOwed"
    world.thaw()
    world.apply_template("3.0")
    await world.until(lambda w: w.last.spec.template_digest != world.releases[0].spec.template_digest)
    await world.until(lambda w: w.state() == "Waiting")
    world.approve()
    await holds(world)
    assert gate(world, "debt")[0] is GateOutcome.HOLDING
    owing = world.releases[0].metadata.name
    world.decide("SignOff", owing, by="duty-manager", role="risk")
    await holds(world)
    world.decide("SignOff", owing, by="risk-officer", role="risk")
    await world.settled()
    assert world.state("Succeeded") == "Promoted"
    assert facts(world, "SignOff") == ["SignedOff"]


async def test_an_emergency_skips_nothing_else() -> None:
    ticket = {"name": "ticket", "stage": "Request", "ticket": {"pattern": "PAY-[0-9]+"}}
    world = await waiting(strict(ticket, breakGlass=EMERGENCY))
    break_glass(world)
    await holds(world)
    assert gate(world, "ticket")[0] is GateOutcome.HOLDING


async def test_an_overdue_sign_off_holds_the_next_release() -> None:
    sign_off = {"name": "sign-off", "stage": "Closure", "signOff": {"role": "risk", "withinDays": 1}}
    world = await in_step(1, strict(sign_off))
    await world.settled()
    assert world.state("SignedOff") == "SignOffDue"
    world.clock.time += timedelta(days=1, minutes=1)
    await world.until(lambda w: w.state("SignedOff") == "SignOffOverdue")
    first = world.last.metadata.name
    world.apply_template("3.0")
    await world.until(lambda w: w.last.metadata.name != first and w.state() == "Waiting")
    world.approve()
    await holds(world)
    world.decide("SignOff", first, by="risk-officer", role="risk")
    await world.until(lambda w: w.step == 1)


async def test_a_ticket_that_is_approved_later_is_noticed_without_anybody_telling() -> None:
    verification = {"provider": "Jira", "statuses": ["Approved"]}
    ticket = {"name": "ticket", "stage": "Request", "ticket": {"pattern": "PAY-[0-9]+", "verification": verification}}
    world = await waiting(strict(ticket))
    annotate(world, "PAY-1")
    await world.run(2)
    world.approve()
    await holds(world)
    assert gate(world, "ticket") == (GateOutcome.HOLDING, "TicketNotFound")
    world.rights.tickets.statuses["PAY-1"] = "approved"
    await world.until(lambda w: w.step == 1, 60)


def policy(action: str = "Deny") -> Body:
    spec = {"policyName": "decisions.feem.dev", "validationActions": [action]}
    return {
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": "decisions.feem.dev"},
        "spec": spec,
    }


async def test_decisions_made_while_a_policy_was_weak_do_not_count_afterwards_either() -> None:
    world = World(profile=strict())
    world.rights = replace(world.rights, policies=SimulatedPolicies([policy()]))
    world.restart()
    world.api.create(GUARD, policy(), "admin")
    await world.start()
    world.apply_template("2.0")
    await world.until(lambda w: w.state() == "Waiting")
    assert gate(world, "guard")[0] is GateOutcome.PASSED
    world.api.update(GUARD, policy("Audit"), "admin")
    await world.run(3)
    assert gate(world, "guard") == (GateOutcome.HOLDING, "PolicyWeakened")
    assert guarded(world) == "PolicyWeakened"
    world.approve(by="somebody")
    await holds(world)
    world.api.update(GUARD, policy(), "admin")
    await holds(world)
    assert gate(world, "guard")[0] is GateOutcome.PASSED
    assert guarded(world) == "InForce"
    assert gate(world, "risk-approval") == (GateOutcome.HOLDING, "DecidedUnguarded")
    world.approve(by="risk-officer")
    await world.until(lambda w: w.step == 1)


async def test_a_policy_that_is_weakened_in_the_middle_holds_the_step() -> None:
    world = World(profile=strict())
    world.rights = replace(world.rights, policies=SimulatedPolicies([policy()]))
    world.restart()
    world.api.create(GUARD, policy(), "admin")
    await world.start()
    world.apply_template("2.0")
    await world.until(lambda w: w.state() == "Waiting")
    world.approve()
    await world.until(lambda w: w.step == 1)
    world.api.delete(GUARD, "", "decisions.feem.dev", "admin")
    await world.until(lambda w: w.state() == "Waiting")
    await holds(world)
    await _goes_back(world)


def guarded(world: World) -> str:
    service = ManagedService.read(world.get(MANAGED))
    found = find(service.status.conditions, "Guarded") if service.status else None
    return found.reason if found else ""


async def test_observing_changes_nothing_and_says_what_would_have_held() -> None:
    world = await World(profile=strict(), service={"mode": "Observe"}).start()
    world.apply_template("2.0")
    await world.until(lambda w: w.state("Succeeded") == "Observed")
    assert "would have been held" in message(world, "Succeeded")
    assert "(risk)" in message(world, "Succeeded")
    await world.run(15)
    assert not world.get(DEPLOYMENTS)["spec"].get("paused")
    assert set(world.traffic.weights) == {0}
    assert len(world.releases) == 1
    checks.runs(world, "2.0")
    assert "feem.dev/governed" not in world.get(DEPLOYMENTS)["metadata"]["labels"]
    await checks.at_rest(world)


async def test_from_enforce_to_observe_and_back() -> None:
    world = await World().start()

    def mode(value: str) -> None:
        world.change(MANAGED, lambda body: body["spec"].update(mode=value))

    mode("Observe")
    await world.run(5)
    assert world.ready == "Observing"
    world.apply_template("2.0")
    await world.run(15)
    assert world.state("Succeeded") == "Observed"
    mode("Enforce")
    await world.run(5)
    assert world.ready == "Governed"
    world.apply_template("3.0")
    await world.settled()
    assert world.state("Succeeded") == "Promoted"
    await checks.over(world, "3.0")


async def test_a_missing_profile_lets_no_change_be_requested() -> None:
    world = await World(profile=strict()).start()
    world.api.delete(PROFILES, "", "strict", "admin")
    world.apply_template("2.0")
    await world.run(10)
    assert world.ready == "ProfileNotFound"
    assert world.releases == []
    assert world.get(DEPLOYMENTS)["spec"]["paused"] is True
    world.write_profile(strict())
    await world.until(lambda w: bool(w.releases))


async def test_killed_at_every_write_the_end_is_the_same() -> None:
    """A release that waits, is approved and goes on, with the operator killed after each of its writes in turn."""

    async def run(at: int) -> tuple[World, int]:
        world = await World(profile=strict()).start()
        begun = world.api.writes

        def die(request: Any, when: str) -> None:
            if when == "after" and request.number == begun + at:
                raise Crash

        world.api.fault = die
        world.apply_template("2.0")
        await world.until(lambda w: w.state() == "Waiting")
        await world.run(2)
        world.approve()
        await world.settled()
        return world, world.api.writes - begun

    whole, writes = await run(0)
    assert whole.crashes == 0
    for number in range(1, writes + 1):
        world, _ = await run(number)
        assert world.state("Succeeded") == "Promoted", number
        assert world.get(DEPLOYMENTS, f"{NAME}-canary") is None
        checks.recorded(world)
