"""Proves that a fault is taken back exactly, whenever it was interrupted, and that what others changed since is left to them."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from feem.core.chaos.acts import InjectFault
from feem.core.chaos.edit import (
    ABSENT,
    ANNOTATION,
    LABEL,
    PODS,
    Body,
    Change,
    Field,
    Make,
    Mark,
    MarkUnreadable,
    Tag,
    Target,
)
from feem.core.chaos.pointer import value_at
from feem.core.chaos.quantity import amount, same
from feem.core.chaos.undo import Delete, Nothing, Restore, Taken, injection, subresource_of, undo
from tests.chaos.patching import Untrue, patched, pointer

RUN, UID = "run-1", "uid-a"
MARK = Mark("r", "lending", RUN, datetime(2026, 3, 2, 9, 31, tzinfo=UTC))
POD = Target(PODS, "lending", "scoring-a", UID)

FEW = settings(max_examples=50)
keys = st.sampled_from(["a", "b", "replicas", "/", "~", "~1", "0", "", "feem.dev/x"])
leaves = st.none() | st.booleans() | st.integers(-3, 3) | st.text("xy", max_size=2)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(keys, inner, max_size=2), max_leaves=4
)
maps: st.SearchStrategy[Any] = (
    st.none() | st.just({}) | st.just({"app": "scoring"}) | st.dictionaries(keys, st.text("xy", max_size=2), max_size=2)
)


def pod(spec: Any = None, labels: Any = None, annotations: Any = None) -> Body:
    metadata: dict[str, Any] = {"namespace": "lending", "name": "scoring-a", "uid": UID}
    given = (("labels", labels), ("annotations", annotations))
    metadata |= {key: dict(value) for key, value in given if value is not None}
    return {"metadata": metadata, "spec": {"replicas": 3} if spec is None else spec}


def change(*fields: Field, subresource: str = "") -> Change:
    return Change(POD, fields, subresource)


def injected(body: Body, edit: Change | Tag) -> dict[str, Any]:
    marking, operations = injection(body, edit, InjectFault((edit,), MARK).marked(edit))
    found: dict[str, Any] = patched(body, (*marking, *operations))
    return found


def undone(body: Body, run_uid: str | None = RUN) -> dict[str, Any]:
    way = undo(body, run_uid)
    assert isinstance(way, Restore)
    found: dict[str, Any] = patched(body, (*way.values, *way.mark))
    return found


def plain(body: Body) -> Body:
    """The same without empty maps of labels or annotations, which are as good as none."""
    new = copy.deepcopy(dict(body))
    for group in ("labels", "annotations"):
        if not new["metadata"].get(group):
            new["metadata"].pop(group, None)
    return new


def places(value: Any, at: tuple[str | int, ...]) -> list[tuple[str | int, ...]]:
    """Every place in a value, itself left out."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found: list[tuple[str | int, ...]] = []
    for key, each in inner:
        found += [(*at, key), *places(each, (*at, key))]
    return found


def found_at(body: Body, steps: tuple[str | int, ...]) -> Any:
    here: Any = body
    for step in steps:
        here = here[step]
    return here


@st.composite
def planned(draw: st.DrawFn) -> tuple[Body, Change]:
    """A body, and a change that replaces, adds and removes values of it, none within another."""
    spec = draw(st.dictionaries(keys, values, min_size=1, max_size=3))
    body = pod(spec, draw(maps), draw(maps))
    there = draw(st.permutations(places(spec, ("spec",))))
    chosen: list[tuple[str | int, ...]] = []
    fields: list[Field] = []
    for steps in there:
        if len(fields) < 3 and not any(steps[: len(one)] == one or one[: len(steps)] == steps for one in chosen):
            chosen.append(steps)
            before = found_at(body, steps)
            may_go = isinstance(found_at(body, steps[:-1]), dict)
            after = draw(values | st.just(ABSENT) if may_go else values)
            fields.append(Field(pointer(steps), before, after))
    if draw(st.booleans()):
        parents = [("spec",), *(steps for steps in there if isinstance(found_at(body, steps), dict))]
        parent = draw(st.sampled_from(parents))
        new = (*parent, "made by the fault")
        if not any(new[: len(one)] == one for one in chosen):
            fields.append(Field(pointer(new), ABSENT, draw(values)))
    assume(fields)
    return body, Change(POD, tuple(fields), draw(st.sampled_from(["", "resize"])))


def same_body(one: Body, other: Body) -> bool:
    return plain(one) == plain(other)


# -- exactly back -------------------------------------------------------------------------------------------------------


@given(planned())
def test_what_was_injected_and_undone_is_as_if_it_had_never_been(case: tuple[Body, Change]) -> None:
    body, edit = case
    during = injected(body, edit)
    assert during["metadata"]["labels"][LABEL] == RUN
    for item in edit.fields:
        assert value_at(during, item.path) == item.after
    assert same_body(undone(during), body)


@FEW
@given(planned())
def test_to_undo_twice_changes_nothing(case: tuple[Body, Change]) -> None:
    body, edit = case
    after = undone(injected(body, edit))
    assert undo(after, RUN) == Nothing()
    assert undo(after) == Nothing()


@FEW
@given(planned())
def test_to_inject_twice_changes_nothing(case: tuple[Body, Change]) -> None:
    body, edit = case
    during = injected(body, edit)
    assert injection(during, edit, InjectFault((edit,), MARK).marked(edit)) == ((), ())


@FEW
@given(planned())
def test_after_a_crash_between_mark_and_values_the_rest_is_injected(case: tuple[Body, Change]) -> None:
    body, edit = case
    mark = InjectFault((edit,), MARK).marked(edit)
    marking, operations = injection(body, edit, mark)
    between = patched(body, marking)
    assert injection(between, edit, mark) == ((), operations)
    assert same_body(undone(patched(between, operations)), body)


@FEW
@given(planned())
def test_after_a_crash_between_mark_and_values_the_undo_takes_off_the_mark_alone(case: tuple[Body, Change]) -> None:
    body, edit = case
    marking, _ = injection(body, edit, InjectFault((edit,), MARK).marked(edit))
    between = patched(body, marking)
    way = undo(between, RUN)
    assert isinstance(way, Restore)
    assert same_body(patched(between, way.mark), body)
    assert same_body(undone(between), body)


@FEW
@given(planned())
def test_after_a_crash_between_values_and_mark_the_undo_takes_off_the_mark(case: tuple[Body, Change]) -> None:
    body, edit = case
    during = injected(body, edit)
    first = undo(during, RUN)
    assert isinstance(first, Restore)
    between = patched(during, first.values)
    second = undo(between, RUN)
    assert isinstance(second, Restore)
    assert same_body(patched(between, second.mark), body)
    assert same_body(undone(between), body)


@given(maps, maps)
def test_a_mark_alone_goes_without_a_trace(labels: Any, annotations: Any) -> None:
    body = pod(labels=labels, annotations=annotations)
    during = injected(body, Tag(POD))
    assert during["spec"] == body["spec"]
    assert same_body(undone(during), body)


def test_labels_and_annotations_of_others_that_came_meanwhile_stay() -> None:
    during = injected(pod(labels={"app": "scoring"}), change(Field("/spec/replicas", 3, 1)))
    during["metadata"]["labels"]["new"] = during["metadata"]["annotations"]["new"] = "x"
    after = undone(during)
    assert after["metadata"]["labels"] == {"app": "scoring", "new": "x"}
    assert after["metadata"]["annotations"] == {"new": "x"}


def test_what_feem_made_is_deleted_whatever_became_of_it() -> None:
    made = Make(PODS, pod())
    mark = InjectFault((made,), MARK).marked(made)
    body = pod({"anything": "else"}, annotations={ANNOTATION: mark.text()})
    assert undo(body, RUN) == Delete()
    assert undo(body) == Delete()
    assert undo(body, "run-2") == Nothing()


# -- what others did ----------------------------------------------------------------------------------------------------


@FEW
@given(planned(), st.data())
def test_values_that_somebody_else_wrote_since_are_kept(case: tuple[Body, Change], data: st.DataObject) -> None:
    body, edit = case
    during = injected(body, edit)
    theirs = data.draw(st.lists(st.sampled_from(edit.fields), unique_by=lambda item: item.path))
    theirs = [item for item in theirs if item.after != ABSENT]
    written = [{"op": "replace", "path": item.path, "value": "by hand"} for item in theirs]
    during = patched(during, written)
    way = undo(during, RUN)
    assert isinstance(way, Restore)
    assert not {item.path for item in theirs} & {one["path"] for one in way.values}
    expected = patched(
        body, [{"op": "add", "path": item.path, "value": "by hand"} for item in theirs if item.before == ABSENT]
    )
    expected = patched(expected, [one for one in written if value_at(body, one["path"]) != ABSENT])
    assert same_body(undone(during), expected)


def test_values_that_somebody_else_put_back_already_are_nobodys_edit() -> None:
    during = patched(
        injected(pod(), change(Field("/spec/replicas", 3, 1))),
        [{"op": "replace", "path": "/spec/replicas", "value": 3}],
    )
    way = undo(during, RUN)
    assert isinstance(way, Restore)
    assert way.values == ()


def test_an_object_whose_value_was_taken_away_is_not_given_it_again() -> None:
    during = injected(pod(), change(Field("/spec/replicas", 3, 1)))
    del during["spec"]["replicas"]
    way = undo(during, RUN)
    assert isinstance(way, Restore)
    assert way.values == ()
    assert undone(during)["spec"] == {}


@FEW
@given(planned())
def test_an_undo_that_was_overtaken_by_an_edit_does_not_hold(case: tuple[Body, Change]) -> None:
    """Each value is tested in the request that restores it."""
    body, edit = case
    during = injected(body, edit)
    way = undo(during, RUN)
    assert isinstance(way, Restore)
    for item in edit.fields:
        if item.after != ABSENT:
            edited = patched(during, [{"op": "replace", "path": item.path, "value": "by hand"}])
            with pytest.raises(Untrue):
                patched(edited, (*way.values, *way.mark))
    for moved in (replace(MARK, run_uid="run-2"), replace(MARK, made=True)):
        other = patched(
            during, [{"op": "replace", "path": "/metadata/annotations/feem.dev~1chaos", "value": moved.text()}]
        )
        with pytest.raises(Untrue):
            patched(other, (*way.values, *way.mark))


@FEW
@given(planned())
def test_an_injection_that_was_overtaken_by_an_edit_does_not_hold(case: tuple[Body, Change]) -> None:
    body, edit = case
    marking, operations = injection(body, edit, InjectFault((edit,), MARK).marked(edit))
    for item in edit.fields:
        if item.before != ABSENT and value_at(body, item.path) != item.after:
            edited = patched(body, [{"op": "replace", "path": item.path, "value": "by hand"}])
            with pytest.raises(Untrue):
                patched(edited, (*marking, *operations))
    with pytest.raises(Untrue):
        patched({**body, "metadata": {**body["metadata"], "uid": "uid-b"}}, (*marking, *operations))


@FEW
@given(planned())
def test_whatever_was_written_between_the_look_and_the_injection_is_not_overwritten(case: tuple[Body, Change]) -> None:
    """What is added has no value that could be tested, so the version that was read is."""
    body, edit = case
    read = {**body, "metadata": {**body["metadata"], "resourceVersion": "7"}}
    operations = [part for each in injection(read, edit, InjectFault((edit,), MARK).marked(edit)) for part in each]
    assert same_body(undone(patched(read, operations)), read)
    for meanwhile in (injected(body, Tag(POD)), {**body, "spec": {}}, body):
        written = {**meanwhile, "metadata": {**meanwhile["metadata"], "resourceVersion": "8"}}
        with pytest.raises(Untrue):
            patched(written, operations)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param(
            injected(pod(), Tag(POD)),
            "carries the fault of ChaosRun lending/r",
            id="another run's mark",
        ),
        pytest.param(
            {**pod(), "metadata": {**pod()["metadata"], "uid": "uid-b"}},
            "was replaced by another object",
            id="another UID",
        ),
        pytest.param(pod({"replicas": 5}), "is not what it was when the fault was planned", id="another value"),
        pytest.param(pod({}), "is not what it was when the fault was planned", id="no value"),
    ],
)
def test_what_is_not_as_it_was_planned_on_is_taken(body: Body, message: str) -> None:
    edit = change(Field("/spec/replicas", 3, 1))
    mark = replace(InjectFault((edit,), MARK).marked(edit), run="r2", run_uid="run-2")
    before = copy.deepcopy(body)
    with pytest.raises(Taken, match=message):
        injection(body, edit, mark)
    assert body == before


def test_a_value_that_is_as_the_fault_makes_it_already_is_marked_only() -> None:
    edit = change(Field("/spec/replicas", 3, 1))
    marking, operations = injection(pod({"replicas": 1}), edit, InjectFault((edit,), MARK).marked(edit))
    assert operations == ()
    assert [one["op"] for one in marking] == ["test", "add", "add", "add", "add"]


@FEW
@given(planned())
def test_another_runs_fault_is_left_alone_but_for_the_reaper(case: tuple[Body, Change]) -> None:
    body, edit = case
    during = injected(body, edit)
    assert undo(during, "run-2") == Nothing()
    assert same_body(undone(during, None), body)


def test_another_runs_label_is_not_taken_off_with_the_mark() -> None:
    during = injected(pod(), Tag(POD))
    during["metadata"]["labels"][LABEL] = "run-2"
    assert undone(during)["metadata"]["labels"] == {LABEL: "run-2"}


def test_a_mark_whose_label_is_gone_is_taken_off_all_the_same() -> None:
    during = injected(pod(), change(Field("/spec/replicas", 3, 1)))
    del during["metadata"]["labels"]
    assert plain(undone(during)) == pod()


@pytest.mark.parametrize("run_uid", [RUN, None])
def test_a_mark_that_cannot_be_read_is_no_reason_to_believe_that_nothing_is_there(run_uid: str | None) -> None:
    body = pod(annotations={ANNOTATION: "{}"})
    for ask in (lambda: undo(body, run_uid), lambda: subresource_of(body), lambda: injection(body, Tag(POD), MARK)):
        with pytest.raises(MarkUnreadable):
            ask()


@pytest.mark.parametrize(
    "path",
    [
        "/spec/containers/²/image",
        "/spec/containers/-/image",
        "/spec/containers/-1/image",
        f"/spec/containers/{'9' * 5000}/x",
    ],
)
def test_a_pointer_to_nowhere_finds_nothing(path: str) -> None:
    assert value_at(pod({"containers": [{"image": "a"}]}), path) == ABSENT


# -- values -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/spec/a", 1),
        ("/spec/none", ABSENT),
        ("/spec/list/0/x", 2),
        ("/spec/list/1", ABSENT),
        ("/spec/list/x", ABSENT),
        ("/spec/a/b", ABSENT),
        ("/spec/feem.dev~1x", 3),
        ("/spec/~0", 4),
        ("/spec/~01", 5),
        ("/spec/", 6),
        ("/spec/null", None),
        ("/spec/null/x", ABSENT),
    ],
)
def test_values_are_found_by_json_pointer(path: str, value: Any) -> None:
    spec = {"a": 1, "list": [{"x": 2}], "feem.dev/x": 3, "~": 4, "~1": 5, "": 6, "null": None}
    assert value_at({"spec": spec}, path) == value


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1000m", "1"),
        ("1", 1),
        ("0.5", "500m"),
        ("1024Mi", "1Gi"),
        ("1k", "1000"),
        ("1e3", "1k"),
        ("1.5Gi", "1536Mi"),
        ("1.", "1"),
    ],
)
def test_quantities_that_mean_the_same_are_the_same_where_quantities_stand(one: Any, other: Any) -> None:
    assert same("/spec/containers/0/resources/limits/cpu", one, other)
    assert same("/spec/containers/0/resources/limits/cpu", other, one)
    assert not same("/spec/containers/0/env/0/value", one, other)
    assert not same("/metadata/annotations/resources", one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1000m", "2"),
        ("1Gi", "1G"),
        ("1M", "1m"),
        ("x", "y"),
        ("x", "1"),
        (None, "0"),
        (ABSENT, "0"),
        ("1", "1x"),
        (True, "1"),
        ("-1", "1"),
    ],
)
def test_what_differs_is_not_the_same_anywhere(one: Any, other: Any) -> None:
    assert not same("/spec/containers/0/resources/limits/cpu", one, other)
    assert not same("/spec/containers/0/resources/limits/cpu", other, one)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("50m", "0.05"),
        ("64Mi", 64 * 2**20),
        ("2G", 2 * 10**9),
        ("1Ki", 1024),
        (".5", "0.5"),
        ("1E2", 100),
        (3, 3),
    ],
)
def test_a_quantity_has_a_value(text: Any, value: Any) -> None:
    assert amount(text) == Decimal(value)


@pytest.mark.parametrize("text", ["", "m", "1 Gi", "1GiB", "one", None, True, 1.5, [], "1e", "-", "\uff11"])
def test_what_is_no_quantity_has_no_value(text: Any) -> None:
    assert amount(text) is None


@pytest.mark.parametrize(("written", "shown"), [("1000m", "1"), ("1024Mi", "1Gi"), ("500m", "0.5")])
def test_a_limit_that_the_api_server_writes_in_other_words_is_restored(written: str, shown: str) -> None:
    """The fault writes one form, the API server keeps another."""
    path, before = "/spec/containers/0/resources/limits/cpu", "2Ti"
    edit = change(Field(path, before, written), subresource="resize")
    body = pod({"containers": [{"name": "app", "resources": {"limits": {"cpu": before}}}]})
    during = patched(injected(body, edit), [{"op": "replace", "path": path, "value": shown}])
    assert injection(during, edit, InjectFault((edit,), MARK).marked(edit)) == ((), ())
    assert subresource_of(during) == "resize"
    assert same_body(undone(during), body)


@pytest.mark.parametrize(
    ("edit", "where"),
    [
        (Tag(POD), ""),
        (change(Field("/spec/replicas", 3, 1)), ""),
        (change(Field("/spec/containers/0/image", "a", "b")), ""),
        (change(Field("/spec/containers/0/resources/limits/cpu", "1", "50m"), subresource="resize"), "resize"),
    ],
)
def test_the_undo_writes_where_the_fault_has_written(edit: Change | Tag, where: str) -> None:
    """The reaper knows the mark alone, not the edit."""
    body = pod({"replicas": 3, "containers": [{"image": "a", "resources": {"limits": {"cpu": "1"}}}]})
    assert subresource_of(injected(body, edit)) == where
    assert subresource_of(body) == ""
