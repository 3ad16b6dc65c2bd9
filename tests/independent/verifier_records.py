"""The records of FEEM's log: what an entry must be by itself, and what the entries must be to one another."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from tests.independent.verifier_faults import RejectedError
from tests.independent.verifier_json import canonical, parse_canonical

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|\+00:00)", re.ASCII)
LARGEST_ENTRY = 65_535
MEMBERS: dict[str, type] = {
    "index": int,
    "time": str,
    "actor": str,
    "action": str,
    "part": str,
    "subject": dict,
    "epoch": int,
    "previous": str,
    "digest": str,
}
OPTIONAL: dict[str, type] = {"reason": str, "message": str, "effects": list, "evidence": str, "intent": int}
SUBJECT = ("kind", "namespace", "name", "uid")
PARTS = ("Intent", "Outcome", "Fact")


@dataclass(frozen=True)
class Record:
    """What the other checks need of a record."""

    index: int
    time: str
    part: str
    action: str
    subject: dict[str, str]
    evidence: str
    intent: int | None
    epoch: int
    previous: str
    digest: str


def read_record(entry: bytes) -> Record:
    """Read one entry and check all that it says of itself."""
    if len(entry) > LARGEST_ENTRY:
        raise RejectedError(f"entry has {len(entry)} bytes, more than {LARGEST_ENTRY}")
    found = parse_canonical(entry)
    if not isinstance(found, dict):
        raise RejectedError("entry is not a JSON object")
    _shape(found)
    rest = {name: value for name, value in found.items() if name != "digest"}
    digest = f"sha256:{sha256(canonical(rest)).hexdigest()}"
    if found["digest"] != digest:
        raise RejectedError("record's digest is not the digest of its other members")
    return Record(
        index=found["index"],
        time=found["time"],
        part=found["part"],
        action=found["action"],
        subject={name: found["subject"][name] for name in SUBJECT},
        evidence=found.get("evidence", ""),
        intent=found.get("intent"),
        epoch=found["epoch"],
        previous=found["previous"],
        digest=digest,
    )


def _shape(found: dict[str, Any]) -> None:
    for name, value in found.items():
        wanted = MEMBERS.get(name) or OPTIONAL.get(name)
        if wanted is None:
            raise RejectedError(f"record has a member that records do not have: {name[:60]!r}")
        if type(value) is not wanted:
            raise RejectedError(f"record's {name} is not a JSON {wanted.__name__}")
        if isinstance(value, int) and value < 0:
            raise RejectedError(f"record's {name} is below 0")
    for name in MEMBERS:
        if name not in found:
            raise RejectedError(f"record has no {name}")
    _about(found["subject"])
    _words(found)


def _about(subject: dict[str, Any]) -> None:
    if set(subject) != set(SUBJECT) or not all(isinstance(value, str) for value in subject.values()):
        raise RejectedError("record's subject is not kind, namespace, name and uid as text")
    if not subject["kind"] or not subject["name"]:
        raise RejectedError("record's subject has no kind or no name")


def _words(found: dict[str, Any]) -> None:
    if not all(isinstance(effect, str) for effect in found.get("effects", [])):
        raise RejectedError("record's effects are not all text")
    if found["part"] not in PARTS:
        raise RejectedError(f"record's part is {found['part'][:60]!r}, not Intent, Outcome or Fact")
    if (found["part"] == "Outcome") != ("intent" in found):
        raise RejectedError("record names an intent and is no Outcome, or is an Outcome that names none")
    if not _is_time(found["time"]):
        raise RejectedError(f"record's time {found['time'][:60]!r} is not RFC 3339 in UTC")
    for name in ("previous", "evidence"):
        if found.get(name) and not DIGEST.fullmatch(found[name]):
            raise RejectedError(f"record's {name} is not sha256: and 64 hex digits")


def _is_time(told: str) -> bool:
    if not TIME.fullmatch(told):
        return False
    try:
        datetime.fromisoformat(told)
    except ValueError:
        return False
    return True


@dataclass
class Walk:
    """Goes over records in the order of their indexes; `whole` when none may be missing between them."""

    whole: bool = True
    last: Record | None = None
    parts: dict[int, str] = field(default_factory=dict)

    def step(self, place: int, entry: bytes) -> Record:
        """Check the entry that stands at `place`. Raises RejectedError with that index."""
        try:
            record = read_record(entry)
            self._follows(place, record)
            self._answers(record)
        except RejectedError as problem:
            raise problem.at(place) from problem
        self.last = record
        return record

    def _follows(self, place: int, record: Record) -> None:
        if record.index != place:
            raise RejectedError(f"record says index {record.index}, but stands at {place}")
        if (place == 0) != (record.previous == ""):
            raise RejectedError("previous is empty in entry 0, and there only")
        before = self.last
        if before is None:
            return
        if before.index == place - 1 and record.previous != before.digest:
            raise RejectedError("previous is not the digest of the entry before")
        if record.epoch < before.epoch:
            raise RejectedError(f"epoch falls from {before.epoch} to {record.epoch}")

    def _answers(self, record: Record) -> None:
        self.parts[record.index] = record.part
        if record.intent is None:
            return
        if record.intent >= record.index:
            raise RejectedError(f"Outcome names {record.intent}, which is not an earlier entry")
        part = self.parts.get(record.intent, "Fact" if self.whole else "Intent")
        if part == "Answered":
            raise RejectedError(f"Intent {record.intent} has an Outcome already")
        if part != "Intent":
            raise RejectedError(f"Outcome names {record.intent}, which is not an Intent")
        self.parts[record.intent] = "Answered"
