"""Proves that what is left of a fault is found on the objects themselves, told apart from what people did since."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feem.core.chaos.edit import ANNOTATION, LABEL, Body, Change, Edit, Field, Make, Remove, Tag, Target
from feem.core.chaos.residue import Left, left_of
from feem.core.chaos.undo import Delete, Restore, undo
from tests.chaos import snapshots as at
from tests.chaos.patching import patched

UID = at.UID
POD = "Pod lending/scoring-aaa-3"
TAKEN_BACK = ["fail", "scale", "partition", "squeeze", "abort"]
Touch = Callable[[Body], Any]


def edits_for(fault: str) -> tuple[Edit, ...]:
    return at.edits_in(at.planned(at.FAULTS[fault]))


def one(fault: str, body: Body | None = None, *, touch: Touch | None = None) -> Left:
    """What is left of a fault with one edit, on its object as it was before, touched by somebody."""
    (edit,) = edits_for(fault)
    found = copy.deepcopy(body if body is not None else at.restored((edit,))[str(edit.target)])
    if touch is not None and found is not None:
        touch(dict(found))
    return left_of((edit,), {str(edit.target): found}, UID)


def image(name: str) -> Touch:
    return lambda body: body["spec"]["containers"][0].update(image=name)


@pytest.mark.parametrize("fault", at.FAULTS)
def test_after_an_undo_nothing_is_left(fault: str) -> None:
    edits = edits_for(fault)
    assert left_of(edits, at.restored(edits), UID) == Left()


@pytest.mark.parametrize("fault", TAKEN_BACK)
def test_a_fault_that_is_in_place_is_found_on_each_object(fault: str) -> None:
    edits = edits_for(fault)
    left = left_of(edits, at.during(edits), UID)
    assert (left.kept, left.gone) == ((), ())
    for edit in edits:
        assert any(str(edit.target) in line for line in left.residue), edit


@pytest.mark.parametrize("fault", TAKEN_BACK)
def test_what_the_undo_makes_of_the_objects_leaves_nothing(fault: str) -> None:
    edits = edits_for(fault)
    after: dict[str, Body | None] = {}
    for name, body in at.during(edits).items():
        assert body is not None
        way = undo(body, UID)
        assert isinstance(way, Delete | Restore)
        after[name] = patched(body, (*way.values, *way.mark)) if isinstance(way, Restore) else None
    assert left_of(edits, after, UID) == Left()


def test_pods_that_were_removed_leave_nothing_whatever_became_of_them() -> None:
    (edit,) = edits_for("kill")
    assert isinstance(edit, Remove)
    for body in (None, at.during((edit,))[str(edit.target)]):
        assert left_of((edit,), {str(edit.target): body}, UID) == Left()


TOUCHED: dict[str, tuple[Left, Left]] = {
    "the value alone is left": (
        one("fail", touch=image("feem.invalid/fault:none")),
        Left(unmarked=(f"/spec/containers/0/image of {POD} is still what the fault made it",)),
    ),
    "somebody changed the value": (
        one("fail", touch=image("by-hand")),
        Left(kept=(f"/spec/containers/0/image of {POD} was changed by somebody else meanwhile, and left so",)),
    ),
    "somebody took the value away": (
        one("fail", touch=lambda body: body["spec"]["containers"].clear()),
        Left(kept=(f"/spec/containers/0/image of {POD} was changed by somebody else meanwhile, and left so",)),
    ),
    "the label alone is left": (
        one("fail", touch=lambda body: body["metadata"].update(labels={LABEL: UID})),
        Left(residue=(f"{POD} still carries the mark",)),
    ),
    "the annotation cannot be read": (
        one("fail", touch=lambda body: body["metadata"].update(annotations={ANNOTATION: "{}"})),
        Left(residue=(f"{POD} still carries the mark",)),
    ),
    "another run's label": (one("fail", touch=lambda body: body["metadata"].update(labels={LABEL: "other"})), Left()),
    "another object of its name": (
        one("fail", touch=lambda body: body["metadata"].update(uid="uid-new")),
        Left(gone=(f"{POD} was replaced by another one of its name",)),
    ),
    "the object is gone": (left_of(edits_for("fail"), {}, UID), Left(gone=(f"{POD} is gone",))),
    "what was made is gone": (left_of(edits_for("abort"), {}, UID), Left()),
}


@pytest.mark.parametrize(("found", "expected"), TOUCHED.values(), ids=TOUCHED.keys())
def test_what_stands_on_an_object_tells_whose_it_is(found: Left, expected: Left) -> None:
    assert found == expected


def test_another_run_s_fault_on_the_same_object_is_none_of_this_run_s() -> None:
    edits = edits_for("fail")
    other = (replace(edits[0], fields=()),) if isinstance(edits[0], Change) else ()
    body = at.during(other)[str(edits[0].target)]
    assert left_of(edits, {str(edits[0].target): body}, "another-run") == Left()


def test_an_object_that_somebody_else_made_under_the_name_is_not_the_fault_s() -> None:
    (edit,) = edits_for("abort")
    assert isinstance(edit, Make)
    theirs = {**edit.body, "metadata": {**edit.body["metadata"], "uid": "theirs"}}
    assert left_of((edit,), {str(edit.target): theirs}, UID) == Left()
    ours = at.during((edit,))[str(edit.target)]
    assert left_of((edit,), {str(edit.target): ours}, UID).residue == (f"{edit.target} is still there",)


@pytest.mark.parametrize(
    ("now", "left"),
    [
        ("500m", Left()),
        ("0.5", Left()),
        (
            "0.05",
            Left(unmarked=(f"/spec/containers/0/resources/limits/cpu of {POD} is still what the fault made it",)),
        ),
        (
            "2",
            Left(
                kept=(
                    f"/spec/containers/0/resources/limits/cpu of {POD} was changed by somebody else meanwhile, and left so",
                )
            ),
        ),
    ],
)
def test_limits_are_compared_by_what_they_mean(now: str, left: Left) -> None:
    def touch(body: Body) -> None:
        body["spec"]["containers"][0]["resources"] = {"limits": {"cpu": now}, "requests": {"cpu": "100m"}}

    assert one("squeeze", touch=touch) == left


@given(st.lists(st.sampled_from(["restored", "during", "edited", "gone", "replaced"]), min_size=1, max_size=5))
def test_every_object_is_judged_by_itself(states: list[str]) -> None:
    target = Target("pods", "lending", "scoring-aaa-3", "uid-scoring-aaa-3")
    (field,) = [field for edit in edits_for("fail") if isinstance(edit, Change) for field in edit.fields]
    named = [replace(target, name=f"scoring-aaa-3-{number}") for number in range(len(states))]
    edits = [Change(each, (field,)) if number % 2 else Tag(each) for number, each in enumerate(named)]
    bodies: dict[str, Body | None] = {}
    counts = {"residue": 0, "kept": 0, "gone": 0}
    for edit, state in zip(edits, states, strict=True):
        plain = at.restored((Change(target, (field,)),))[str(target)]
        carried = at.during((Change(target, (field,)),))[str(target)]
        body: Any = copy.deepcopy(carried if state == "during" else plain)
        if state == "edited":
            body["spec"]["containers"][0]["image"] = "by-hand"
        if state == "replaced":
            body["metadata"]["uid"] = "x"
        bodies[str(edit.target)] = None if state == "gone" else body
        changes = isinstance(edit, Change)
        counts["residue"] += (1 + changes) if state == "during" else 0
        counts["kept"] += changes and state == "edited"
        counts["gone"] += state in ("gone", "replaced")
    left = left_of(edits, bodies, UID)
    assert {name: len(getattr(left, name)) for name in counts} == counts


def test_a_value_that_was_absent_before_is_absent_after() -> None:
    target = Target("backendtrafficpolicies.gateway.envoyproxy.io", "lending", "timeouts", "uid-policy")
    edit = Change(target, (Field("/spec/faultInjection", "\x00absent", {"abort": {}}),))
    body = {"metadata": {"name": "timeouts", "uid": "uid-policy"}, "spec": {"retry": {}}}
    assert left_of((edit,), {str(target): body}, UID) == Left()
    body = {**body, "spec": {"faultInjection": {"abort": {}}}}
    assert len(left_of((edit,), {str(target): body}, UID).unmarked) == 1
