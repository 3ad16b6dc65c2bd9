"""Whether an audit log is whole: every entry in its place, as it was written, every intent followed by one outcome."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from feem.api.audit import Part
from feem.core.audit.record import name_of, record_digest


class Fault(StrEnum):
    """What can be wrong with an entry."""

    MALFORMED = "Malformed"
    GAP = "Gap"
    ORDER = "OutOfOrder"
    NAME = "NameMismatch"
    DIGEST = "DigestMismatch"
    CHAIN = "ChainBroken"
    INTENT = "OutcomeWithoutIntent"
    TWICE = "TwoOutcomes"
    EPOCH = "EpochWentBack"


@dataclass(frozen=True)
class Finding:
    """One entry that is not as it should be: its index, what is wrong, and a sentence about it."""

    index: int
    fault: Fault
    message: str


@dataclass(frozen=True)
class Report:
    """What a walk through the log found. `first` is where it begins: later than 0 when older entries were pruned.

    `head` is the digest of the last entry: compare it with one noted elsewhere, for nothing in the log itself tells that its
    end was cut off. `open_intents` are announced acts without an outcome, `remarks` things that are odd but not wrong.
    """

    entries: int
    first: int
    head: str
    findings: tuple[Finding, ...]
    open_intents: tuple[int, ...]
    remarks: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    @property
    def first_bad(self) -> Finding | None:
        """The first entry that is not as it should be."""
        return min(self.findings, key=lambda finding: finding.index, default=None)


@dataclass
class _Walk:
    """Where a walk stands: the entry before, what the next may follow, intents that wait for an outcome, those that had one."""

    first: int
    index: int
    digests: tuple[str, ...]
    """Any of these the next entry may name as `previous`; none: what came before cannot be told."""
    time: str = ""
    epoch: int = 0
    waiting: set[int] = field(default_factory=set)
    settled: dict[int, int] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def verify(records: Iterable[tuple[str, Any]]) -> Report:
    """Walk the log; `records` are (object name, `spec` in wire form) ordered by name.

    After a bad entry the walk goes on from what that entry says, so that one changed entry is one finding, not all that follow.
    Runs in one pass; memory grows with the number of intents only.
    """
    findings: list[Finding] = []
    walk: _Walk | None = None
    count, head = 0, ""
    for name, wire in records:
        if walk is None:
            first = _index(name, wire)
            walk = _Walk(first, first - 1, ("",) if first == 0 else ())
        findings += _entry(walk, name, wire)
        count += 1
        head = wire["digest"] if _readable(wire) else ""
    if walk is None:
        return Report(0, 0, "", (), (), ())
    if walk.first > 0:
        walk.remarks.insert(0, f"the log begins at {walk.first}: what came before was pruned and is not checked")
    return Report(count, walk.first, head, tuple(findings), tuple(sorted(walk.waiting)), tuple(walk.remarks))


def _entry(walk: _Walk, name: str, wire: Any) -> Iterator[Finding]:
    """Check one entry and step over it."""
    expected = walk.index + 1
    index = int(name) if name.isdigit() else expected
    if index < expected:
        yield Finding(index, Fault.ORDER, f"entry {index} stands after entry {walk.index}")
    if index > expected:
        missing = f"entry {expected} is" if index == expected + 1 else f"entries {expected} to {index - 1} are"
        yield Finding(expected, Fault.GAP, f"{missing} missing")
    previous = walk.digests if index == expected else ()
    walk.index, walk.digests = index, ()
    if not _readable(wire):
        yield Finding(index, Fault.MALFORMED, f"the object {name} is not an audit entry")
        return
    if wire["index"] != index or name != name_of(index):
        yield Finding(index, Fault.NAME, f"the object {name} says it is entry {wire['index']}")
    digest = record_digest(wire)
    if digest != wire["digest"]:
        yield Finding(
            index, Fault.DIGEST, f"entry {index} was changed: it digests to {digest}, not to {wire['digest']}"
        )
    elif previous and wire["previous"] not in previous:
        yield Finding(
            index, Fault.CHAIN, f"entry {index} follows {wire['previous'] or 'nothing'}, not {previous[0] or 'nothing'}"
        )
    if wire["epoch"] < walk.epoch:
        yield Finding(index, Fault.EPOCH, f"entry {index} is of epoch {wire['epoch']}, after one of epoch {walk.epoch}")
    yield from _acts(walk, index, wire)
    _progress(walk, index, wire)
    walk.digests = (wire["digest"], digest)


def _acts(walk: _Walk, index: int, wire: dict[str, Any]) -> Iterator[Finding]:
    """Match outcomes with intents; an outcome of a pruned intent has nothing to be matched with."""
    said = wire.get("intent")
    intent = said if type(said) is int else -1
    if wire["part"] == Part.INTENT:
        walk.waiting.add(index)
    elif wire["part"] != Part.OUTCOME or 0 <= intent < walk.first:
        return
    elif intent in walk.waiting:
        walk.waiting.remove(intent)
        walk.settled[intent] = index
    elif intent in walk.settled:
        first = walk.settled[intent]
        yield Finding(index, Fault.TWICE, f"entry {index} is a second outcome of intent {intent}, after entry {first}")
    else:
        yield Finding(index, Fault.INTENT, f"entry {index} is the outcome of {said}, which is no intent before it")


def _progress(walk: _Walk, index: int, wire: dict[str, Any]) -> None:
    if wire["time"] < walk.time:
        walk.remarks.append(f"entry {index} is dated {wire['time']}, before the one ahead of it ({walk.time})")
    walk.time, walk.epoch = wire["time"], max(walk.epoch, wire["epoch"])


def _readable(wire: Any) -> bool:
    return (
        isinstance(wire, dict)
        and type(wire.get("index")) is int
        and type(wire.get("epoch")) is int
        and all(isinstance(wire.get(key), str) for key in ("time", "part", "previous", "digest"))
    )


def _index(name: str, wire: Any) -> int:
    if name.isdigit():
        return int(name)
    return int(wire["index"]) if _readable(wire) else 0
