"""The ChaosExperiment controller over a simulated API server: what it writes, how rarely, and what a crash at any write leaves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feem.adapters.kubernetes.client import Client
from feem.adapters.kubernetes.cluster import KubernetesCluster
from feem.adapters.kubernetes.store import Store
from feem.api.audit import AuditSpec, Part
from feem.api.base import API_VERSION
from feem.api.experiment import ChaosExperiment, ExperimentStatus, Schedule
from feem.api.run import RunSpec
from feem.controllers.chaos.experiment import LONGEST, ExperimentController
from feem.controllers.door import Door
from feem.controllers.resources import EXPERIMENTS, OBJECTIVES, RUNS, SERVICES_MANAGED
from feem.core.audit.record import name_of
from feem.core.audit.verify import verify
from feem.core.chaos.effects import DeleteRun
from feem.core.chaos.schedule import begins_at, next_after
from feem.core.conditions import find
from feem.ports import FINALIZER, Body, Conflict, Refused, Unavailable
from tests.chaos.experiments import (
    CREATED,
    NAME,
    NAMESPACE,
    SERVICE,
    ended_status,
    hours,
    objective_body,
    schedule,
    spec,
    utc,
    verdict,
)
from tests.world.api import OPERATOR, Api, Request
from tests.world.client import SimulatedClient
from tests.world.ledger import SimulatedLedger
from tests.world.operator import Notes
from tests.world.world import Clock, Crash

USER = "mei"
MORNINGS = schedule("0 10 * * *", "Europe/Berlin")
FIRST = f"{NAME}-202611020900"


class Desk:
    """An API server with one experiment, a clock, and an operator that can be started anew."""

    def __init__(self, when: Schedule | None = MORNINGS, **more: Any) -> None:
        self.clock = Clock()
        self.clock.time = CREATED
        self.api, self.records = Api(self.clock.now), list[AuditSpec]()
        body = self.api.create(OBJECTIVES, objective_body(), USER)
        self.api.update(OBJECTIVES, {**body, "status": verdict(body)}, USER, status=True)
        service = {"metadata": {"namespace": NAMESPACE, "name": SERVICE}, "spec": {}}
        self.api.create(SERVICES_MANAGED, service, USER)
        self.api.create(
            EXPERIMENTS, {"metadata": {"namespace": NAMESPACE, "name": NAME}, "spec": spec(when, **more)}, USER
        )
        self.told: list[tuple[str, str, bool]] = []
        self.start()

    def start(self) -> None:
        """A new process, with nothing in memory but a listing."""
        self.store = Store()
        for resource, bodies in self.api.objects.items():
            for body in bodies.values():
                self.store.put(resource, body)
        self.read = len(self.api.events)
        self.cluster = KubernetesCluster(cast("Client", SimulatedClient(self.api)), self.store)
        self.ledger = SimulatedLedger(self.api, self.records, self.clock.now)
        self.notes = Notes(self.api)
        door = Door(self.cluster, self.ledger)
        self.controller = ExperimentController(self.cluster, self.ledger, self.notes, self.clock, door)

    async def visit(self, now: datetime | str | None = None) -> float | None:
        """Take in what others did, then reconcile."""
        self.clock.time = utc(now) if isinstance(now, str) else now or self.clock.time
        for event in self.api.events[self.read :]:
            if event.gone:
                self.store.delete(event.resource, event.body)
            else:
                self.store.put(event.resource, event.body)
        self.read = len(self.api.events)
        return await self.controller.reconcile(NAMESPACE, NAME)

    def change(self, resource: str, name: str, edit: Callable[[Body], None], *, status: bool = False) -> None:
        body = self.api.get(resource, NAMESPACE, name)
        assert body is not None
        new = {**body, "metadata": dict(body["metadata"]), "spec": dict(body["spec"])}
        edit(new)
        self.api.update(resource, new, USER, status=status)

    def end(self, name: str, result: str, why: str = "") -> None:
        """What the controller of runs does when one is over."""

        def ended(body: Body) -> None:
            body["status"] = ended_status(result, self.clock.time, why)

        self.change(RUNS, name, ended, status=True)
        self.change(RUNS, name, lambda body: body["metadata"].update(finalizers=[]))

    @property
    def status(self) -> ExperimentStatus:
        body = self.api.get(EXPERIMENTS, NAMESPACE, NAME)
        assert body is not None
        return ChaosExperiment.read(body).status or ExperimentStatus()

    def names(self) -> list[str]:
        return sorted(body["metadata"]["name"] for body in self.api.list(RUNS))

    def since(self, start: int) -> list[str]:
        """What the operator asked of the API server, by verb and kind."""
        return [f"{one.verb} {one.resource.split('.')[0]}" for one in self.api.requests[start:]]

    def facts(self) -> list[str]:
        return [f"{one.action} {one.reason}: {one.message}" for one in self.records if one.part is Part.FACT]

    def outcomes(self) -> list[tuple[str, list[str]]]:
        """Every intent with the reasons of its outcomes."""
        return [
            (one.action, [other.reason for other in self.records if other.intent == one.index])
            for one in self.records
            if one.part is Part.INTENT
        ]


async def test_a_due_run_costs_five_requests_and_a_look_costs_none() -> None:
    desk = Desk()
    assert await desk.visit() == 3600
    assert desk.since(0) == ["update/status chaosexperiments"]
    start = len(desk.api.requests)
    await desk.visit("2026-11-02 09:00")
    assert desk.since(start) == [
        *("create auditrecords", "create chaosruns", "create auditrecords"),
        *("update/status chaosexperiments", "create events"),
    ]
    start = len(desk.api.requests)
    for _ in range(20):
        desk.clock.time += timedelta(minutes=10)
        await desk.visit()
    assert desk.since(start) == []


async def test_the_run_is_what_the_experiment_and_the_log_say() -> None:
    desk = Desk()
    await desk.visit("2026-11-02 09:00")
    (body,) = desk.api.list(RUNS)
    experiment = desk.api.get(EXPERIMENTS, NAMESPACE, NAME)
    assert experiment is not None
    assert body["metadata"]["name"] == FIRST
    assert body["metadata"]["finalizers"] == [FINALIZER]
    assert body["metadata"]["ownerReferences"] == [
        {
            "apiVersion": API_VERSION,
            "kind": "ChaosExperiment",
            "name": NAME,
            "uid": experiment["metadata"]["uid"],
            "controller": True,
            "blockOwnerDeletion": False,
        }
    ]
    assert RunSpec.model_validate(body["spec"]) == RunSpec(experiment=NAME, scheduled_for=utc("2026-11-02 09:00"))
    intent = desk.records[int(body["metadata"]["annotations"]["feem.dev/intent"])]
    assert (intent.action, intent.reason, intent.effects) == (
        *("RequestRun", "Scheduled"),
        [f"create ChaosRun {NAMESPACE}/{FIRST}"],
    )
    assert (intent.subject.kind, intent.subject.name) == ("ChaosExperiment", NAME)
    assert desk.outcomes() == [("RequestRun", ["Done"])]
    assert desk.notes.said == [(NAME, "RunRequested", f"ChaosRun {FIRST} is made", False)]


@pytest.mark.parametrize(
    ("when", "now", "seconds"),
    [
        (MORNINGS, "2026-11-02 08:59:30", 30),
        (MORNINGS, "2026-11-02 09:00", LONGEST),
        (schedule("0 10 1 1 *"), "2026-11-02 08:59:30", LONGEST),
        (None, "2026-11-02 09:00", None),
    ],
)
async def test_when_it_comes_again(when: Schedule | None, now: str, seconds: float | None) -> None:
    assert await Desk(when).visit(now) == seconds


async def test_one_that_is_gone_needs_nothing() -> None:
    desk = Desk()
    desk.api.delete(EXPERIMENTS, NAMESPACE, NAME, USER)
    assert await desk.visit("2026-11-02 09:00") is None
    assert desk.since(0) == []


async def test_runs_of_other_experiments_are_none_of_its_business() -> None:
    desk = Desk(history={"passed": 1, "others": 1})
    for number in range(5):
        meta = {"namespace": NAMESPACE, "name": f"r{number}"}
        body = desk.api.create(RUNS, {"metadata": meta, "spec": {"experiment": "another"}}, USER)
        desk.end(body["metadata"]["name"], "Failed")
    await desk.visit()
    assert len(desk.names()) == 5
    assert (desk.status.last_run, desk.status.last_result) == ("", "")


# -- telling ------------------------------------------------------------------------------------------------------------


async def test_people_hear_when_a_service_turns_out_resilient_or_not_and_only_then() -> None:
    desk = Desk(schedule("0 * * * *", "UTC"))
    for hour, result in ((9, "Skipped"), (10, "Passed"), (11, "Passed"), (12, "Failed"), (13, "Error"), (14, "Passed")):
        await desk.visit(f"2026-11-02 {hour:02}:00")
        desk.clock.time += timedelta(minutes=5)
        desk.end(f"{NAME}-20261102{hour:02}00", result, "because")
        await desk.visit()
    told = [(reason, message, warning) for _, reason, message, warning in desk.notes.said if reason != "RunRequested"]
    assert told == [
        ("Passed", f"ChaosRun {NAME}-202611021000 passed at 2026-11-02 10:05:00 UTC: because", False),
        ("Failed", f"ChaosRun {NAME}-202611021200 failed at 2026-11-02 12:05:00 UTC: because", True),
        ("Passed", f"ChaosRun {NAME}-202611021400 passed at 2026-11-02 14:05:00 UTC: because", False),
    ]
    found = find(desk.status.conditions, "Resilient")
    assert found is not None
    assert found.last_transition_time == utc("2026-11-02 14:05")


async def test_what_was_missed_is_recorded_once_and_told() -> None:
    desk = Desk()
    await desk.visit()
    desk.start()
    await desk.visit("2026-11-05 12:00")
    words = "4 times from 2026-11-02 09:00 UTC to 2026-11-05 09:00 UTC passed without a run: none is made up for"
    assert desk.facts() == [f"RunsMissed NotMadeUpFor: {words}"]
    assert desk.notes.said == [(NAME, "RunsMissed", words, True)]
    assert desk.names() == []
    await desk.visit()
    assert len(desk.records) == 1


async def test_a_write_that_comes_too_late_repeats_no_record_and_no_run() -> None:
    """Somebody edits the experiment between the look and the write."""
    desk = Desk()
    await desk.visit()

    def edit(request: Request, moment: str) -> None:
        if request.resource == EXPERIMENTS and moment == "before":
            desk.api.fault = None
            desk.change(EXPERIMENTS, NAME, lambda body: body["spec"].update(description=str(desk.clock.time)))

    for now, run_is_made in (("2026-11-03 12:00", False), ("2026-11-05 09:01", True)):
        desk.api.fault = edit
        desk.notes.said.clear()
        with pytest.raises(Conflict):
            await desk.visit(now)
        assert desk.notes.said == [], "nothing is told before it is written"
        await desk.visit()
        told = [reason for _, reason, _, _ in desk.notes.said]
        assert told == (["RunRequested"] if run_is_made else ["RunsMissed"])
    assert [fact.split(" passed")[0] for fact in desk.facts()] == [
        "RunsMissed NotMadeUpFor: 2 times from 2026-11-02 09:00 UTC to 2026-11-03 09:00 UTC",
        "RunsMissed NotMadeUpFor: the time 2026-11-04 09:00 UTC",
    ]
    assert desk.names() == [f"{NAME}-202611050900"]
    assert desk.outcomes() == [("RequestRun", ["Done"])]


# -- what is in the way -------------------------------------------------------------------------------------------------


async def test_a_run_that_another_operator_made_first_is_the_same_run() -> None:
    desk = Desk()
    await desk.visit()
    meta = {"namespace": NAMESPACE, "name": FIRST, "finalizers": [FINALIZER]}
    desk.api.create(RUNS, {"metadata": meta, "spec": {"experiment": NAME}}, OPERATOR)
    desk.api.events.pop()  # nobody has told this operator yet
    await desk.visit("2026-11-02 09:00")
    assert desk.names() == [FIRST]
    assert desk.outcomes() == [("RequestRun", ["Done"])]


async def test_a_run_that_is_refused_is_tried_until_its_deadline_then_it_is_missed() -> None:
    desk = Desk()
    await desk.visit()

    def refuse(request: Request, moment: str) -> None:
        if request.resource == RUNS and moment == "before":
            raise Refused("quota exceeded")

    desk.api.fault = refuse
    for now in ("2026-11-02 09:00", "2026-11-02 09:05"):
        with pytest.raises(Refused):
            await desk.visit(now)
    await desk.visit("2026-11-02 09:05:01")
    assert desk.outcomes() == [("RequestRun", ["Failed"]), ("RequestRun", ["Failed"])]
    assert len(desk.facts()) == 1
    assert "the time 2026-11-02 09:00 UTC" in desk.facts()[0]


async def test_an_api_server_that_is_away_for_a_moment_delays_a_run_and_no_more() -> None:
    desk = Desk()
    await desk.visit()

    def away(request: Request, moment: str) -> None:
        if request.resource == RUNS and moment == "before":
            raise Unavailable("no answer")

    desk.api.fault = away
    with pytest.raises(Unavailable):
        await desk.visit("2026-11-02 09:00")
    desk.api.fault = None
    await desk.visit("2026-11-02 09:03")
    assert desk.names() == [FIRST]
    assert desk.outcomes() == [("RequestRun", ["Done"])], "under the intent that was open"


async def test_an_intent_about_an_experiment_that_is_gone_is_closed() -> None:
    desk = Desk()
    await desk.visit()

    def crash(request: Request, moment: str) -> None:
        if request.resource == RUNS and moment == "before":
            raise Crash

    desk.api.fault = crash
    with pytest.raises(Crash):
        await desk.visit("2026-11-02 09:00")
    desk.api.fault = None
    desk.api.delete(EXPERIMENTS, NAMESPACE, NAME, USER)
    desk.start()
    assert await desk.visit() is None
    assert desk.outcomes() == [("RequestRun", ["Abandoned"])]


# -- history ------------------------------------------------------------------------------------------------------------


async def test_a_history_is_kept_as_long_as_asked_for() -> None:
    desk = Desk(schedule("0 * * * *", "UTC"), history={"passed": 2, "others": 3})
    for hour in range(9, 21):
        await desk.visit(f"2026-11-02 {hour:02}:00")
        desk.clock.time += timedelta(minutes=5)
        desk.end(f"{NAME}-20261102{hour:02}00", "Passed" if hour % 2 else "Skipped")
        await desk.visit()
    assert desk.names() == [f"{NAME}-20261102{hour:02}00" for hour in (16, 17, 18, 19, 20) if hour != 15]
    assert desk.outcomes()[-1] == ("PruneRuns", ["Done"])
    assert {reasons for _, outcome in desk.outcomes() for reasons in outcome} == {"Done"}


async def test_a_shorter_history_takes_as_many_steps_as_it_needs_in_one_visit() -> None:
    desk = Desk(None, history={"passed": 1, "others": 1})
    for number in range(60):
        desk.clock.time += timedelta(seconds=1)
        meta = {"namespace": NAMESPACE, "name": f"r{number:02}"}
        desk.api.create(RUNS, {"metadata": meta, "spec": {"experiment": NAME}}, USER)
        desk.end(f"r{number:02}", "Skipped")
    assert await desk.visit() is None
    assert desk.names() == ["r59"]
    assert desk.outcomes() == [("PruneRuns", ["Done"])] * 3


async def test_another_run_that_took_the_name_of_one_to_forget_stays() -> None:
    desk = Desk(None, history={"passed": 1, "others": 1})
    for number in range(3):
        desk.clock.time += timedelta(seconds=1)
        desk.api.create(
            RUNS, {"metadata": {"namespace": NAMESPACE, "name": f"r{number}"}, "spec": {"experiment": NAME}}, USER
        )
        desk.end(f"r{number}", "Skipped")

    def replace(request: Request, moment: str) -> None:
        if request.verb == "delete" and moment == "before":
            desk.api.fault = None
            desk.api.delete(RUNS, NAMESPACE, request.name, USER)
            meta = {"namespace": NAMESPACE, "name": request.name}
            desk.api.create(RUNS, {"metadata": meta, "spec": {"experiment": NAME}}, USER)

    desk.api.fault = replace
    await desk.visit()
    assert desk.names() == ["r0", "r2"]
    fresh = desk.api.get(RUNS, NAMESPACE, "r0")
    assert fresh is not None
    assert "status" not in fresh


async def test_a_run_that_is_known_to_be_another_one_by_now_is_not_even_asked_for() -> None:
    desk = Desk(None)
    body = desk.api.create(
        RUNS, {"metadata": {"namespace": NAMESPACE, "name": "r"}, "spec": {"experiment": NAME}}, USER
    )
    desk.start()
    await desk.cluster.perform(DeleteRun(NAMESPACE, "r", "uid-of-another"), 0)
    await desk.cluster.perform(DeleteRun(NAMESPACE, "gone", "uid-of-another"), 0)
    assert desk.since(0) == []
    await desk.cluster.perform(DeleteRun(NAMESPACE, "r", body["metadata"]["uid"]), 0)
    assert desk.names() == []


# -- crashes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "moment", "outcome"),
    [
        ("create", "before", "Done"),
        ("create", "after", "Recovered"),
        ("delete", "before", "Done"),
        ("delete", "after", "Recovered"),
    ],
)
async def test_the_log_says_whether_the_act_was_done_when_the_operator_died(
    verb: str, moment: str, outcome: str
) -> None:
    desk = Desk(history={"passed": 1, "others": 1})
    if verb == "delete":
        for number in range(2):
            meta = {"namespace": NAMESPACE, "name": f"r{number}"}
            desk.api.create(RUNS, {"metadata": meta, "spec": {"experiment": NAME}}, USER)
            desk.end(f"r{number}", "Skipped")

    def die(request: Request, now: str) -> None:
        if (request.verb, request.resource, now) == (verb, RUNS, moment):
            desk.api.fault = None
            raise Crash

    desk.api.fault = die
    with pytest.raises(Crash):
        await desk.visit("2026-11-02 09:00" if verb == "create" else None)
    desk.start()
    await desk.visit()
    assert desk.outcomes() == [("RequestRun" if verb == "create" else "PruneRuns", [outcome])]


class Killer:
    """Ends the process before or after its n-th write."""

    def __init__(self, number: int, moment: str) -> None:
        self.number, self.moment, self.seen = number, moment, 0

    def __call__(self, _: Request, moment: str) -> None:
        self.seen += moment == "before"
        if self.seen == self.number and moment == self.moment:
            self.number = -1
            raise Crash


async def course(desk: Desk) -> None:
    """Two days: a run that passes, two times missed in a downtime, a run that fails, one that is forgotten."""
    steps: list[tuple[str, str, str]] = [
        ("2026-11-02 08:30", "", ""),
        ("2026-11-02 09:00", "202611020900", "Passed"),
        ("2026-11-05 09:02", "202611050900", "Failed"),
        ("2026-11-06 09:00", "202611060900", "Passed"),
    ]
    for now, name, result in steps:
        await survive(desk, now)
        if name:
            desk.clock.time += timedelta(minutes=3)
            desk.end(f"{NAME}-{name}", result)
            await survive(desk, None)
    await survive(desk, None)


async def survive(desk: Desk, now: str | None) -> None:
    while True:
        try:
            await desk.visit(now)
        except Crash:
            desk.start()
        else:
            return


async def undisturbed() -> tuple[Desk, int]:
    desk = Desk(history={"passed": 1, "others": 1})
    counting = Killer(-1, "")
    desk.api.fault = counting
    await course(desk)
    return desk, counting.seen


async def test_a_crash_at_any_write_changes_nothing_about_the_end() -> None:
    expected, writes = await undisturbed()
    assert expected.names() == [f"{NAME}-202611050900", f"{NAME}-202611060900"]
    assert writes > 15
    for number in range(1, writes + 1):
        for moment in ("before", "after"):
            desk, where = Desk(history={"passed": 1, "others": 1}), f"killed {moment} write {number}"
            desk.api.fault = killer = Killer(number, moment)
            await course(desk)
            assert killer.number == -1, where
            assert desk.names() == expected.names(), where
            assert shown(desk.status) == shown(expected.status), where
            assert set(desk.facts()) == set(expected.facts()), where
            assert len(desk.facts()) <= len(expected.facts()) + 1, "a fact may be there twice after a crash"
            made = [text for one in desk.records if one.part is Part.INTENT for text in one.effects]
            assert all(len(reasons) == 1 for _, reasons in desk.outcomes()), where
            assert set(made) == {text for one in expected.records for text in one.effects}, where
            created = [one.name for one in desk.api.requests if (one.verb, one.resource) == ("create", RUNS)]
            assert len(created) <= 4, where
            report = verify((name_of(item.index), item.wire()) for item in desk.records)
            assert not report.findings, where


def shown(status: ExperimentStatus) -> dict[str, object]:
    wire = status.wire()
    wire["conditions"] = [(one.type, one.status, one.reason, one.message) for one in status.conditions]
    return wire


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["*/5 * * * *", "0 * * * *", "* * * * *"]),
    st.sampled_from([0, 45]),
    st.lists(st.tuples(st.integers(1, 3000), st.integers(0, 8), st.sampled_from(["before", "after"])), max_size=20),
)
async def test_whenever_it_dies_every_time_of_the_schedule_is_a_run_or_on_record_as_missed(
    cron: str, spread: int, deaths: list[tuple[int, int, str]]
) -> None:
    """Each step: so many seconds later it is started, and dies at its n-th write (0: it does not)."""
    when = schedule(cron, "Europe/Berlin", jitter=spread)
    desk = Desk(when, history={"passed": 100, "others": 100})
    for seconds, number, moment in [*deaths, (1, 0, "")]:
        desk.clock.time += timedelta(seconds=seconds)
        desk.api.fault = Killer(number or -1, moment)
        desk.start()
        try:
            await desk.visit()
        except Crash:
            continue
    uid = desk.api.list(EXPERIMENTS)[0]["metadata"]["uid"]
    begun, at = 0, next_after(when, CREATED)
    while at is not None and begins_at(when, uid, at) <= desk.clock.time:
        begun, at = begun + 1, next_after(when, at)
    missed = {fact.partition(": ")[2] for fact in desk.facts()}
    assert len(desk.names()) <= begun
    assert len(desk.names()) + sum(map(count_of, missed)) >= begun, "none is lost without a word"
    assert all(len(reasons) == 1 for _, reasons in desk.outcomes())


def count_of(fact: str) -> int:
    return 1 if fact.startswith("the time") else int(fact.partition(" ")[0].replace(",", ""))


async def test_a_month_of_downtime_makes_no_burst() -> None:
    desk = Desk(schedule("* * * * *", "UTC"))
    await desk.visit()
    start = len(desk.api.requests)
    await desk.visit(CREATED + hours(30 * 24))
    assert len(desk.names()) == 1
    assert len(desk.since(start)) <= 8
    assert desk.facts()[0].startswith("RunsMissed NotMadeUpFor: more than 10,000 times from 2026-11-02 08:01 UTC")
