"""Tampering with what an entry is by itself, by somebody who has the log's keys: in the log, in a pack, in a report."""

from __future__ import annotations

from pathlib import Path

from tests.independent.samplelog import Record
from tests.independent.tampering_files import amend, both, indexes
from tests.independent.tampering_kinds import Change, Context, middle, reseal, tampering

SUBJECT = {"kind": "Release", "namespace": "lending", "name": "scoring-1", "uid": "u1"}
FORMS: dict[str, Record] = {
    "record without an action": {"action": None},
    "record without an actor": {"actor": None},
    "record without a subject": {"subject": None},
    "record without a time": {"time": None},
    "action that is a number": {"action": 5},
    "message that is a number": {"message": 5},
    "effects that are text": {"effects": "none"},
    "effects that are not all text": {"effects": ["patch", 5]},
    "evidence that is no digest": {"evidence": "see above"},
    "time without its zone": {"time": "2026-11-02T09:00:00"},
    "time that there is not": {"time": "2026-13-02T09:00:00Z"},
    "subject that is text": {"subject": "Release lending/scoring-1"},
    "subject without a uid": {"subject": {name: SUBJECT[name] for name in ("kind", "namespace", "name")}},
    "subject with a member more": {"subject": SUBJECT | {"apiVersion": "feem.dev/v1"}},
    "subject without a name": {"subject": SUBJECT | {"name": ""}},
    "subject whose kind is a number": {"subject": SUBJECT | {"kind": 5}},
}


def in_log(**members: object) -> Change:
    def change(path: Path, context: Context) -> int | None:
        return reseal(path, context, middle(path), **members)

    return change


def in_pack(**members: object) -> Change:
    def change(path: Path, context: Context) -> int | None:
        return amend(path, context, indexes(path)[2], **members)

    return change


for form, told in FORMS.items():
    tampering(form, "directory", keys=True)(in_log(**told))
    both(form, keys=True)(in_pack(**told))
