"""A log that was touched says so, and names the first entry that is wrong."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feem.api.audit import AuditSpec, Part, Subject
from feem.core.audit.record import Statement, name_of, next_record, record_digest
from feem.core.audit.verify import Fault, verify

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
SUBJECT = Subject(kind="Release", namespace="lending", name="limit-scoring-3", uid="u1")
Log = list[tuple[str, dict[str, Any]]]


def log_of(parts: Sequence[tuple[Part, int | None]], *, epochs: Sequence[int] = ()) -> Log:
    head: AuditSpec | None = None
    log: Log = []
    for number, (part, intent) in enumerate(parts):
        said = Statement("SetWeight", part, SUBJECT, "feem", "Done", f"entry {number}", ("write",), intent=intent)
        head = next_record(head, said, START + timedelta(seconds=number), epochs[number] if epochs else 0)
        log.append((name_of(head.index), dict(head.wire())))
    return log


def healthy(pairs: int = 3) -> Log:
    parts: list[tuple[Part, int | None]] = []
    for _ in range(pairs):
        parts += [(Part.INTENT, None), (Part.OUTCOME, len(parts)), (Part.FACT, None)]
    return log_of(parts)


def reseal(wire: dict[str, Any]) -> None:
    wire["digest"] = record_digest(wire)


def test_an_untouched_log_is_whole() -> None:
    log = healthy()
    report = verify(log)
    assert report.ok
    assert (report.entries, report.first, report.open_intents, report.remarks) == (9, 0, (), ())
    assert report.head == log[-1][1]["digest"]


def test_an_empty_log_is_whole() -> None:
    assert verify([]).ok


def test_open_intents_are_listed() -> None:
    report = verify(log_of([(Part.INTENT, None), (Part.INTENT, None), (Part.OUTCOME, 0)]))
    assert report.ok
    assert report.open_intents == (1,)


def test_a_missing_entry_is_named() -> None:
    log = healthy()
    del log[4:6]
    report = verify(log)
    assert report.first_bad is not None
    assert (report.first_bad.index, report.first_bad.fault) == (4, Fault.GAP)
    assert "4 to 5" in report.first_bad.message


def test_a_rewritten_and_resealed_entry_breaks_the_chain_behind_it() -> None:
    log = healthy()
    log[4][1]["message"] = "nothing to see"
    reseal(log[4][1])
    report = verify(log)
    assert [(finding.index, finding.fault) for finding in report.findings] == [(5, Fault.CHAIN)]


def test_a_log_rewritten_to_its_end_is_only_told_by_its_head() -> None:
    log, known = healthy(), verify(healthy()).head
    log[4][1]["message"] = "nothing to see"
    for before, (_, wire) in pairwise(log[3:]):
        wire["previous"] = before[1]["digest"]
        reseal(wire)
    report = verify(log)
    assert report.ok
    assert report.head != known


def test_an_entry_under_another_ones_name() -> None:
    log = healthy()
    log[2], log[5] = (log[2][0], log[5][1]), (log[5][0], log[2][1])
    first = verify(log).first_bad
    assert first is not None
    assert (first.index, first.fault) == (2, Fault.NAME)


def test_order_matters() -> None:
    log = healthy()
    log[3], log[4] = log[4], log[3]
    assert any(finding.fault is Fault.ORDER for finding in verify(log).findings)


def test_outcome_of_nothing() -> None:
    first = verify(log_of([(Part.FACT, None), (Part.OUTCOME, 0)])).first_bad
    assert first is not None
    assert (first.index, first.fault) == (1, Fault.INTENT)


def test_outcome_before_its_intent() -> None:
    first = verify(log_of([(Part.OUTCOME, 1), (Part.INTENT, None)])).first_bad
    assert first is not None
    assert (first.index, first.fault) == (0, Fault.INTENT)


def test_two_outcomes_of_one_intent() -> None:
    first = verify(log_of([(Part.INTENT, None), (Part.OUTCOME, 0), (Part.OUTCOME, 0)])).first_bad
    assert first is not None
    assert (first.index, first.fault) == (2, Fault.TWICE)


def test_an_epoch_never_goes_back() -> None:
    parts: list[tuple[Part, int | None]] = [(Part.FACT, None)] * 3
    assert verify(log_of(parts, epochs=[1, 1, 4])).ok
    first = verify(log_of(parts, epochs=[1, 4, 2])).first_bad
    assert first is not None
    assert (first.index, first.fault) == (2, Fault.EPOCH)


def test_a_clock_that_went_back_is_a_remark() -> None:
    log = log_of([(Part.FACT, None)])
    said = Statement("SetWeight", Part.FACT, SUBJECT, "feem")
    second = next_record(AuditSpec.model_validate(log[0][1]), said, START - timedelta(hours=1), 0)
    report = verify([*log, (name_of(1), dict(second.wire()))])
    assert report.ok
    assert "entry 1" in report.remarks[0]


def test_a_pruned_log_is_whole_from_where_it_begins() -> None:
    report = verify(healthy()[4:])
    assert report.ok
    assert report.first == 4
    assert "begins at 4" in report.remarks[0]


@pytest.mark.parametrize("junk", [None, "text", 3, [], {}, {"index": "0"}, {"index": True}])
def test_what_is_no_entry_at_all(junk: Any) -> None:
    log: list[tuple[str, Any]] = list(healthy())
    log[4] = (log[4][0], junk)
    first = verify(log).first_bad
    assert first is not None
    assert (first.index, first.fault) == (4, Fault.MALFORMED)


paths = st.sampled_from(
    [
        ("index",), ("time",), ("actor",), ("action",), ("part",), ("subject",), ("subject", "kind"), ("subject", "name"),
        ("subject", "namespace"), ("subject", "uid"), ("reason",), ("message",), ("effects",), ("evidence",), ("intent",),
        ("epoch",), ("previous",), ("digest",), ("unheard-of",),
    ]
)  # fmt: skip
values = (
    st.none() | st.booleans() | st.integers(-2, 12) | st.text(max_size=3) | st.lists(st.text(max_size=2), max_size=2)
)


@given(st.integers(1, 4), st.data(), paths, values | st.just("drop"))
def test_any_change_of_any_field_of_any_entry_is_named(
    pairs: int, data: st.DataObject, path: tuple[str, ...], value: Any
) -> None:
    log = healthy(pairs)
    index = data.draw(st.integers(0, len(log) - 1))
    before = json.dumps(log[index][1], sort_keys=True)
    target = log[index][1]
    for step in path[:-1]:
        target = target[step]
    if value == "drop":
        target.pop(path[-1], None)
    else:
        target[path[-1]] = value
    report = verify(log)
    if json.dumps(log[index][1], sort_keys=True) == before:
        assert report.ok
    else:
        assert report.first_bad is not None
        assert report.first_bad.index == index


@given(st.integers(2, 4), st.data())
def test_any_missing_entry_but_the_ends_is_named(pairs: int, data: st.DataObject) -> None:
    log = healthy(pairs)
    index = data.draw(st.integers(1, len(log) - 2))
    del log[index]
    first = verify(log).first_bad
    assert first is not None
    assert (first.index, first.fault) == (index, Fault.GAP)
