"""The contract of every fault on a real API server: it says what it did, does it once, and its undo leaves nothing, come what may."""

from __future__ import annotations

import asyncio
import copy
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from feem.adapters.kubernetes.client import with_type
from feem.adapters.kubernetes.resources import PODS, TRAFFIC_POLICIES
from feem.core.chaos.edit import ABSENT, ANNOTATION, KINDS, LABEL, Change, Edit, Make, Remove, Tag, mark_of
from feem.core.chaos.network_faults import made_name
from feem.core.chaos.pointer import value_at
from feem.core.ownership import FIELD_MANAGER
from feem.ports import Body, Refused
from tests.integration.adapter import PATIENT
from tests.integration.chaos.cases import ALL, CPU, CPU_ASKED, NAMESPACE, ONE_CLASS, UID, Case
from tests.integration.chaos.counting import MOMENTS, CountingClient, Crash, Moment, apply_as, listed
from tests.integration.chaos.snapshot import changes, unmarked
from tests.integration.chaos.stage import Attempt, Stage, manifests
from tests.integration.chaos.table import Row, Table

pytestmark = pytest.mark.integration


def each(*, having: str = "name") -> pytest.MarkDecorator:
    """Run with every fault that has this; those of one fault run one after the other."""
    chosen = [case.name for case in ALL if getattr(case, having)]
    return pytest.mark.parametrize("case", chosen, indirect=True, scope="module")


async def planned(stage: Stage, *, seconds: float = 600) -> Attempt:
    """The fault of a run of its own."""
    uid = str(uuid.uuid4())
    expires = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)
    return await stage.plan(f"scoring-{uid[:4]}", uid, expires)


async def read(stage: Stage, edit: Edit) -> Body | None:
    target = edit.target
    return await stage.admin.get(target.resource, target.namespace, target.name)


async def nothing_is_marked(stage: Stage) -> None:
    """No label and no annotation of a fault on anything that a fault may touch."""
    for resource in KINDS:
        for body in await listed(stage.admin, resource, stage.namespace):
            metadata = body["metadata"]
            assert LABEL not in (metadata.get("labels") or {}), body
            assert ANNOTATION not in (metadata.get("annotations") or {}), body


async def nothing_is_left(stage: Stage, attempt: Attempt) -> None:
    """As the run finds it, and as everybody else does."""
    left = await stage.left(attempt)
    assert (left.residue, left.unmarked, left.kept) == ((), (), ())
    await nothing_is_marked(stage)
    await stage.is_as_before()


# -- it says what it did, and does it -------------------------------------------------------------------------------------


@each()
async def test_every_edit_carries_who_made_it_until_when_and_what_was_there(stage: Stage) -> None:
    attempt = await planned(stage)
    await stage.inject(attempt)
    for effect in attempt.effects:
        for edit in effect.edits:
            body = await read(stage, edit)
            if isinstance(edit, Remove):
                assert body is None or "deletionTimestamp" in body["metadata"]
                continue
            assert body is not None
            assert body["metadata"]["labels"][LABEL] == attempt.mark.run_uid
            assert mark_of(body) == effect.marked(edit)
            if isinstance(edit, Change):
                wire = json.loads(body["metadata"]["annotations"][ANNOTATION])
                assert [item.get("before", ABSENT) for item in wire["fields"]] == [one.before for one in edit.fields]
    expected = {str(edit.target) for edit in attempt.edits if not isinstance(edit, Remove)}
    assert await _marked(stage, attempt) == expected


async def _marked(stage: Stage, attempt: Attempt) -> set[str]:
    """Everything with the run's label."""
    found = set()
    for resource, kind in KINDS.items():
        for body in await listed(stage.admin, resource, stage.namespace):
            if (body["metadata"].get("labels") or {}).get(LABEL) == attempt.mark.run_uid:
                found.add(f"{kind} {stage.namespace}/{body['metadata']['name']}")
    return found


@each()
async def test_a_client_sees_exactly_what_the_fault_is_said_to_do(stage: Stage, case: Case) -> None:
    attempt = await planned(stage)
    await stage.inject(attempt)

    await _seen(stage)
    for edit in attempt.edits:
        if isinstance(edit, Make):
            body = await read(stage, edit)
            assert body is not None
            _contains(body["spec"], edit.body["spec"])
            _contains(body["spec"], _filled(case.made[edit.resource], stage, attempt))


async def _seen(stage: Stage) -> None:
    """Exactly what the fault is said to do is to be seen: at once, or where controllers have to act, once they have."""

    async def differs() -> list[str]:
        return changes(stage.before, unmarked(await stage.look()))

    expected, found = sorted(stage.case.shows), await differs()
    deadline = time.monotonic() + (0 if stage.case.same_pods else 60)
    while found != expected and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
        found = await differs()
    assert found == expected


def _filled(wanted: Any, stage: Stage, attempt: Attempt) -> Any:
    """What is expected, with the run's UID, its made name and the namespace."""
    uid = attempt.mark.run_uid
    text = json.dumps(wanted).replace("feem-chaos-<uid13>", made_name(uid))
    return json.loads(text.replace(UID, uid).replace(NAMESPACE, stage.namespace))


def _contains(there: Any, wanted: Any) -> None:
    """All that is wanted is there; the API server may have filled in more."""
    if isinstance(wanted, Mapping):
        assert isinstance(there, Mapping)
        for key, value in wanted.items():
            assert key in there, (key, there)
            _contains(there[key], value)
    elif isinstance(wanted, list):
        assert len(there) == len(wanted), (there, wanted)
        for one, other in zip(there, wanted, strict=True):
            _contains(one, other)
    else:
        assert there == wanted


@each()
async def test_injecting_twice_writes_nothing_the_second_time(stage: Stage) -> None:
    attempt = await planned(stage)
    await stage.inject(attempt)
    await _seen(stage)
    once = await stage.look()
    assert await stage.inject(attempt) == []
    assert await stage.look() == once


# -- its undo leaves nothing ----------------------------------------------------------------------------------------------


@each()
async def test_its_undo_leaves_everything_as_it_was(stage: Stage, case: Case, table: Table) -> None:
    attempt = await planned(stage)
    writes = await stage.inject(attempt)
    undone = await stage.undo(attempt)
    edits = [type(edit).__name__ for edit in attempt.edits]
    table.rows.append(Row(case.name, edits, writes, undone, (await stage.left(attempt)).residue))
    await nothing_is_left(stage, attempt)


@each()
async def test_undoing_twice_writes_nothing_the_second_time(stage: Stage) -> None:
    attempt = await planned(stage)
    await stage.inject(attempt)
    await stage.undo(attempt)
    assert await stage.undo(attempt) == []
    await nothing_is_left(stage, attempt)


@each()
async def test_a_run_undoes_only_its_own(stage: Stage) -> None:
    attempt = await planned(stage)
    await stage.inject(attempt)
    there = await stage.look()
    other = Attempt(attempt.edits, replace(attempt.mark, run_uid=str(uuid.uuid4())))
    assert await stage.undo(other) == []
    if stage.case.same_pods:
        assert await stage.look() == there


@each()
async def test_wherever_the_injection_crashes_the_undo_leaves_nothing(stage: Stage, case: Case, table: Table) -> None:
    for number in range(1, await _writes_of_injection(stage) + 1):
        for moment in MOMENTS:
            attempt = await _crashed(stage, number, moment)
            await stage.undo(attempt)
            await nothing_is_left(stage, attempt)
            table.crashes[case.name] += 1


@each()
async def test_wherever_the_injection_crashes_it_is_completed_by_injecting_again(stage: Stage) -> None:
    for number in range(1, await _writes_of_injection(stage) + 1):
        for moment in MOMENTS:
            fresh = replace(stage, before=await stage.look())
            attempt = await _crashed(fresh, number, moment)
            await fresh.inject(attempt)
            await _seen(fresh)
            await fresh.undo(attempt)
            await nothing_is_left(fresh, attempt)


@each()
async def test_wherever_the_undo_crashes_the_next_one_leaves_nothing(stage: Stage, case: Case, table: Table) -> None:
    attempt = await planned(stage)
    await stage.inject(attempt)
    writes = await stage.undo(attempt)
    for number in range(1, len(writes) + 1):
        for moment in MOMENTS:
            await stage.whole()
            attempt = await planned(stage)
            await stage.inject(attempt)
            stage.feem.crash_at(number, moment)
            with pytest.raises(Crash):
                await stage.undo_until(attempt)
            await stage.undo(attempt)
            await nothing_is_left(stage, attempt)
            table.crashes[case.name] += 1


async def _writes_of_injection(stage: Stage) -> int:
    """How many writes it takes; it is taken back again."""
    attempt = await planned(stage)
    writes = await stage.inject(attempt)
    await stage.undo(attempt)
    await stage.is_as_before()
    return len(writes)


async def _crashed(stage: Stage, number: int, moment: Moment) -> Attempt:
    await stage.whole()
    attempt = await planned(stage)
    stage.feem.crash_at(number, moment)
    with pytest.raises(Crash):
        await stage.inject_until(attempt)
    return attempt


# -- people are there too -------------------------------------------------------------------------------------------------


async def edited(stage: Stage, edit: Change, path: str, value: Any) -> None:
    """Somebody writes a value into an object."""
    target = edit.target
    operations: list[Body] = [{"op": "add", "path": path, "value": value}]
    place = (target.resource, target.namespace, target.name)
    await stage.admin.patch(*place, operations, subresource=edit.subresource)


@each(having="path")
async def test_what_a_person_made_of_the_field_stays_and_is_named_and_the_mark_goes(stage: Stage, case: Case) -> None:
    attempt = await planned(stage)
    await stage.inject(attempt)
    for edit in attempt.edits:
        assert isinstance(edit, Change)
        await edited(stage, edit, case.path, case.by_person)
    await stage.undo(attempt)
    left = await stage.left(attempt)
    assert (left.residue, left.unmarked) == ((), ())
    assert left.kept == tuple(
        f"{case.path} of {edit.target} was changed by somebody else meanwhile, and left so" for edit in attempt.edits
    )
    await nothing_is_marked(stage)
    for edit in attempt.edits:
        body = await read(stage, edit)
        assert body is not None
        assert isinstance(edit, Change)
        assert value_at(body, case.path) == case.by_person
        for other in edit.fields:  # what the person left alone goes back
            assert other.path == case.path or value_at(body, other.path) == other.before
    assert await stage.undo(attempt) == []


@each(having="path")
async def test_a_person_who_put_it_back_already_is_not_in_the_way(stage: Stage, case: Case) -> None:
    attempt = await planned(stage)
    await stage.inject(attempt)
    for edit in attempt.edits:
        assert isinstance(edit, Change)
        for item in reversed(edit.fields):
            place = (edit.target.resource, edit.target.namespace, edit.target.name)
            back: Body = {"op": "add", "path": item.path, "value": item.before}
            if item.before == ABSENT:
                back = {"op": "remove", "path": item.path}
            await stage.admin.patch(*place, [back], subresource=edit.subresource)
    await stage.undo(attempt)
    await nothing_is_left(stage, attempt)


@each()
async def test_what_a_person_changed_beside_it_stays(stage: Stage) -> None:
    attempt = await planned(stage)
    await stage.inject(attempt)
    touched = [edit for edit in attempt.edits if isinstance(edit, Change | Tag)]
    for edit in touched:
        place = (edit.target.resource, edit.target.namespace, edit.target.name)
        notes = {"labels": {"shift": "night"}, "annotations": {"bank.example/note": "is slow"}}
        await stage.admin.merge(*place, {"metadata": notes})
    await stage.undo(attempt)
    left = await stage.left(attempt)
    assert (left.residue, left.unmarked, left.kept) == ((), (), ())
    await nothing_is_marked(stage)
    for edit in touched:
        body = await read(stage, edit)
        assert body is not None
        assert body["metadata"]["labels"]["shift"] == "night"
        assert body["metadata"]["annotations"]["bank.example/note"] == "is slow"


@each(having="made")
async def test_what_was_made_for_the_fault_goes_whatever_became_of_it(stage: Stage) -> None:
    attempt = await planned(stage)
    await stage.inject(attempt)
    for edit in attempt.edits:
        if isinstance(edit, Make):
            place = (edit.target.resource, edit.target.namespace, edit.target.name)
            await stage.owner.merge(*place, {"metadata": {"annotations": {"bank.example/note": "what is this?"}}})
    await stage.undo(attempt)
    await nothing_is_left(stage, attempt)


@each(having="path")
async def test_its_owner_applies_again_without_conflict(stage: Stage, case: Case) -> None:
    attempt = await planned(stage)
    await stage.inject(attempt)
    await stage.undo(attempt)
    for edit in attempt.edits:
        if edit.target.resource == PODS:
            continue  # nobody applies these
        body = await read(stage, edit)
        assert body is not None
        writers = {(item["manager"], item["operation"]) for item in body["metadata"]["managedFields"]}
        assert (FIELD_MANAGER, "Update") not in writers
        ours = [body for resource, body in manifests(stage.namespace, case) if resource == edit.target.resource]
        wanted = next(body for body in ours if body["metadata"]["name"] == edit.target.name)
        wanted["spec"][case.path.rpartition("/")[2]] = case.by_person
        await apply_as(stage.owner, "owner", edit.target.resource, wanted, force=False)


# -- the target is gone, or another one -----------------------------------------------------------------------------------


@each()
async def test_a_target_that_is_gone_needs_no_undo(stage: Stage) -> None:
    attempt = await planned(stage)
    await stage.inject(attempt)
    for edit in attempt.edits:
        await _deleted(stage, edit)
    assert await stage.undo(attempt) == []
    left = await stage.left(attempt)
    assert (left.residue, left.unmarked, left.kept) == ((), (), ())
    assert left.gone == tuple(f"{edit.target} is gone" for edit in attempt.edits if isinstance(edit, Change | Tag))


@each()
async def test_another_object_of_the_name_is_left_alone_by_the_undo(stage: Stage, case: Case) -> None:
    attempt = await planned(stage)
    await stage.inject(attempt)
    for edit in attempt.edits:
        await _replaced(stage, edit)
    there = [await read(stage, edit) for edit in attempt.edits]
    assert all(there)
    assert await stage.undo(attempt) == []
    assert [_told(await read(stage, edit)) for edit in attempt.edits] == [_told(body) for body in there]
    left = await stage.left(attempt)
    assert (left.residue, left.unmarked, left.kept) == ((), (), ())
    assert left.gone == tuple(
        f"{edit.target} was replaced by another one of its name"
        for edit in attempt.edits
        if isinstance(edit, Change | Tag)
    )


@each()
async def test_another_object_of_the_name_is_left_alone_by_the_injection(stage: Stage) -> None:
    attempt = await planned(stage)
    for edit in attempt.edits:
        await _replaced(stage, edit)
    there = [await read(stage, edit) for edit in attempt.edits]
    if all(isinstance(edit, Remove) for edit in attempt.edits):
        assert await stage.inject(attempt) == []  # the pods that were meant are gone
    else:
        with pytest.raises(Refused, match=r"replaced by another object|exists, and is not this run's"):
            await stage.inject(attempt)
        assert stage.feem.written == []
    assert [_told(await read(stage, edit)) for edit in attempt.edits] == [_told(body) for body in there]
    await nothing_is_marked(stage)


async def _deleted(stage: Stage, edit: Edit) -> Body | None:
    """Somebody deletes it; returns it as it was."""
    body, target = await read(stage, edit), edit.target
    if body is not None:
        place = (target.resource, target.namespace, target.name)
        await stage.admin.delete(*place, uid=body["metadata"]["uid"])

        async def gone() -> bool:
            return await read(stage, edit) is None

        await stage.until(gone, f"{target} is gone")
    return body


async def _replaced(stage: Stage, edit: Edit) -> None:
    """Somebody makes another one of the name that looks the same, with the fault's values if they are there, but no mark."""
    body = await _deleted(stage, edit)
    if body is None:
        body = copy.deepcopy(dict(edit.body)) if isinstance(edit, Make) else _a_pod(edit)
    old = body["metadata"]
    metadata = {
        "namespace": edit.target.namespace,
        "name": edit.target.name,
        "labels": {key: value for key, value in (old.get("labels") or {}).items() if key != LABEL},
        "annotations": {key: value for key, value in (old.get("annotations") or {}).items() if key != ANNOTATION},
    }
    if edit.target.resource == PODS:
        metadata["labels"] = {}  # else its ReplicaSet would take it for one of its own
    again = with_type(edit.target.resource, {"metadata": metadata, "spec": body["spec"]})
    while True:
        made = await stage.admin.create(edit.target.resource, edit.target.namespace, again)
        if edit.target.resource != PODS or await _stays(stage, edit, made["metadata"]["uid"]):
            return


async def _stays(stage: Stage, edit: Edit, uid: str) -> bool:
    """Whether the node lets a pod be: the one that plays nodes here deletes by name, and may still mean the one before."""
    await asyncio.sleep(0.5)
    body = await read(stage, edit)
    if body is not None and body["metadata"]["uid"] == uid and "deletionTimestamp" not in body["metadata"]:
        return True
    await _deleted(stage, edit)
    return False


def _a_pod(edit: Edit) -> Body:
    """Where the pod itself is gone with the fault."""
    spec = {"containers": [{"name": "app", "image": "bank/other:1"}], "nodeName": "kwok-0"}
    return {"metadata": {"name": edit.target.name}, "spec": spec}


def _told(body: Body | None) -> Any:
    """Who it is, and what its maker said."""
    if body is None:
        return None
    metadata = body["metadata"]
    return metadata["uid"], metadata.get("labels"), metadata.get("deletionTimestamp"), body["spec"]


# -- the plan is stale ----------------------------------------------------------------------------------------------------


@each()
async def test_where_another_run_was_first_nothing_of_its_own_is_left(stage: Stage) -> None:
    first, second = await planned(stage), await planned(stage)
    if all(isinstance(edit, Make | Remove) for edit in first.edits):
        await _name_is_taken(stage, second)
        return
    second = _on_the_same(first, second)
    await stage.inject(first)
    await _seen(stage)
    there = await stage.look()
    with pytest.raises(Refused, match=f"carries the fault of ChaosRun {stage.namespace}/{first.mark.run}"):
        await stage.inject(second)
    assert stage.feem.written == []
    assert await stage.undo(second) == []
    now = await stage.look()
    assert changes(there, now) == []
    await stage.undo(first)
    await nothing_is_left(stage, first)


def _on_the_same(first: Attempt, second: Attempt) -> Attempt:
    """The second one on the objects of the first, whichever pods it picked itself; what it makes is its own."""
    pairs = zip(second.edits, first.edits, strict=True)
    return Attempt(tuple(mine if isinstance(mine, Make) else theirs for mine, theirs in pairs), second.mark)


async def _name_is_taken(stage: Stage, attempt: Attempt) -> None:
    """What it makes is there already, and carries the mark of another run."""
    makes = [edit for edit in attempt.edits if isinstance(edit, Make)]
    other = replace(attempt.mark, run_uid=str(uuid.uuid4()), run="scoring-other")
    for edit in makes:
        await stage.inject(Attempt((edit,), other))
        there = await stage.look()
        with pytest.raises(Refused, match="exists, and is not this run's"):
            await stage.inject(Attempt((edit,), attempt.mark))
        assert stage.feem.written == []
        assert await stage.undo(attempt) == []
        assert await stage.look() == there
        await stage.undo(Attempt((edit,), other))
    await nothing_is_left(stage, attempt)


@each(having="path")
async def test_where_the_value_was_changed_since_the_plan_nothing_of_its_own_is_left(stage: Stage, case: Case) -> None:
    attempt = await planned(stage)
    for edit in attempt.edits:
        assert isinstance(edit, Change)
        await edited(stage, edit, case.path, case.by_person)
    with pytest.raises(Refused, match=rf"{case.path} of .* is not what it was when the fault was planned"):
        await stage.inject(attempt)
    assert stage.feem.written == []
    await nothing_is_marked(stage)
    assert await stage.undo(attempt) == []


@each(having="several")
async def test_where_only_the_last_edit_is_refused_the_undo_takes_the_others_back(stage: Stage) -> None:
    attempt = await planned(stage)
    last = attempt.edits[-1]
    await _replaced(stage, last)
    await stage.whole()
    with pytest.raises(Refused):
        await stage.inject(attempt)
    assert len(stage.feem.written) >= len(attempt.edits) - 1
    await stage.undo(attempt)
    await nothing_is_marked(stage)
    left = await stage.left(attempt)
    assert (left.residue, left.unmarked) == ((), ())


@each(having="marks")
async def test_a_mark_that_cannot_be_read_is_refused_and_said(stage: Stage) -> None:
    attempt = await planned(stage)
    first = attempt.edits[0]
    await stage.inject(attempt)
    place = (first.target.resource, first.target.namespace, first.target.name)
    await stage.feem.merge(*place, {"metadata": {"annotations": {ANNOTATION: "{"}}})
    await _seen(stage)
    there = await stage.look()
    with pytest.raises(Refused, match="is no mark of a fault"):
        await stage.undo(Attempt((first,), attempt.mark))
    with pytest.raises(Refused, match="is no mark of a fault"):
        await stage.inject(Attempt((first,), attempt.mark))
    assert await stage.look() == there
    assert any("still" in line for line in (await stage.left(attempt)).residue)
    stage.place.pristine = None


# -- between a look and a write -------------------------------------------------------------------------------------------


async def noted(stage: Stage, edit: Edit) -> None:
    """Somebody writes a label and an annotation beside the fault's."""
    place = (edit.target.resource, edit.target.namespace, edit.target.name)
    notes = {"labels": {"shift": "night"}, "annotations": {"bank.example/note": "is slow"}}
    await stage.admin.merge(*place, {"metadata": notes})


async def bare(stage: Stage, edit: Edit) -> None:
    """The object has neither labels nor annotations when FEEM looks; those of pods are what they are found by."""
    metadata: dict[str, Any] = {"annotations": None}
    if edit.target.resource != PODS:
        metadata["labels"] = None
    place = (edit.target.resource, edit.target.namespace, edit.target.name)
    await stage.admin.merge(*place, {"metadata": metadata})


@each(having="touches")
async def test_what_is_written_between_look_and_injection_stays(stage: Stage) -> None:
    attempt = await planned(stage)
    first = attempt.edits[0]
    if first.target.resource == TRAFFIC_POLICIES:
        await bare(stage, first)
    stage.feem.meanwhile = lambda: noted(stage, first)
    await stage.inject(attempt)
    await stage.undo(attempt)
    assert (await stage.left(attempt)).residue == ()
    await nothing_is_marked(stage)
    body = await read(stage, first)
    assert body is not None
    assert body["metadata"]["labels"]["shift"] == "night"
    assert body["metadata"]["annotations"]["bank.example/note"] == "is slow"


@each(having="touches")
async def test_another_run_that_comes_between_look_and_injection_keeps_its_mark(stage: Stage) -> None:
    first, second = await planned(stage), await planned(stage)
    second = _on_the_same(first, second)
    other = replace(stage, feem=await CountingClient.connect(str(stage.feem._kubeconfig), limits=PATIENT))
    async with other.feem:
        stage.feem.meanwhile = lambda: other.inject(first)
        with pytest.raises(Refused, match=f"carries the fault of ChaosRun {stage.namespace}/{first.mark.run}"):
            await stage.inject(second)
    await stage.undo(second)
    expected = {str(edit.target) for edit in first.edits}
    assert await _marked(stage, first) == expected
    await stage.undo(first)
    await nothing_is_left(stage, first)


@each(having="path")
async def test_a_value_that_is_written_between_look_and_injection_is_not_overwritten(stage: Stage, case: Case) -> None:
    attempt = await planned(stage)
    first = attempt.edits[0]
    assert isinstance(first, Change)
    stage.feem.meanwhile = lambda: edited(stage, first, case.path, case.by_person)
    with pytest.raises(Refused, match="is not what it was when the fault was planned"):
        await stage.inject(attempt)
    await stage.undo(attempt)
    await nothing_is_marked(stage)
    body = await read(stage, first)
    assert body is not None
    assert value_at(body, case.path) == case.by_person


@each(having="path")
async def test_a_value_that_is_written_between_look_and_undo_stays(stage: Stage, case: Case) -> None:
    attempt = await planned(stage)
    await stage.inject(attempt)
    last = attempt.edits[-1]  # which is the first to be undone
    assert isinstance(last, Change)
    stage.feem.meanwhile = lambda: edited(stage, last, case.path, case.by_person)
    await stage.undo(attempt)
    await nothing_is_marked(stage)
    body = await read(stage, last)
    assert body is not None
    assert value_at(body, case.path) == case.by_person


@each(having="made")
async def test_another_object_that_comes_between_look_and_undo_is_left_alone(stage: Stage) -> None:
    attempt = await planned(stage)
    await stage.inject(attempt)
    last = attempt.edits[-1]
    assert isinstance(last, Make)
    stage.feem.meanwhile = lambda: _replaced(stage, last)
    await stage.undo(attempt)
    await nothing_is_marked(stage)
    assert await read(stage, last) is not None


# -- limits in place, where it does not work ------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ["memoryPressure"], indirect=True, scope="module")
async def test_a_node_that_cannot_resize_refuses_and_the_undo_takes_the_marks_off(stage: Stage) -> None:
    for pod in await stage.pods():
        operations = [{"op": "remove", "path": f"/status/containerStatuses/{place}/resources"} for place in range(2)]
        await stage.admin.patch(PODS, stage.namespace, pod["metadata"]["name"], operations, subresource="status")
    attempt = await planned(stage)
    with pytest.raises(Refused, match="without support for resize"):
        await stage.inject(attempt)
    await stage.undo(attempt)
    await nothing_is_left(stage, attempt)


@pytest.mark.parametrize("case", [ONE_CLASS.name], indirect=True, scope="module")
async def test_a_limit_that_comes_down_to_the_request_keeps_the_pods_quality_of_service(stage: Stage) -> None:
    attempt = await planned(stage)
    await stage.inject(attempt)
    for edit in attempt.edits:
        body = await read(stage, edit)
        assert body is not None
        assert value_at(body, CPU) == "50m"
    await stage.undo(attempt)
    await nothing_is_left(stage, attempt)


@pytest.mark.parametrize("case", ["cpuPressure"], indirect=True, scope="module")
async def test_a_persons_limit_below_the_old_request_does_not_keep_the_mark_there(stage: Stage) -> None:
    attempt = await planned(stage)
    await stage.inject(attempt)
    for edit in attempt.edits:
        assert isinstance(edit, Change)
        await edited(stage, edit, CPU, "1200m")  # the request was 1500m
    await stage.undo(attempt)
    await nothing_is_marked(stage)
    left = await stage.left(attempt)
    assert (left.residue, left.unmarked) == ((), ())
    for edit in attempt.edits:
        body = await read(stage, edit)
        assert body is not None
        assert value_at(body, CPU) == "1200m"
        stays = (
            f"{CPU_ASKED} of {edit.target} stays 999m: 1500m is above the limit 1200m that somebody else set meanwhile"
        )
        assert stays in left.kept
