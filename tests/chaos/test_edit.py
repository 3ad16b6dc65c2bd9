"""Proves that what stands on an object and on a run says exactly what to take back, and that nothing else is taken for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from feem.api.run import EditRecord
from feem.core.chaos.acts import InjectFault
from feem.core.chaos.edit import (
    ABSENT,
    ANNOTATION,
    KINDS,
    LABEL,
    PODS,
    Body,
    Change,
    Edit,
    Field,
    Make,
    Mark,
    MarkUnreadable,
    Remove,
    Tag,
    Target,
    mark_of,
)
from feem.core.chaos.record import edits_of, records_of

AT = datetime(2026, 3, 2, 9, 31, 20, tzinfo=UTC)
POD = Target(PODS, "lending", "scoring-a", "uid-a")

names = st.text("abc-.0", min_size=1, max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
paths = st.lists(st.text(max_size=5), min_size=1, max_size=4).map(lambda steps: "/" + "/".join(steps))
fields = st.builds(Field, paths, values | st.just(ABSENT), values | st.just(ABSENT))
moments = st.builds(
    lambda seconds, hours: (AT + timedelta(seconds=seconds)).astimezone(timezone(timedelta(hours=hours))),
    st.integers(-(10**8), 10**9),
    st.sampled_from([0, 8, -5]),
)
marks = st.builds(
    Mark,
    run=st.text(max_size=8),
    namespace=st.text(max_size=8),
    run_uid=st.text(max_size=8),
    expires_at=moments,
    fields=st.lists(fields, max_size=3).map(tuple),
    made=st.booleans(),
)
targets = st.builds(Target, st.sampled_from(sorted(KINDS)), names, names, names)
bodies = st.builds(
    lambda namespace, name, spec: {"metadata": {"namespace": namespace, "name": name}, "spec": spec},
    names,
    names,
    st.dictionaries(st.text(max_size=5), values, max_size=3),
)
edits = st.one_of(
    st.builds(Make, st.sampled_from(sorted(KINDS)), bodies),
    st.builds(Change, targets, st.lists(fields, max_size=3).map(tuple), st.sampled_from(["", "resize"])),
    st.builds(Tag, targets),
    st.builds(Remove, targets, st.booleans(), st.none() | st.integers(0, 300)),
)


def carrying(text: str) -> Body:
    return {"metadata": {"name": "scoring-a", "annotations": {ANNOTATION: text}}}


def mark(**changes: Any) -> Mark:
    known: dict[str, Any] = {"run": "r", "namespace": "lending", "run_uid": "u", "expires_at": AT}
    return Mark(**{**known, **changes})


# -- the mark -----------------------------------------------------------------------------------------------------------


@given(marks)
def test_a_mark_is_read_as_it_was_written(written: Mark) -> None:
    assert mark_of(carrying(written.text())) == written


@given(marks)
def test_the_same_mark_is_always_the_same_text(written: Mark) -> None:
    read = mark_of(carrying(written.text()))
    assert read is not None
    assert read.text() == written.text()
    assert "\x00" not in written.text()


@given(st.integers(0, 999_999))
def test_a_fraction_of_a_second_never_lets_a_fault_stay_longer(microseconds: int) -> None:
    read = mark_of(carrying(mark(expires_at=AT + timedelta(microseconds=microseconds)).text()))
    assert read is not None
    assert read.expires_at == AT


def test_what_was_not_there_is_told_from_what_was_null() -> None:
    written = mark(fields=(Field("/a", ABSENT, None), Field("/b", None, ABSENT), Field("/c", "", {})))
    assert mark_of(carrying(written.text())) == written
    assert json.loads(written.text())["fields"] == [
        {"path": "/a", "after": None},
        {"path": "/b", "before": None},
        {"path": "/c", "before": "", "after": {}},
    ]


@pytest.mark.parametrize("metadata", [{}, {"annotations": None}, {"annotations": {}}, {"annotations": {"other": "x"}}])
def test_an_object_without_the_annotation_carries_no_mark(metadata: Body) -> None:
    assert mark_of({"metadata": {"name": "x", **metadata}}) is None
    assert mark_of({"metadata": {"name": "x", **metadata, "labels": {LABEL: "u"}}}) is None


def without(key: str) -> Callable[[Body], Any]:
    return lambda wire: {name: value for name, value in wire.items() if name != key}


def having(**changes: Any) -> Callable[[Body], Any]:
    return lambda wire: {**wire, **changes}


TAMPERED: dict[str, Callable[[Body], Any]] = {
    **{f"without {key}": without(key) for key in ("run", "namespace", "runUid", "expiresAt", "made", "fields")},
    **{
        f"{key} is a number": having(**{key: 7})
        for key in ("run", "namespace", "runUid", "expiresAt", "made", "fields")
    },
    **{
        f"{key} is null": having(**{key: None}) for key in ("run", "namespace", "runUid", "expiresAt", "made", "fields")
    },
    "a list": lambda wire: [wire],
    "a string": lambda _: "mark",
    "null": lambda _: None,
    "a number": lambda _: 7,
    "made is a word": having(made="true"),
    "a time without a zone": having(expiresAt="2026-03-02T09:31:20"),
    "a day": having(expiresAt="2026-03-02"),
    "no time": having(expiresAt="soon"),
    "an impossible time": having(expiresAt="2026-02-30T09:31:20+00:00"),
    "fields is a map": having(fields={}),
    "fields is a text": having(fields=""),
    "a field is a text": having(fields=["/spec/replicas"]),
    "a field is a list": having(fields=[["/spec/replicas", 3, 1]]),
    "a field is null": having(fields=[None]),
    "a field has no path": having(fields=[{"before": 3, "after": 1}]),
    "a path is a number": having(fields=[{"path": 3}]),
    "a path is no pointer": having(fields=[{"path": "spec.replicas"}]),
    "a path is empty": having(fields=[{"path": ""}]),
}


@pytest.mark.parametrize("tamper", TAMPERED.values(), ids=TAMPERED.keys())
def test_a_mark_that_was_tampered_with_is_unreadable(tamper: Callable[[Body], Any]) -> None:
    wire = json.loads(mark(fields=(Field("/spec/replicas", 3, 1),)).text())
    with pytest.raises(MarkUnreadable, match=rf"annotation {ANNOTATION} of scoring-a"):
        mark_of(carrying(json.dumps(tamper(wire))))


@pytest.mark.parametrize(
    "text", ["", " ", "mark", "{", "{}", "[]", "\x00", "NaN", "1e999", '"' * 3, "[" * 100_000, "9" * 5_000]
)
def test_what_is_no_json_of_a_mark_is_unreadable(text: str) -> None:
    with pytest.raises(MarkUnreadable):
        mark_of(carrying(text))


@given(st.text() | values.map(json.dumps))
@example("")
def test_whatever_stands_there_is_a_mark_or_unreadable_and_no_bug(text: str) -> None:
    try:
        assert mark_of(carrying(text)) is not None
    except MarkUnreadable:
        return


@settings(max_examples=200)
@given(marks, st.data())
def test_a_lost_or_changed_letter_is_a_mark_or_unreadable_and_no_bug(written: Mark, data: st.DataObject) -> None:
    text = written.text()
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from(["", '"', "{", "]", "9", "\\"]))
    try:
        mark_of(carrying(text[:place] + letter + text[place + 1 :]))
    except MarkUnreadable:
        return


def test_each_edit_leaves_the_mark_that_takes_it_back() -> None:
    change = Change(POD, (Field("/spec/replicas", 3, 1),))
    made = Make(PODS, {"metadata": {"namespace": "lending", "name": "x"}})
    inject = InjectFault((change, made, Tag(POD)), mark())
    assert inject.marked(change) == mark(fields=change.fields)
    assert inject.marked(made) == mark(made=True)
    assert inject.marked(Tag(POD)) == mark()


# -- the record on the run ----------------------------------------------------------------------------------------------


@given(st.lists(edits, max_size=5).map(tuple))
def test_edits_are_read_from_a_status_as_they_were_written(written: tuple[Edit, ...]) -> None:
    stored = [EditRecord.model_validate(json.loads(json.dumps(one.wire()))) for one in records_of(written)]
    assert edits_of(stored) == written
    assert [(one.object, one.action) for one in stored] == [(str(one.target), type(one).__name__) for one in written]


@given(st.lists(edits, max_size=3).map(tuple))
def test_the_same_edits_are_always_the_same_record(written: tuple[Edit, ...]) -> None:
    assert records_of(edits_of(records_of(written))) == records_of(written)


@pytest.mark.parametrize("kind", ["Change", "Tag", "Remove", "Make", "Delete", ""])
@pytest.mark.parametrize(
    "detail", ["", "{", "{}", "[]", "null", "7", '{"resource":"pods"}', '{"resource":"pods","fields":[{}]}']
)
def test_what_feem_did_not_write_is_refused_and_never_half_read(kind: str, detail: str) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        edits_of([EditRecord(object="Pod lending/x", action=kind, detail=detail)])


@pytest.mark.parametrize(
    ("edit", "text"),
    [
        (Make(PODS, {"metadata": {"namespace": "lending", "name": "x"}}), "create Pod lending/x"),
        (Change(POD, (Field("/spec/a", 3, 1),)), "change /spec/a from 3 to 1 of Pod lending/scoring-a"),
        (
            Change(POD, (Field("/a", ABSENT, {"b": "c"}), Field("/d", "e", ABSENT))),
            'change /a from nothing to {"b":"c"}, /d from "e" to nothing of Pod lending/scoring-a',
        ),
        (Tag(POD), "mark Pod lending/scoring-a"),
        (Remove(POD, evict=True), "evict Pod lending/scoring-a"),
        (Remove(POD, evict=False), "delete Pod lending/scoring-a"),
    ],
)
def test_an_edit_says_itself(edit: Edit, text: str) -> None:
    assert str(edit) == text


def test_a_long_value_is_cut_in_words_only() -> None:
    change = Change(POD, (Field("/a", "x" * 500, 1),))
    assert len(str(change)) < 150
    assert edits_of(records_of([change])) == (change,)
