"""What is decided about an experiment: whether it can be used, which run is due, what its status says, when it is looked at again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feem.api.experiment import ChaosExperiment, ConcurrencyPolicy, ExperimentStatus, Schedule
from feem.api.objective import ServiceLevelObjective
from feem.api.run import ChaosRun, RunSpec
from feem.core.chaos.effects import CreateRun, DeleteRun
from feem.core.chaos.experiment import ExperimentPlan, ExperimentSnapshot, decide_experiment, true_of_experiment
from feem.core.chaos.schedule import begins_at, latest, run_name
from feem.core.conditions import find
from feem.ports import Body
from tests.chaos.experiments import (
    CREATED,
    GAUGE,
    MIX,
    NAME,
    NAMESPACE,
    UID,
    experiment,
    hours,
    objective,
    objective_body,
    run,
    schedule,
    spec,
    utc,
    verdict,
)

MORNINGS = schedule("0 10 * * *", "Europe/Berlin")
"""09:00 UTC in winter; the experiment is made at 08:00 UTC of 2 November 2026."""
NOT_COUNTED = "which cannot be counted on stable: name a ratio or a latency, or take spec.schedule out"


@dataclass
class Desk:
    """One experiment over time: its status as it was written last, its runs, and the clock."""

    what: Body
    now: datetime = CREATED
    generation: int = 1
    status: Body | None = None
    runs: list[ChaosRun] = field(default_factory=list)
    objectives: dict[str, ServiceLevelObjective | None] = field(default_factory=lambda: {"errors": objective()})
    service_exists: bool = True
    created: datetime = CREATED

    def seen(self) -> ExperimentSnapshot:
        read = experiment(self.what, generation=self.generation, status=self.status, created=self.created)
        return ExperimentSnapshot(self.now, read, tuple(self.runs), self.objectives, service_exists=self.service_exists)

    def decide(self) -> ExperimentPlan:
        return decide_experiment(self.seen())

    def visit(self, now: datetime | str | None = None, *, crash: bool = False) -> ExperimentPlan:
        """Decide and carry out; with a crash, the status is not written any more."""
        self.now = utc(now) if isinstance(now, str) else now or self.now
        plan = self.decide()
        for effect in plan.effects:
            assert isinstance(effect, CreateRun), effect
            made = RunSpec.model_validate(effect.spec)
            self.runs.append(run(effect.name, made=self.now, scheduledFor=made.wire()["scheduledFor"]))
        if not crash:
            self.status = plan.status.wire()
        return plan

    def edit(self, what: Body) -> None:
        self.what, self.generation = what, self.generation + 1

    @property
    def written(self) -> ExperimentStatus:
        return ExperimentStatus.model_validate(self.status)


def said(status: ExperimentStatus, kind: str) -> tuple[str, str, str]:
    found = find(status.conditions, kind)
    assert found is not None
    return found.status.value, found.reason, found.message


# -- Accepted -----------------------------------------------------------------------------------------------------------


def test_one_without_problems_is_accepted() -> None:
    status = Desk(spec(MORNINGS)).decide().status
    assert said(status, "Accepted") == ("True", "Accepted", "the experiment can be used")
    assert status.observed_generation == 1


@pytest.mark.parametrize(
    ("when", "found", "reason", "message"),
    [
        (
            *(schedule("0 25 * * *"), objective(), "BadCron"),
            "cron '0 25 * * *' cannot be read (Bad hour): write e.g. `0 22 * * 1-4`",
        ),
        (
            *(schedule(zone="Asia/Shangai"), objective(), "UnknownTimeZone"),
            "Asia/Shangai is not an IANA time zone: write e.g. Asia/Shanghai",
        ),
        (
            *(MORNINGS, None, "ObjectiveMissing"),
            "ServiceLevelObjective errors does not exist in this namespace: create it, or correct spec.hypothesis.objectives",
        ),
        (
            *(MORNINGS, objective(status={}), "ObjectiveNotAccepted"),
            "ServiceLevelObjective errors has not been checked yet",
        ),
        (
            *(MORNINGS, objective(status=verdict(objective_body(), generation=7)), "ObjectiveNotAccepted"),
            "ServiceLevelObjective errors has not been checked yet",
        ),
        (
            *(None, objective(status=verdict(objective_body(), accepted=False, why="no sum")), "ObjectiveNotAccepted"),
            "ServiceLevelObjective errors cannot be used: no sum",
        ),
        (
            *(MORNINGS, objective(indicator=MIX), "ObjectiveUnfit"),
            f"ServiceLevelObjective errors is a mix, {NOT_COUNTED}",
        ),
        (
            *(MORNINGS, objective(indicator=GAUGE), "ObjectiveUnfit"),
            f"ServiceLevelObjective errors is a gauge, {NOT_COUNTED}",
        ),
    ],
)
def test_what_cannot_be_used(
    when: Schedule | None, found: ServiceLevelObjective | None, reason: str, message: str
) -> None:
    plan = Desk(spec(when), objectives={"errors": found}).visit("2026-11-02 09:00")
    assert said(plan.status, "Accepted") == ("False", reason, message)
    assert (plan.effects, plan.requeue, plan.status.next_run_at) == ((), None, None)
    if when is not None:
        assert said(plan.status, "Scheduled")[:2] == ("False", "NotAccepted")
        assert message in said(plan.status, "Scheduled")[2]


def test_all_problems_are_said_at_once() -> None:
    desk = Desk(spec(schedule("0 25 * * *", "Asia/Shangai"), ("errors", "speed", "errors", "mix")))
    desk.objectives = {"errors": objective(), "speed": None, "mix": objective("mix", MIX)}
    _, reason, message = said(desk.decide().status, "Accepted")
    assert reason == "UnknownTimeZone"
    parts = message.split("; ")
    assert len(parts) == 5
    assert "objective errors is named 2 times: name it once" in parts


def test_without_a_schedule_a_canary_may_be_judged_by_what_cannot_be_counted_on_stable() -> None:
    desk = Desk(spec(None, ("errors", "mix")), objectives={"errors": objective(), "mix": objective("mix", MIX)})
    assert said(desk.decide().status, "Accepted") == (
        *("True", "Accepted"),
        "it can be tried on canaries only: on stable nothing can be counted for mix",
    )


def test_a_missing_service_is_said_and_refuses_nothing() -> None:
    desk = Desk(spec(MORNINGS), service_exists=False)
    plan = desk.visit("2026-11-02 09:00")
    assert said(plan.status, "Accepted") == (
        *("True", "ServiceMissing"),
        "ManagedService limit-scoring does not exist: runs are skipped until it does",
    )
    assert [str(effect) for effect in plan.effects] == [f"create ChaosRun {NAMESPACE}/{NAME}-202611020900"]


# -- Scheduled ----------------------------------------------------------------------------------------------------------


def test_the_next_time_is_said_in_its_own_zone_and_in_utc() -> None:
    when = schedule("0 10 * * *", "Asia/Kolkata", jitter=600)
    desk = Desk(spec(when))
    plan = desk.visit()
    at = utc("2026-11-03 04:30")
    begin = begins_at(when, UID, at)
    assert begin > at
    assert said(plan.status, "Scheduled") == (
        *("True", "Scheduled"),
        f"next 2026-11-03 10:00 Asia/Kolkata (2026-11-03 04:30 UTC); the run begins {begin:%Y-%m-%d %H:%M:%S} UTC",
    )
    assert plan.status.next_run_at == begin
    assert plan.requeue == (begin - CREATED).total_seconds()


@pytest.mark.parametrize(
    ("what", "reason"),
    [(spec(), "NoSchedule"), (spec(MORNINGS, state="Suspended"), "Suspended")],
)
def test_what_makes_no_runs_says_why_and_waits_for_an_event(what: Body, reason: str) -> None:
    plan = Desk(what).visit("2026-11-02 09:00")
    assert said(plan.status, "Scheduled")[:2] == ("False", reason)
    assert (plan.effects, plan.missed, plan.requeue) == ((), None, None)
    assert (plan.status.next_run_at, plan.status.last_scheduled_at) == (None, None)


def test_one_that_is_being_deleted_is_left_alone() -> None:
    desk = Desk(spec(MORNINGS), utc("2026-11-02 09:00"))
    seen = desk.seen()
    meta = seen.experiment.metadata.model_copy(update={"deletion_timestamp": CREATED})
    gone = ChaosExperiment(metadata=meta, spec=seen.experiment.spec)
    plan = decide_experiment(ExperimentSnapshot(desk.now, gone, (), desk.objectives, service_exists=True))
    assert (plan.effects, plan.status, plan.requeue) == ((), ExperimentStatus(), None)


# -- runs ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", list(ConcurrencyPolicy))
@pytest.mark.parametrize("other_is_open", [False, True])
def test_a_due_run_is_made_whatever_else_is_open_so_that_it_can_say_why_it_is_skipped(
    policy: ConcurrencyPolicy, *, other_is_open: bool
) -> None:
    desk = Desk(spec(MORNINGS, concurrencyPolicy=policy.value))
    desk.visit()
    if other_is_open:
        desk.runs.append(run("by-hand"))
    plan = desk.visit("2026-11-02 09:00:01")
    (effect,) = plan.effects
    assert isinstance(effect, CreateRun)
    assert (effect.namespace, effect.name) == (NAMESPACE, f"{NAME}-202611020900")
    assert (effect.experiment, effect.experiment_uid) == (NAME, UID)
    made = RunSpec.model_validate(effect.spec)
    assert made == RunSpec(experiment=NAME, scheduled_for=utc("2026-11-02 09:00"))
    assert (plan.action, plan.reason, plan.made) == ("RequestRun", "Scheduled", effect.name)
    assert plan.message == "`0 10 * * *`: the time 2026-11-02 10:00 Europe/Berlin (2026-11-02 09:00 UTC) has come"
    assert plan.status.last_scheduled_at == utc("2026-11-02 09:00")
    assert plan.status.last_run == effect.name
    assert plan.status.next_run_at == utc("2026-11-03 09:00")
    assert plan.requeue == 86399


def test_a_second_look_makes_nothing_and_writes_nothing_new() -> None:
    desk = Desk(spec(MORNINGS))
    desk.visit("2026-11-02 09:00")
    before = desk.written
    again = desk.visit("2026-11-02 09:00:30")
    assert (again.effects, again.missed, again.made) == ((), None, "")
    assert desk.written == before


def test_after_a_crash_the_run_that_is_there_counts_and_is_told_of() -> None:
    desk = Desk(spec(MORNINGS))
    desk.visit()
    desk.visit("2026-11-02 09:00", crash=True)
    again = desk.visit("2026-11-02 09:01")
    assert (again.effects, again.missed, again.made) == ((), None, f"{NAME}-202611020900")
    assert again.status.last_scheduled_at == utc("2026-11-02 09:00")
    assert desk.visit().made == ""


def test_a_downtime_of_days_makes_one_run_and_says_what_was_missed() -> None:
    desk = Desk(spec(MORNINGS))
    desk.visit()
    plan = desk.visit("2026-11-06 09:04")
    assert [effect.name for effect in plan.effects if isinstance(effect, CreateRun)] == [f"{NAME}-202611060900"]
    assert str(plan.missed) == "4 times from 2026-11-02 09:00 UTC to 2026-11-05 09:00 UTC"
    late = desk.visit("2026-11-08 12:00")
    assert late.effects == ()
    assert str(late.missed) == "2 times from 2026-11-07 09:00 UTC to 2026-11-08 09:00 UTC"
    assert desk.visit("2026-11-08 12:01").missed is None


def test_a_clock_that_was_set_back_repeats_nothing_and_says_so() -> None:
    desk = Desk(spec(MORNINGS))
    desk.visit("2026-11-02 09:00")
    back = desk.visit("2026-11-01 09:00")
    assert (back.effects, back.missed) == ((), None)
    assert back.status.last_scheduled_at == utc("2026-11-02 09:00")
    assert "the clock was set back: times up to 2026-11-02 09:00:00 UTC" in said(back.status, "Scheduled")[2]
    assert desk.visit("2026-11-02 09:00:10").effects == ()
    assert len(desk.visit("2026-11-03 09:00").effects) == 1


def test_only_runs_with_the_name_of_their_time_stand_for_it() -> None:
    desk = Desk(spec(MORNINGS), runs=[run("by-hand", scheduledFor="2099-11-02T09:00:00Z"), run("another")])
    assert len(desk.visit("2026-11-02 09:00").effects) == 1


# -- what does not count as missed --------------------------------------------------------------------------------------


def test_what_was_suspended_is_neither_run_nor_missed_when_it_is_resumed() -> None:
    desk = Desk(spec(MORNINGS))
    desk.visit("2026-11-02 09:00")
    desk.edit(spec(MORNINGS, state="Suspended"))
    suspended = desk.visit("2026-11-02 10:00")
    assert suspended.status.last_scheduled_at == utc("2026-11-02 09:00")
    assert desk.visit("2026-11-05 09:00").status.last_scheduled_at == utc("2026-11-02 09:00")
    desk.edit(spec(MORNINGS))
    resumed = desk.visit("2026-11-05 09:02")
    assert (resumed.effects, resumed.missed) == ((), None)
    assert resumed.status.last_scheduled_at == utc("2026-11-05 09:00")
    assert len(desk.visit("2026-11-06 09:00").effects) == 1


def test_what_would_have_begun_after_it_is_resumed_was_suspended_too() -> None:
    when = schedule("0 10 * * *", "UTC", jitter=3600)
    begin = begins_at(when, UID, utc("2026-11-03 10:00"))
    assert begin - utc("2026-11-03 10:00") > timedelta(minutes=5)
    desk = Desk(spec(when, state="Suspended"))
    desk.visit()
    desk.edit(spec(when))
    assert desk.visit("2026-11-03 10:01").status.next_run_at == begins_at(when, UID, utc("2026-11-04 10:00"))
    assert desk.visit(begin).effects == ()


@pytest.mark.parametrize("after", [schedule("0 9 * * *", "UTC"), schedule("0 9 * * *", "UTC", deadline=86400)])
@pytest.mark.parametrize("before", [None, schedule("0 23 1 1 *", "UTC"), schedule("0 9 * * *", "Asia/Tokyo")])
def test_a_schedule_that_is_new_or_another_counts_from_its_change_on(before: Schedule | None, after: Schedule) -> None:
    desk = Desk(spec(before))
    desk.visit()
    desk.edit(spec(after))
    plan = desk.visit("2026-11-12 09:01")
    assert (plan.effects, plan.missed) == ((), None)
    assert plan.status.next_run_at == utc("2026-11-13 09:00")
    assert len(desk.visit("2026-11-13 09:00").effects) == 1


def test_an_edit_of_something_else_loses_no_time() -> None:
    desk = Desk(spec(MORNINGS))
    desk.visit()
    desk.edit(spec(MORNINGS, description="what becomes of requests when a pod goes away"))
    plan = desk.visit("2026-11-03 09:01")
    assert len(plan.effects) == 1
    assert str(plan.missed) == "the time 2026-11-02 09:00 UTC"


def test_times_without_an_objective_to_go_by_are_missed_and_said() -> None:
    desk = Desk(spec(MORNINGS))
    desk.visit()
    desk.objectives = {"errors": None}
    assert desk.visit("2026-11-03 09:00").missed is None
    desk.objectives = {"errors": objective()}
    plan = desk.visit("2026-11-04 09:01")
    assert len(plan.effects) == 1
    assert str(plan.missed) == "2 times from 2026-11-02 09:00 UTC to 2026-11-03 09:00 UTC"


def test_a_schedule_that_comes_with_an_objective_that_is_not_there_yet_counts_from_its_change_on() -> None:
    desk = Desk(spec())
    desk.visit()
    desk.edit(spec(MORNINGS))
    desk.objectives = {"errors": None}
    desk.visit("2026-11-12 08:00")
    desk.objectives = {"errors": objective()}
    plan = desk.visit("2026-11-12 08:01")
    assert (plan.effects, plan.missed) == ((), None)


def test_one_made_while_no_operator_ran_is_run_for_a_time_since_then() -> None:
    plan = Desk(spec(MORNINGS)).visit("2026-11-02 09:02")
    assert len(plan.effects) == 1
    assert plan.missed is None


# -- history and results ------------------------------------------------------------------------------------------------


def test_old_runs_are_forgotten_one_action_apart_from_new_ones() -> None:
    old = [run(f"r{number}", "Skipped", CREATED + hours(number)) for number in range(3)]
    desk = Desk(spec(MORNINGS, history={"passed": 1, "others": 1}), runs=list(old))
    assert [type(effect) for effect in desk.visit("2026-11-02 09:00").effects] == [CreateRun]
    plan = desk.decide()
    assert plan.effects == tuple(DeleteRun(NAMESPACE, f"r{number}", f"uid-r{number}") for number in (0, 1))
    assert (plan.action, plan.reason) == ("PruneRuns", "History")
    assert plan.message == "the newest 1 that passed and 1 others are kept"
    assert [str(effect) for effect in plan.effects] == [f"delete ChaosRun {NAMESPACE}/r{number}" for number in (0, 1)]


def test_a_releases_runs_on_canaries_are_neither_told_of_nor_forgotten() -> None:
    canaries = [run(f"r-{number}-s1", "Failed", CREATED, track="Canary", release=f"r-{number}") for number in range(30)]
    plan = Desk(spec(history={"passed": 1, "others": 1}), runs=canaries).decide()
    assert plan.effects == ()
    assert said(plan.status, "Resilient")[:2] == ("Unknown", "NoResult")
    assert (plan.status.last_run, plan.status.last_result) == ("", "")


def test_results_are_told_in_the_status() -> None:
    desk = Desk(spec(), runs=[run("a", "Passed", CREATED + hours(1))])
    first = desk.visit()
    assert (first.status.last_run, first.status.last_result) == ("a", "Passed")
    assert first.status.last_passed_at == CREATED + hours(1)
    desk.runs += [run("b", "Failed", CREATED + hours(2)), run("c", "Skipped", CREATED + hours(3)), run("d")]
    second = desk.visit()
    assert (second.status.last_run, second.status.last_result) == ("d", "Skipped")
    assert said(second.status, "Resilient")[1] == "Failed"
    assert second.status.last_passed_at == CREATED + hours(1)
    desk.runs.clear()
    third = desk.visit()
    assert third.status == second.status


def test_what_is_true_after_a_crash() -> None:
    desk = Desk(spec(MORNINGS), runs=[run("here"), run("going", deleting=True)])
    announced = [f"delete ChaosRun {NAMESPACE}/{name}" for name in ("gone", "here", "going")]
    announced += ["delete ChaosRun elsewhere/gone", f"create ChaosRun {NAMESPACE}/wanted"]
    assert true_of_experiment(desk.seen(), announced) == {
        *(f"create ChaosRun {NAMESPACE}/{name}" for name in ("here", "going")),
        *(f"delete ChaosRun {NAMESPACE}/{name}" for name in ("gone", "going")),
    }


# -- any course of events -----------------------------------------------------------------------------------------------

CRONS = ["* * * * *", "*/5 * * * *", "0 * * * *", "30 1,2,3 * * *"]
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]
STEP = st.tuples(
    st.integers(-900, 5000), st.sampled_from(["", "", "", "crash", "suspend", "resume", "unready", "ready"])
)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(CRONS),
    st.sampled_from(ZONES),
    st.sampled_from([0, 45, 600]),
    st.sampled_from([10, 120, 7200]),
    st.lists(STEP, min_size=1, max_size=30),
)
def test_whatever_happens_each_time_is_run_once_at_the_most_and_none_is_made_up_for(
    cron: str, zone: str, spread: int, deadline: int, steps: list[tuple[int, str]]
) -> None:
    """Downtimes, clocks set back, crashes between run and status, suspension, objectives that come and go."""
    when = schedule(cron, zone, jitter=spread, deadline=deadline)
    start = utc("2026-03-29 00:10")
    desk, known = Desk(spec(when), start, created=start), None
    for seconds, event in steps:
        if event in ("suspend", "resume"):
            desk.edit(spec(when, state="Suspended" if event == "suspend" else "Active"))
        elif event in ("unready", "ready"):
            desk.objectives = {"errors": objective() if event == "ready" else None}
        now = desk.now + timedelta(seconds=seconds)
        idle = desk.what.get("state") == "Suspended" or desk.objectives["errors"] is None
        plan = desk.visit(now, crash=event == "crash")
        made = [effect for effect in plan.effects if isinstance(effect, CreateRun)]
        assert len(made) <= (0 if idle else 1)
        for effect in made:
            at = RunSpec.model_validate(effect.spec).scheduled_for
            assert at is not None
            assert at == latest(when, at - timedelta(seconds=1), at), "it is a time of the schedule"
            begin = begins_at(when, UID, at)
            assert begin <= now <= begin + timedelta(seconds=deadline)
            assert effect.name == run_name(NAME, at)
        assert plan.missed is None or not idle
        scheduled = desk.written.last_scheduled_at if desk.status else None
        assert known is None or (scheduled is not None and scheduled >= known), "it only grows"
        known = scheduled
        if plan.requeue is not None:
            assert now + timedelta(seconds=plan.requeue) == plan.status.next_run_at
    times = [item.spec.scheduled_for for item in desk.runs]
    assert len(set(times)) == len(times)
    assert times == sorted(times, key=str)


def test_a_clock_set_back_right_after_a_crash_repeats_nothing_either() -> None:
    desk = Desk(spec(schedule("* * * * *", "UTC")))
    desk.visit()
    assert len(desk.visit("2026-11-02 08:09", crash=True).effects) == 1
    assert desk.visit("2026-11-02 08:05").effects == ()
    assert desk.visit("2026-11-02 08:09:50").effects == ()
    assert len(desk.visit("2026-11-02 08:10").effects) == 1
