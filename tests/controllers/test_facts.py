"""What is only seen is on record, too: once, in the name of whoever it was, with the digest of what was seen."""

from __future__ import annotations

import copy
from typing import Any, cast

import pytest

from feem.api.audit import AuditSpec, Part
from feem.api.decision import Decision
from feem.api.profile import ProfileSpec
from feem.controllers.decision import DecisionController
from feem.controllers.profile import ProfileController
from feem.core.conditions import find
from feem.core.digest import digest_of, template_digest
from feem.ports import Cluster, Conflict, Refused, Unavailable
from tests.controllers import checks
from tests.controllers.facts import OPERATOR, Facts
from tests.controllers.test_profile import APPROVALS, REVIEW, Objects, spec
from tests.controllers.test_profile import Clock as ProfileClock
from tests.controllers.test_window import NIGHTS, Desk
from tests.windows.written import FREEZE, SHANGHAI, once
from tests.world.api import Request
from tests.world.bodies import NAMESPACE, template
from tests.world.world import DECISIONS, RELEASES, Clock, Crash, World

DECEIVING = "risk-оfficer"  # noqa: RUF001 - its second o is Cyrillic, which is the point


def seen(world: World, action: str = "ChangeSeen") -> list[AuditSpec]:
    return [record for record in world.records if record.action == action and record.part is Part.FACT]


# -- changes --------------------------------------------------------------------------------------------------------------


async def test_a_held_change_is_recorded_before_anything_is_done_in_the_name_of_who_made_it() -> None:
    world = await World().start()
    world.apply_template("2.0", by="team-dev")
    await world.settled()
    (fact,) = seen(world)
    assert (fact.actor, fact.reason, fact.subject.kind) == ("team-dev", "AdmissionPolicy", "ManagedService")
    assert fact.evidence == template_digest(template("2.0"))
    assert world.records[fact.index + 1].action == "RequestRelease"


async def test_where_nobody_stamps_who_asks_the_record_says_so() -> None:
    world = await World(policy=False).start()
    world.apply_template("2.0")
    await world.settled()
    (fact,) = seen(world)
    assert (fact.actor, fact.reason) == (OPERATOR, "StandingPause")
    assert fact.message.startswith("somebody changed Deployment scoring")


async def test_a_retry_is_no_new_change() -> None:
    world = await World().start()
    world.pods.never_ready.add("2.0")
    world.apply_template("2.0")
    await world.settled()
    world.pods.never_ready.clear()
    world.decide("Retry")
    await world.until(lambda w: len(w.releases) == 2)
    await world.settled()
    assert len(seen(world)) == 1


@pytest.mark.parametrize("problem", [Refused("over quota"), Unavailable("no answer"), Conflict("meanwhile")])
async def test_a_request_that_fails_at_first_makes_no_second_change_of_it(problem: Exception) -> None:
    world, failures = await World().start(), [problem, problem]

    def fault(request: Request, moment: str) -> None:
        if (request.verb, request.resource, moment) == ("create", RELEASES, "before") and failures:
            raise failures.pop()

    world.api.fault = fault
    world.apply_template("2.0")
    await world.until(lambda w: bool(w.releases))
    await world.settled()
    assert not failures
    assert len(seen(world)) == 1
    await checks.over(world, "2.0")


async def test_after_a_crash_an_announced_request_tells_the_change_no_second_time() -> None:
    world = await World().start()

    def fault(request: Request, moment: str) -> None:
        if (request.verb, request.resource, moment, world.crashes) == ("create", RELEASES, "before", 0):
            raise Crash

    world.api.fault = fault
    world.apply_template("2.0")
    await world.settled()
    assert world.crashes == 1
    assert len(seen(world)) == 1


async def test_somebody_with_a_name_that_deceives_holds_nothing_up_and_is_named_as_such() -> None:
    world = await World().start()
    world.apply_template("2.0", by=DECEIVING)
    await world.settled()
    (fact,) = seen(world)
    assert fact.actor == OPERATOR
    assert "mixes Cyrillic and Latin letters" in fact.message
    await checks.over(world, "2.0")


# -- decisions ------------------------------------------------------------------------------------------------------------


class Answers:
    """As much of the port `Cluster` as answering a decision needs."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.body = body

    def get(self, resource: str, _namespace: str, _name: str) -> dict[str, Any] | None:
        return copy.deepcopy(self.body) if resource == DECISIONS else None

    async def write_status(self, _resource: str, _namespace: str, _name: str, status: Any, _version: str) -> None:
        self.body["status"] = status


@pytest.mark.parametrize("by", [DECEIVING, "risk\u202eofficer", "risk\u200bofficer"])
async def test_a_decision_by_a_name_that_deceives_is_answered_with_no(by: str) -> None:
    world = await World().start()
    world.apply_template("2.0")
    await world.until(lambda w: w.step == 1)
    body = world.decide("Abort", by=by)
    await world.run(2)
    assert world.state("Succeeded") == "Running", "it counted before it was answered"
    answers, ledger = Answers(body), Facts()
    gatherer = cast("Any", None)
    controller = DecisionController(cast("Cluster", answers), ledger, Clock(), gatherer, gatherer)
    await controller.reconcile(NAMESPACE, body["metadata"]["name"])
    status = Decision.read(answers.body).status
    applied = find(status.conditions, "Applied") if status is not None else None
    assert applied is not None
    assert (applied.status.value, applied.reason) == ("False", "UnsafeName")
    assert "decide as a user whose name reads as what it is" in applied.message
    assert ledger.told == [("Decision", "UnsafeName")]
    assert ledger.records[0].actor == OPERATOR


# -- windows and profiles -------------------------------------------------------------------------------------------------


async def test_a_window_that_opens_and_closes_is_recorded_once_each() -> None:
    desk = Desk(NIGHTS, "2026-11-23 21:00")
    for now in ("2026-11-23 21:30", "2026-11-23 22:00", "2026-11-24 00:00", "2026-11-24 05:59", "2026-11-24 06:00"):
        await desk.visit(now)
    assert desk.ledger.told == [("WindowOpened", "Open"), ("WindowClosed", "Closed")]
    first = desk.ledger.records[0]
    assert (first.subject.kind, first.subject.name, first.evidence) == (
        "ChangeWindow",
        "nights",
        digest_of(NIGHTS.wire()),
    )


async def test_a_new_operator_does_not_tell_of_a_window_again() -> None:
    desk = Desk(NIGHTS, "2026-11-23 22:00")
    await desk.visit()
    again = Desk(NIGHTS, "2026-11-23 23:00")
    again.objects.bodies = desk.objects.bodies
    await again.visit()
    assert (desk.ledger.told, again.ledger.told) == ([("WindowOpened", "Open")], [])


async def test_a_status_that_is_not_taken_leaves_one_record_behind() -> None:
    desk = Desk(NIGHTS, "2026-11-23 22:00")
    desk.objects.spoiled = 1
    with pytest.raises(Conflict):
        await desk.visit()
    await desk.visit()
    assert desk.ledger.told == [("WindowOpened", "Open")]


async def test_a_freeze_that_is_deleted_while_it_is_open_is_recorded() -> None:
    desk = Desk(once("2026-11-23T00:00", "2026-11-25T00:00", SHANGHAI, FREEZE), "2026-11-23 12:00")
    await desk.visit()
    desk.objects.bodies.clear()
    await desk.visit()
    await desk.visit()
    assert desk.ledger.told == [("WindowOpened", "Open"), ("WindowClosed", "Deleted")]


def changed(objects: Objects, written: ProfileSpec, generation: int) -> None:
    assert objects.body is not None
    objects.body["spec"], objects.body["metadata"]["generation"] = written.wire(), generation


async def test_each_generation_of_a_profile_is_recorded_once_with_its_digest() -> None:
    first, second = spec(APPROVALS), spec(APPROVALS, REVIEW)
    objects, ledger = Objects(first), Facts()
    for _ in range(2):
        controller = ProfileController(cast("Cluster", objects), ledger, ProfileClock())
        await controller.reconcile("standard")
        await controller.reconcile("standard")
    changed(objects, second, 2)
    await controller.reconcile("standard")
    objects.body = None
    await controller.reconcile("standard")
    await controller.reconcile("standard")
    assert ledger.told == [("ProfileChanged", "Accepted")] * 2 + [("ProfileChanged", "Deleted")]
    assert [record.evidence for record in ledger.records] == [digest_of(first.wire()), digest_of(second.wire()), ""]
    assert ledger.records[1].message == "generation 2: 2 gates: 1 at Request, 1 at Closure"


async def test_a_profile_that_cannot_be_used_is_recorded_as_such() -> None:
    objects, ledger = Objects(spec(APPROVALS, REVIEW, skips=("review",))), Facts()
    await ProfileController(cast("Cluster", objects), ledger, ProfileClock()).reconcile("standard")
    assert ledger.told == [("ProfileChanged", "NoSignOff")]


# -- verdicts -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "action"), [("2.0", "Promote"), ("bad", "RollBack")])
async def test_whatever_a_verdict_causes_names_the_samples_behind_it(version: str, action: str) -> None:
    world = await World().start()
    world.traffic.error_rates["bad"] = 0.2
    world.apply_template(version)
    await world.settled()
    intents = [record for record in world.records if record.part is Part.INTENT]
    (ending,) = (record for record in intents if record.action == action)
    assert ending.evidence
    shifts = [record for record in intents if record.action == "ShiftTraffic"]
    assert all(bool(record.evidence) == (record.reason != "Step1") for record in shifts)
    assert world.last.status is not None
    kept = world.get("configmaps", world.last.status.evidence)
    assert kept["metadata"]["annotations"]["feem.dev/evidence-digest"] == ending.evidence


@pytest.mark.parametrize("problem", [Refused("over quota"), Unavailable("no answer")])
async def test_evidence_that_cannot_be_kept_holds_nothing_up_and_is_not_named(problem: Exception) -> None:
    world = await World().start()

    def fault(request: Request, moment: str) -> None:
        if request.resource == "configmaps" and moment == "before":
            raise problem

    world.api.fault = fault
    world.apply_template("2.0")
    await world.settled()
    assert world.last.status is not None
    assert world.last.status.evidence == ""
    (outcome,) = (item for item in world.records if (item.action, item.part) == ("Promote", Part.OUTCOME))
    assert outcome.reason == "Done"
    assert outcome.message.startswith("not done: create ConfigMap lending/scoring-2-evidence-")
    assert str(problem) in outcome.message
    await checks.over(world, "2.0")


# -- intents whose subject goes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("resource", ["releases.feem.dev", "managedservices.feem.dev"])
async def test_an_intent_whose_subject_is_taken_away_by_force_is_closed_while_the_operator_runs(resource: str) -> None:
    world = await World().start()
    failing = "httproutes.gateway.networking.k8s.io" if resource == RELEASES else RELEASES

    def fault(request: Request, moment: str) -> None:
        if (request.resource, moment) == (failing, "before") and request.verb in ("update", "create"):
            raise Unavailable("no answer")

    world.api.fault = fault
    world.apply_template("2.0")
    await world.run(8)
    waiting = [index for index, reasons in world.outcomes().items() if not reasons]
    assert len(waiting) == 1
    world.api.fault = None
    (body,) = world.api.list(resource)
    stripped = {**body, "metadata": {key: value for key, value in body["metadata"].items() if key != "finalizers"}}
    world.api.update(resource, stripped, "platform-admin")
    world.api.delete(resource, NAMESPACE, body["metadata"]["name"], "platform-admin")
    await world.run(3)
    assert world.outcomes()[waiting[0]] == ["Abandoned"]
