"""What holds for every picture a run can be decided from, however unlikely."""

from __future__ import annotations

import copy
import functools
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from feem.api.release import Outcome
from feem.api.run import RunStatus
from feem.core.chaos.acts import InjectFault, UndoFault
from feem.core.chaos.decide import decide
from feem.core.chaos.edit import Body, Remove
from feem.core.chaos.plan import RunPlan
from feem.core.chaos.refusals import reason_to_stop
from feem.core.chaos.rivals import other_run
from feem.core.chaos.running import STALE_PLAN
from feem.core.chaos.snapshot import Judged, Reading, Refusal, RunSnapshot, Surroundings, Workload
from feem.core.chaos.status import State, differs, state_of, status_of
from feem.core.finalizer import FINALIZER
from tests.chaos import snapshots as at
from tests.chaos.scenes import scene
from tests.rollout import snapshots as rollout

STATES = {"new": at.new, "planned": at.planned, "running": at.running, "recovering": at.recovering}
AGES = {
    "new": [0],
    "planned": [1, 29, 31, 90],
    "running": [0, 20, 59, 61, 90],
    "recovering": [0, 10, 31, 119, 121, 900],
}


@functools.cache
def base(state: str, fault: str, age: int) -> RunSnapshot:
    return at.ended() if state == "ended" else STATES[state](at.FAULTS[fault], ago=age)


def rarely(*others: Any) -> st.SearchStrategy[Any]:
    """Mostly the first."""
    first, *rest = others
    return st.sampled_from([first] * 5 + rest)


def surroundings() -> st.SearchStrategy[Surroundings]:
    return st.builds(
        Surroundings,
        allowed=rarely(True, False),
        service=rarely(at.service(), None, at.service(ready=False)),
        workload=rarely(
            Workload("uid-deployment", 3, 3), Workload("uid-deployment", 3, 2), Workload("uid-other", 3, 3), None
        ),
        objectives=rarely({"errors": at.objective()}, {}, {"errors": at.objective("-1.0%")}),
        windows=rarely((), (at.FREEZE,), (at.CLOSED,), (at.OPEN,)),
        releases=rarely((), (at.release(),), (at.release("WaitingForChaos", 0),), (rollout.release(),)),
        others=rarely((), (at.other(),), (at.other(planned=False, reason="Replacing"),), (at.run(name="x", uid="y"),)),
        services=st.just((at.service(),)),
        halts=rarely((), (at.halt(),), (at.halt("other"),)),
        terminating=rarely(False, True),
    )


JUDGED = rarely(at.PASS, at.BREACH, at.THIN, at.UNKNOWN, Judged())
READING = rarely(Reading(0.0), Reading(1.0), Reading(problem="x"), None)


def _edited(found: dict[str, Body | None]) -> dict[str, Body | None]:
    edited = copy.deepcopy(found)
    for body in edited.values():
        if body is not None and "containers" in body["spec"]:
            body["spec"]["containers"][0] |= {"image": "by-hand", "resources": {"limits": {"cpu": "77m"}}}
        elif body is not None and "replicas" in body["spec"]:
            body["spec"]["replicas"] = 7
    return edited


@st.composite
def pictures(draw: st.DrawFn, *states: str) -> RunSnapshot:
    state = draw(st.sampled_from(states or (*STATES, "ended")))
    s = base(state, draw(st.sampled_from(sorted(at.FAULTS))), draw(st.sampled_from(AGES.get(state, [0]))))
    run = s.run
    if draw(rarely(False, True)):
        run = at.stopped(run)
    if draw(rarely(False, True)):
        run = at.deleted(run)
    if run.status is not None:
        since = draw(st.sampled_from([None, None, 10, 60]))
        lost = None if since is None else at.NOW - timedelta(seconds=since)
        broken = draw(rarely(False, False, True))
        records = [one.model_copy(update={"detail": "{"} if broken else {}) for one in run.status.edits]
        run = run.model_copy(
            update={"status": run.status.model_copy(update={"unmeasured_since": lost, "edits": records})}
        )
    edits = () if state == "new" else at.edits_in(s)
    objects = [at.restored(edits), at.during(edits), at.lost(edits), _edited(at.restored(edits)), {}, None]
    return replace(
        s,
        run=run,
        around=draw(surroundings()),
        experiment=draw(rarely(s.experiment, None)),
        scene=draw(rarely(s.scene, None, scene(pods=()))) if state == "new" else None,
        judged=draw(JUDGED),
        during=draw(JUDGED),
        reading=draw(READING),
        observed=draw(st.sampled_from(objects)),
        vanished=draw(rarely(False, True)),
        announced=draw(rarely(None, ("Halted", "x"), ("TimeIsUp", "x"))) if state in ("planned", "running") else None,
        refused=draw(rarely(None, Refusal("InjectionRefused", "x"))) if state == "planned" else None,
    )


def ends(s: RunSnapshot, plan: RunPlan) -> bool:
    return plan.status.completed_at is not None and status_of(s.run).completed_at is None


def targets(plan: RunPlan) -> list[Any]:
    return [target for effect in plan.effects if isinstance(effect, UndoFault) for target in effect.targets]


@settings(max_examples=120)
@given(pictures())
def test_the_same_picture_leads_to_the_same_plan_and_stays_as_it_is(s: RunSnapshot) -> None:
    before = copy.deepcopy(s)
    assert decide(s) == decide(s)
    assert s == before


@settings(max_examples=120)
@given(pictures())
def test_no_run_ends_before_whatever_may_have_been_injected_is_taken_back(s: RunSnapshot) -> None:
    plan = decide(s)
    if ends(s, plan) and plan.status.planned_at is not None:
        assert plan.status.undone_at is not None
        assert status_of(s.run).undone_at is not None, "and on an earlier look, so that it is on record"
        assert at.said(plan.status, "FaultInPlace") == "Undone"
    if ends(s, plan) and plan.status.planned_at is None:
        assert at.said(plan.status, "FaultInPlace") == "Never"
    assert not (ends(s, plan) and plan.effects)


@settings(max_examples=120)
@given(pictures("planned"))
def test_nothing_is_injected_that_anything_speaks_against(s: RunSnapshot) -> None:
    plan, terms, planned = decide(s), status_of(s.run).terms, status_of(s.run).planned_at
    assert terms is not None
    assert planned is not None
    if plan.action == "InjectFault":
        assert reason_to_stop(s, terms) is None
        assert other_run(s, terms) is None
        assert (s.announced, s.refused) == (None, None)
        assert s.now - planned <= STALE_PLAN
        made = [edit for effect in plan.effects if isinstance(effect, InjectFault) for edit in effect.edits]
        assert tuple(made) == at.edits_in(s)
    else:
        assert plan.action == "UndoFault"


@settings(max_examples=120)
@given(pictures())
def test_only_a_settled_run_injects_and_nothing_is_injected_and_taken_back_at_once(s: RunSnapshot) -> None:
    plan, state = decide(s), state_of(s.run)
    kinds = {type(effect) for effect in plan.effects}
    assert len(kinds) <= 1
    if InjectFault in kinds:
        assert (state, plan.action) == (State.PLANNED, "InjectFault")
    if UndoFault in kinds:
        assert plan.action == "UndoFault"
        assert state in (State.PLANNED, State.RUNNING, State.RECOVERING)


@settings(max_examples=120)
@given(pictures("planned", "running", "recovering"))
def test_an_undo_names_every_object_that_may_carry_the_fault(s: RunSnapshot) -> None:
    plan = decide(s)
    broken = any(one.detail == "{" for one in status_of(s.run).edits)
    if plan.action == "UndoFault" and not broken:
        assert targets(plan) == [edit.target for edit in reversed(at.edits_in(s)) if not isinstance(edit, Remove)]
        assert all(effect.run_uid == at.UID for effect in plan.effects if isinstance(effect, UndoFault))
    if plan.action == "UndoFault":
        assert plan.status.undone_at == s.now
        assert plan.status.completed_at is None
        assert plan.status.cause


@settings(max_examples=120)
@given(pictures())
def test_a_run_passes_only_when_all_was_seen_and_well(s: RunSnapshot) -> None:
    plan = decide(s)
    if not ends(s, plan) or at.told(plan)[0] != "Passed":
        return
    status, terms = plan.status, plan.status.terms
    assert terms is not None
    assert (s.judged.outcome, s.during.outcome) == (Outcome.PASS, Outcome.PASS)
    assert s.observed is not None
    assert s.around.workload is None or s.around.workload.whole
    assert status.effect is not None
    assert status.effect.seen_at is not None
    assert status.breached_at is None
    assert terms.effect is None or s.reading is None or s.reading.value == 0.0
    assert s.run.metadata.deletion_timestamp is None


@settings(max_examples=120)
@given(pictures())
def test_what_is_on_record_is_never_taken_back(s: RunSnapshot) -> None:
    old, new = status_of(s.run), decide(s).status
    for name in ("terms", "planned_at", "expires_at", "injected_at", "breached_at", "completed_at", "deployment_uid"):
        if getattr(old, name) not in (None, ""):
            assert getattr(new, name) == getattr(old, name), name
    if old.planned_at is not None:
        assert new.edits == old.edits
    if old.undone_at is not None:
        assert new.undone_at is not None
        assert new.undone_at >= old.undone_at
    if old.effect is not None and old.effect.seen_at is not None:
        assert new.effect is not None
        assert new.effect.seen_at == old.effect.seen_at
    if old.cause and old.cause != "TimeIsUp":
        assert new.cause == old.cause


@settings(max_examples=120)
@given(pictures())
def test_the_condition_says_whether_the_fault_may_be_in_place(s: RunSnapshot) -> None:
    status = decide(s).status
    in_place = status.injected_at is not None and status.undone_at is None
    assert (at.said(status, "FaultInPlace") == "InPlace") is in_place
    assert (at.said(status, "Succeeded") != "Running") is (status.completed_at is not None)


@settings(max_examples=120)
@given(pictures())
def test_the_finalizer_goes_only_when_the_run_is_over_and_stands_before_anything_is_settled(s: RunSnapshot) -> None:
    plan, old = decide(s), status_of(s.run)
    if plan.finalizer is False:
        assert old.completed_at is not None
        assert FINALIZER in s.run.metadata.finalizers
    if old.planned_at is None and plan.status.planned_at is not None:
        assert plan.finalizer is True


@settings(max_examples=120)
@given(pictures())
def test_a_run_is_looked_at_until_it_is_over(s: RunSnapshot) -> None:
    plan = decide(s)
    assert (plan.requeue is None) is (status_of(s.run).completed_at is not None)
    assert plan.requeue is None or 0 <= plan.requeue <= s.interval


@settings(max_examples=120)
@given(pictures())
def test_every_status_is_one_the_api_accepts(s: RunSnapshot) -> None:
    status = decide(s).status
    assert RunStatus.model_validate(status.wire()).wire() == status.wire()


@settings(max_examples=100)
@given(pictures())
def test_what_is_written_down_is_not_done_again(s: RunSnapshot) -> None:
    """Decided on again with nothing new in the world, no fault is injected or taken back a second time."""
    for _ in range(6):
        plan = decide(s)
        after = at.followed(s, plan)
        restored = at.restored(at.edits_in(s)) if status_of(s.run).planned_at and not _broken(s) else {}
        again = replace(
            *(s,),
            run=after.run,
            announced=None,
            refused=None,
            observed=restored if plan.action == "UndoFault" else s.observed,
        )
        following = decide(again)
        if plan.action == "InjectFault":
            assert following.action != "InjectFault"
        if plan.action == "UndoFault":
            assert following.action != "UndoFault"
        if plan.status.completed_at is not None:
            assert not differs(plan.status, following.status)
            assert (following.fact, following.event, following.effects) == (False, False, ())
        s = again


@settings(max_examples=100)
@given(pictures())
def test_plans_without_effects_come_to_rest(s: RunSnapshot) -> None:
    for _ in range(5):
        plan = decide(s)
        if plan.effects or not differs(status_of(s.run), plan.status):
            return
        s = replace(s, run=at.followed(s, plan).run)
    raise AssertionError(f"the status is written again and again: {plan}")


@settings(max_examples=80)
@given(pictures("new", "planned", "running", "recovering"), st.lists(st.tuples(JUDGED, surroundings()), max_size=12))
def test_every_run_comes_to_an_end(s: RunSnapshot, later: list[tuple[Judged, Surroundings]]) -> None:
    """Whatever happens in between: once everything is quiet, it takes no longer than the fault and the time to recover."""
    s = replace(s, announced=None, refused=None)
    for judged, around in [*later, *[(at.PASS, at.around())] * 80]:
        plan = decide(s)
        after = at.followed(s, plan)
        state = state_of(after.run)
        if state is State.ENDED:
            return
        edits = at.edits_in(after) if not _broken(after) else ()
        s = replace(
            after,
            now=s.now + timedelta(seconds=max(1.0, plan.requeue or 0)),
            scene=s.scene,
            around=around,
            judged=judged,
            during=judged,
            reading=Reading(1.0 if state is State.RUNNING else 0.0),
            observed=at.lost(edits) if state is State.RUNNING else at.restored(edits),
            replica_set="scoring-aaa",
        )
    raise AssertionError(f"it does not end: {decide(s)}")


def _broken(s: RunSnapshot) -> bool:
    return any(one.detail == "{" for one in status_of(s.run).edits)
