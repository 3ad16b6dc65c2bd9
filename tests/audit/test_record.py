"""Entries are numbered, dated in UTC, chained, and fit the API's bounds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feem.api.audit import AuditSpec, Part, Subject
from feem.core.audit.entry import entry_bytes
from feem.core.audit.record import Statement, name_of, next_record, record_digest
from feem.core.audit.texts import sentence
from feem.core.digest import digest_of

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
SUBJECT = Subject(kind="Release", namespace="lending", name="limit-scoring-3", uid="u1")


def statement(part: Part = Part.FACT, *, intent: int | None = None, **more: object) -> Statement:
    return Statement("SetWeight", part, SUBJECT, "feem", intent=intent, **more)  # type: ignore[arg-type]


def test_the_first_entry_follows_nothing() -> None:
    first = next_record(None, statement(), NOW, 3)
    assert (first.index, first.previous, first.epoch) == (0, "", 3)


def test_each_entry_carries_the_digest_of_the_one_before() -> None:
    first = next_record(None, statement(), NOW, 3)
    second = next_record(first, statement(), NOW, 3)
    assert (second.index, second.previous) == (1, first.digest)


def test_the_digest_covers_every_other_field_of_the_wire_form() -> None:
    entry = next_record(None, statement(Part.OUTCOME, intent=0, effects=("a",)), NOW, 0)
    wire = entry.wire()
    digest = wire.pop("digest")
    assert digest == digest_of(wire)
    assert record_digest({**wire, "digest": "anything"}) == digest
    assert record_digest({**wire, "later": 1}) != digest


def test_time_is_utc_with_microseconds() -> None:
    local = NOW.astimezone(timezone(timedelta(hours=2)))
    assert next_record(None, statement(), local, 0).time == "2026-03-01T12:00:00.123456Z"


@pytest.mark.parametrize(("part", "intent"), [(Part.OUTCOME, None), (Part.INTENT, 3), (Part.FACT, 3)])
def test_only_outcomes_name_an_intent(part: Part, intent: int | None) -> None:
    with pytest.raises(ValueError, match="Outcome"):
        next_record(None, statement(part, intent=intent), NOW, 0)


@given(st.text(max_size=5000), st.text(max_size=200), st.lists(st.text(max_size=600), max_size=40))
def test_every_text_fits_the_api(message: str, reason: str, effects: list[str]) -> None:
    said = statement(message=message, reason=reason, effects=tuple(effects))
    entry = next_record(None, said, NOW, 0)
    assert AuditSpec.model_validate(entry.wire()) == entry
    assert len(entry_bytes(entry)) <= 65_535
    if len(sentence(message)) <= 4096:
        assert entry.message == sentence(message)
    if len(effects) > 32 and len(entry.effects) > 1:
        assert entry.effects[-1] == f"… and {len(effects) - 31} more"


def test_names_sort_as_numbers_do() -> None:
    assert sorted(name_of(index) for index in (100, 9, 10)) == [name_of(9), name_of(10), name_of(100)]
    assert name_of(7) == "000000000007"
