# ruff: noqa: ARG002 - the signatures are those of the ports
"""Proves in which order a run's decisions are carried out, recorded, written down and told, and what a refusal or a lost write does."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from feem.api.audit import AuditSpec, Part
from feem.api.run import ChaosRun, RunStatus
from feem.controllers.chaos.gather import RunGatherer
from feem.controllers.chaos.judge import RunJudge
from feem.controllers.chaos.run import RunController
from feem.controllers.door import Door
from feem.core.chaos.proof import proof_digest
from feem.core.chaos.snapshot import RunSnapshot
from feem.core.chaos.status import PROGRESSING, result_of, status_of
from feem.core.conditions import find
from feem.core.finalizer import FINALIZER
from feem.ports import Body, Cluster, Conflict, Refused, Unavailable
from tests.chaos import snapshots as at
from tests.world.api import Api
from tests.world.ledger import SimulatedLedger

RUNS, EXPERIMENTS = "chaosruns.feem.dev", "chaosexperiments.feem.dev"
Trouble = Callable[[str], None]


def progress_of(run: ChaosRun) -> str:
    """What a run does now, as one word."""
    found = find(status_of(run).conditions, PROGRESSING)
    return found.reason if found is not None else ""


class Office:
    """A cluster, a judge, people and Prometheus in one: what is done to them stands in `done`, in order."""

    def __init__(self, *names: str, fault: Body | None = None) -> None:
        self.now, self.asked = at.NOW, at.FAIL if fault is None else fault
        self.done: list[str] = []
        self.trouble: Trouble = lambda _: None
        self.changes: dict[str, Any] = {}
        self.document_of: bytes | None = None
        self.forgotten: list[str] = []
        self.runs: dict[str, Body] = {}
        for number, name in enumerate(names or (at.NAME,)):
            self.add(
                at.run(
                    name=name, uid=f"uid-{name}", meta={"creationTimestamp": at.NOW - timedelta(seconds=90 - number)}
                )
            )
        self.experiment = at.experiment(self.asked)
        self.records: list[AuditSpec] = []
        self.ledger = SimulatedLedger(Api(lambda: self.now), self.records, lambda: self.now)
        self.controller = self.start()

    def start(self) -> RunController:
        """A new process."""
        cluster, judge = cast("Cluster", self), cast("RunJudge", self)
        door, gatherer = Door(cluster, self.ledger), cast("RunGatherer", self)
        self.controller = RunController(
            cluster, self.ledger, self, self, gatherer=gatherer, judge=judge, door=door, elapsed=lambda: 0.0
        )
        return self.controller

    def add(self, made: ChaosRun) -> None:
        body = made.model_dump(mode="json", by_alias=True, exclude_none=True)
        self.runs[made.metadata.name] = body

    def run(self, name: str = at.NAME) -> ChaosRun:
        return ChaosRun.read(self.runs[name])

    def status(self, name: str = at.NAME) -> RunStatus:
        return status_of(self.run(name))

    async def visit(self, seconds: float = 0) -> float | None:
        self.now += timedelta(seconds=seconds)
        return await self.controller.reconcile(at.NAMESPACE, at.SERVICE)

    async def through(self, limit: float = 400) -> None:
        """Look as often as is asked for, until nothing is."""
        start = self.now
        wait = await self.visit()
        while wait is not None:
            assert self.now - start < timedelta(seconds=limit), progress_of(self.run())
            wait = await self.visit(max(wait, 1.0))

    def told(self, kind: str) -> list[str]:
        return [each.removeprefix(f"{kind} ") for each in self.done if each.startswith(f"{kind} ")]

    def outcomes(self) -> list[tuple[str, str]]:
        """Each intent with how it ended."""
        closed = {one.intent: one.reason for one in self.records if one.part is Part.OUTCOME}
        return [(one.action, closed.get(one.index, "open")) for one in self.records if one.part is Part.INTENT]

    def _do(self, what: str) -> None:
        self.trouble(what)
        self.done.append(what)

    # -- the gatherer and the judge -------------------------------------------------------------------------------------

    async def snapshot(self, run: ChaosRun) -> RunSnapshot:
        others = [other for name in self.runs if name != run.metadata.name for other in [self.run(name)]]
        seen = at.gathered(run, self.now, self.asked)
        open_runs = tuple(other for other in others if status_of(other).completed_at is None)
        seen = replace(seen, around=replace(seen.around, others=open_runs), experiment=self.experiment)
        return replace(seen, **self.changes)

    def document(self, run: ChaosRun, action: str) -> bytes | None:
        return self.document_of

    def forget(self, uid: str) -> None:
        self.forgotten.append(uid)

    # -- the cluster ----------------------------------------------------------------------------------------------------

    def get(self, resource: str, namespace: str, name: str) -> Body | None:
        if resource == EXPERIMENTS:
            body: Body = {"spec": self.experiment.spec.wire()}
            return body
        return copy.deepcopy(self.runs.get(name))

    def list(self, resource: str, namespace: str | None = None) -> list[Body]:
        return [copy.deepcopy(body) for body in self.runs.values()]

    async def set_finalizer(self, resource: str, namespace: str, name: str, *, present: bool) -> None:
        self._do(f"finalizer {'on' if present else 'off'}")
        self.runs[name]["metadata"]["finalizers"] = [FINALIZER] if present else []

    async def write_status(self, resource: str, namespace: str, name: str, status: Body, version: str) -> None:
        read = RunStatus.model_validate(status)
        self._do(f"status {at.said(read)}")
        self.runs[name]["status"] = status

    async def perform(self, effect: Any, intent: int) -> None:
        assert self.records[intent].part is Part.INTENT, "nothing is done that is not on record"
        self._do(f"perform {type(effect).__name__}")

    # -- people and Prometheus ------------------------------------------------------------------------------------------

    async def publish(self, regarding: Body, *, reason: str, message: str, warning: bool = False) -> None:
        self._do(f"event {reason}{' !' if warning else ''}")

    def fault(
        self, namespace: str, service: str, experiment: str, run: str, fault: str, *, in_place: bool, expires: float
    ) -> None:
        self._do(f"gauge {in_place}")

    def run_ended(self, namespace: str, service: str, experiment: str, result: str, cause: str) -> None:
        self._do(f"count {service} {experiment} {result} {cause}")

    def undone(self, seconds: float) -> None:
        self._do("measure undo")

    def recovered(self, seconds: float) -> None:
        self._do(f"measure recovery {seconds:.0f}")


async def test_a_run_goes_through_its_life_in_this_order() -> None:
    office = Office()
    await office.through()
    assert [each for each in office.done if not each.startswith(("measure", "gauge"))] == [
        *("finalizer on", "status Planned"),
        *("perform InjectFault", "status Running", "event InjectFault !"),
        "status Running",
        *("perform UndoFault", "status Recovering", "event UndoFault"),
        "status Recovering",
        *("status Ended", f"count {at.SERVICE} {at.EXPERIMENT} Passed HypothesisHeld", "event HypothesisHeld"),
        "finalizer off",
    ]
    assert office.outcomes() == [("InjectFault", "Done"), ("UndoFault", "Done")]
    assert office.forgotten == [f"uid-{at.NAME}"]
    assert result_of(office.run()) == "Passed"


async def test_once_it_is_over_nothing_is_done_any_more() -> None:
    office = Office()
    await office.through()
    before = list(office.done), len(office.records)
    assert await office.visit(600) is None
    assert (office.done, len(office.records)) == before


async def test_the_end_is_on_record_before_the_status_says_it_and_the_record_holds_on_to_it() -> None:
    office = Office()

    def look(what: str) -> None:
        if what == "status Ended":
            assert facts(office), "the fact comes first"

    office.trouble = look
    await office.through()
    (fact,) = facts(office)
    assert (fact.action, fact.reason, fact.evidence) == ("ChaosRunEnded", "HypothesisHeld", proof_digest(office.run()))
    assert fact.message.startswith("Passed: every objective held")


def facts(office: Office) -> list[AuditSpec]:
    return [one for one in office.records if one.part is Part.FACT]


async def test_what_is_measured_is_whether_a_fault_may_be_in_place_and_how_long_it_took_to_recover() -> None:
    office = Office()
    await office.through()
    assert list(dict.fromkeys(office.told("gauge"))) == ["True", "False"]
    assert office.told("measure") == ["undo", "recovery 30"]
    assert len(office.told("count")) == 1


# -- refusals and lost writes -------------------------------------------------------------------------------------------


async def test_an_injection_that_is_refused_is_taken_back_at_once_and_ends_as_an_error() -> None:
    office = Office()

    def refuse(what: str) -> None:
        if what == "perform InjectFault":
            raise Refused("denied by policy")

    office.trouble = refuse
    await office.visit()
    assert office.outcomes() == [("InjectFault", "Failed"), ("UndoFault", "Done")]
    assert (office.status().cause, office.status().cause_message) == ("InjectionRefused", "denied by policy")
    assert office.status().injected_at is None
    await office.through()
    assert (result_of(office.run()), office.status().cause) == ("Error", "InjectionRefused")
    assert office.told("event") == ["UndoFault !", "InjectionRefused !"]


async def test_an_undo_that_is_refused_is_told_on_the_run_once_and_tried_again() -> None:
    office = Office()
    await office.visit()

    def refuse(what: str) -> None:
        if what == "perform UndoFault":
            raise Refused("denied by policy")

    office.trouble = refuse
    for _ in range(3):
        with pytest.raises(Refused):
            await office.visit(60)
    assert office.told("status").count("UndoRefused") == 1
    assert progress_of(office.run()) == "UndoRefused"
    assert office.status().undone_at is None
    office.trouble = lambda _: None
    await office.through()
    assert result_of(office.run()) == "Passed"


@pytest.mark.parametrize("problem", [Unavailable("no answer"), Conflict("changed")])
@pytest.mark.parametrize(
    "what", ["perform InjectFault", "perform UndoFault", "status Planned", "status Running", "status Ended"]
)
async def test_what_does_not_arrive_is_done_again_and_told_once(what: str, problem: Exception) -> None:
    office, failed = Office(), list[str]()

    def fail_once(now: str) -> None:
        if now == what and not failed:
            failed.append(now)
            raise problem

    office.trouble = fail_once
    raised, wait, start = 0, cast("float | None", 0.0), office.now
    while wait is not None and office.now - start < timedelta(seconds=400):
        try:
            wait = await office.visit(max(wait, 1.0))
        except (Unavailable, Conflict):
            raised, wait = raised + 1, 1.0
    assert (raised, failed) == (1, [what])
    assert (result_of(office.run()), office.status().cause) == ("Passed", "HypothesisHeld")
    assert office.told("event") == ["InjectFault !", "UndoFault", "HypothesisHeld"]
    assert len(office.told("count")) == 1
    assert all(reason != "open" for _, reason in office.outcomes())


async def test_nobody_is_told_what_was_not_written_down() -> None:
    office = Office()

    def lost(what: str) -> None:
        if what.startswith("status"):
            raise Conflict("changed")

    office.trouble = lost
    for _ in range(3):
        with pytest.raises(Conflict):
            await office.visit(1)
    assert (office.told("event"), office.told("count"), office.told("gauge")) == ([], [], [])


async def test_without_the_finalizer_nothing_is_settled() -> None:
    office = Office()

    def refuse(what: str) -> None:
        if what.startswith("finalizer"):
            raise Refused("no")

    office.trouble = refuse
    with pytest.raises(Refused):
        await office.visit()
    assert office.done == []
    assert office.run().status is None


async def test_a_finalizer_that_stands_already_is_not_written_again() -> None:
    office = Office()
    office.add(at.run(uid=f"uid-{at.NAME}", meta={"finalizers": [FINALIZER]}))
    await office.visit()
    assert office.told("finalizer") == []


async def test_a_run_that_is_skipped_needs_no_finalizer_and_no_effect() -> None:
    office = Office()
    office.changes = {"judged": at.BREACH}
    assert await office.visit() is None
    assert (office.told("perform"), office.told("finalizer")) == ([], [])
    assert office.told("event") == ["NotSteady !"]
    assert [one.action for one in office.records] == ["ChaosRunEnded"]


# -- samples ------------------------------------------------------------------------------------------------------------


async def test_the_samples_are_kept_before_the_end_is_on_record() -> None:
    office = Office()
    office.document_of = b"tape"
    await office.through()
    assert office.outcomes()[-1] == ("KeepEvidence", "Done")
    order = [each for each in office.done if each in ("perform KeepEvidence", "status Ended")]
    assert order == ["perform KeepEvidence", "status Ended"]
    (kept,) = office.status().evidence_files
    assert kept.digest == at.PASS.digest
    (fact,) = facts(office)
    assert fact.evidence == proof_digest(office.run()), "the proof names the file"
    assert fact.index > max(one.index for one in office.records if one.action == "KeepEvidence")


async def test_samples_that_cannot_be_kept_hold_nothing_up() -> None:
    office = Office()
    office.document_of = b"tape"

    def refuse(what: str) -> None:
        if what == "perform KeepEvidence":
            raise Refused("the namespace is going")

    office.trouble = refuse
    await office.through()
    assert office.status().evidence_files == []
    assert result_of(office.run()) == "Passed"


# -- several runs -------------------------------------------------------------------------------------------------------


async def test_of_two_runs_that_wait_the_older_one_goes_first() -> None:
    office = Office("b", "a")
    await office.visit()
    assert progress_of(office.run("b")) == "Running"
    assert (result_of(office.run("a")), office.status("a").cause) == ("Skipped", "AnotherRun")


async def test_a_run_with_a_fault_in_place_is_looked_at_before_an_older_one() -> None:
    office = Office("old", "young")
    young = office.runs.pop("young")
    held = office.runs.pop("old")
    office.runs = {"young": young}
    await office.visit()
    office.runs = {"old": held, "young": office.runs["young"]}
    office.changes, office.done = {"judged": at.BREACH}, []
    await office.visit(1)
    assert office.done[0] == "perform UndoFault"


async def test_runs_of_other_services_and_runs_that_are_over_are_left_alone() -> None:
    office = Office("mine", "theirs", "over")
    theirs = at.other(service="report")
    office.runs["theirs"]["status"] = status_of(theirs).wire()
    office.runs["over"]["status"] = {**status_of(theirs).wire(), "completedAt": at.NOW.isoformat()}
    before = {name: copy.deepcopy(office.runs[name]) for name in ("theirs", "over")}
    await office.visit()
    assert {name: office.runs[name] for name in before} == before
    assert progress_of(office.run("mine")) == "Running"


async def test_a_run_that_is_gone_is_forgotten() -> None:
    office = Office()
    listed = office.list(RUNS)
    office.list = lambda *_: listed  # type: ignore[method-assign]
    office.runs.clear()
    assert await office.visit() is None
    assert office.forgotten == [f"uid-{at.NAME}"]
    office.add(at.run(uid="another"))
    assert await office.visit() is None
    assert office.done == []


async def test_it_comes_again_when_the_first_of_them_has_to_be_looked_at() -> None:
    office = Office()
    assert await office.visit() == 5
    assert await office.visit(57) == 3


def moments(office: Office) -> list[datetime | None]:
    status = office.status()
    return [status.planned_at, status.injected_at, status.undone_at, status.completed_at]


async def test_all_moments_are_those_of_the_looks() -> None:
    office = Office()
    await office.through()
    begin = at.NOW
    assert moments(office) == [begin, begin, begin + timedelta(seconds=60), begin + timedelta(seconds=90)]
