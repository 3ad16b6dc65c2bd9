"""Entries are read by the members that the API gives them: what one has, the other reads, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from feem.api.audit import AuditSpec, Part, Subject
from feem.core.audit.entry import canonical_bytes, entry_bytes
from feem.core.audit.reading import MEMBERS, read_entry
from feem.core.audit.record import Statement, next_record, record_digest

PROPERTIES: dict[str, Any] = AuditSpec.model_json_schema(by_alias=True)["properties"]
NEEDED = sorted(AuditSpec.model_json_schema(by_alias=True)["required"])
BARE = Subject(kind="ChaosHalt", name="incident")
"""What an entry about an object of no namespace is about."""


def written(part: Part = Part.OUTCOME) -> AuditSpec:
    """An entry with every member, or of another part with all but `intent`."""
    evidence, intent = f"sha256:{'a' * 64}", 3 if part is Part.OUTCOME else None
    said = Statement("Halt", part, BARE, "mei", "Done", "all of it", ("delete NetworkPolicy",), evidence, intent)
    return next_record(None, said, datetime(2026, 3, 1, 12, tzinfo=UTC), 0)


@pytest.mark.parametrize("part", Part)
def test_what_the_operator_writes_is_read(part: Part) -> None:
    entry = written(part)
    assert read_entry(entry_bytes(entry)) == (entry.wire(), entry.digest)


def test_the_members_are_those_of_the_api() -> None:
    assert written().wire().keys() == PROPERTIES.keys() == MEMBERS.keys()


@pytest.mark.parametrize("name", sorted(PROPERTIES))
def test_a_member_may_be_absent_where_the_api_lets_it(name: str) -> None:
    wire = written().wire()
    del wire[name]
    if name != "digest":
        wire["digest"] = record_digest(wire)
    if name not in NEEDED:
        assert read_entry(canonical_bytes(wire)) == (wire, wire["digest"])
        return
    with pytest.raises(ValueError, match="members of an audit entry"):
        read_entry(canonical_bytes(wire))


@pytest.mark.parametrize("name", sorted(PROPERTIES))
@pytest.mark.parametrize("odd", [None, True, -1, {}, {"kind": "Release"}, [5]], ids=str)
def test_a_member_of_another_form_is_refused(name: str, odd: object) -> None:
    with pytest.raises(ValueError, match=f"its {name} "):
        read_entry(canonical_bytes({**written().wire(), name: odd}))


def test_a_member_that_entries_do_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="'approved'"):
        read_entry(canonical_bytes({**written().wire(), "approved": "yes"}))


@pytest.mark.parametrize("name", sorted(Subject.model_fields))
def test_a_subject_has_its_members_and_no_others(name: str) -> None:
    subject = written().subject.wire()
    less = {key: value for key, value in subject.items() if key != name}
    for odd in (less, {**subject, name: 5}, {**less, f"{name}s": "x"}, {**subject, f"{name}s": "x"}):
        with pytest.raises(ValueError, match="its subject is not kind, namespace, name and uid"):
            read_entry(canonical_bytes({**written().wire(), "subject": odd}))
