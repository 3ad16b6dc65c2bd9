"""Whether an audit log is whole: every entry in its place, as it was written, every intent followed by one outcome."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from feem.api.audit import Part
from feem.core.audit.bits import Bits
from feem.core.audit.reading import readable
from feem.core.audit.record import name_of, record_digest

MOST_FINDINGS = 1_000
"""Findings that a report keeps: a log of another kind altogether would be all findings."""


class Fault(StrEnum):
    """What can be wrong with a log."""

    MALFORMED = "Malformed"
    GAP = "Gap"
    ORDER = "OutOfOrder"
    NAME = "NameMismatch"
    DIGEST = "DigestMismatch"
    CHAIN = "ChainBroken"
    INTENT = "OutcomeWithoutIntent"
    TWICE = "TwoOutcomes"
    EPOCH = "EpochWentBack"
    MISSING = "Missing"
    TILE = "TileMismatch"
    ROOT = "RootMismatch"
    CHECKPOINT = "CheckpointNotBelieved"
    HELD = "HeldCheckpointContradicts"
    WITNESS = "NotWitnessed"
    PROOF = "ProofMismatch"
    PACK = "PackMismatch"


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be: the entry's index (None: no single entry), what is wrong, and a sentence about it."""

    index: int | None
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
        """The finding at the first entry; one that belongs to no single entry only when there is no other."""
        return first_of(self.findings)


def first_of(findings: Iterable[Finding]) -> Finding | None:
    """Return the finding at the first entry, else one that belongs to no single entry, else None."""
    return min(findings, key=lambda found: (found.index is None, found.index or 0), default=None)


@dataclass
class Walk:
    """A walk over entries in order, one step each; memory grows by two bits an entry of a whole log."""

    first: int | None = None
    """The index of the first entry; None before it is known."""
    whole: bool = True
    """Whether no entry may be missing between two others; False for those that a pack has."""
    entries: int = 0
    head: str = ""
    findings: list[Finding] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    _index: int = -1
    _digests: tuple[str, ...] = ("",)
    """Any of these the next entry may name as `previous`; none: what came before cannot be told."""
    _time: str = ""
    _epoch: int = 0
    _waiting: set[int] = field(default_factory=set)
    _settled: Bits = field(default_factory=Bits)
    _seen: set[int] = field(default_factory=set)
    """Where not all entries are there: those that are."""

    def step(self, name: str, wire: Any, digest: str | None = None) -> None:
        """Check one entry: the name it stands under, and its JSON; `digest` is the one it ought to carry, if that is known."""
        if self.first is None:
            self.first = _place(name, wire)
            self._index, self._digests = self.first - 1, ("",) if self.first == 0 else ()
            if self.first > 0:
                self.remarks.append(f"the log begins at {self.first}: what came before was pruned and is not checked")
        self.entries += 1
        self.head = wire["digest"] if readable(wire) else ""
        self.add(self._entry(name, wire, digest))

    def add(self, findings: Iterable[Finding]) -> None:
        """Keep findings, up to a limit."""
        self.findings.extend(found for found in findings if len(self.findings) < MOST_FINDINGS)

    def report(self) -> Report:
        """Return what was found so far."""
        waiting = tuple(sorted(self._waiting))
        return Report(self.entries, self.first or 0, self.head, tuple(self.findings), waiting, tuple(self.remarks))

    def _entry(self, name: str, wire: Any, digest: str | None) -> Iterator[Finding]:
        """Check one entry and step over it; after a bad one the walk goes on from what it says."""
        expected = self._index + 1
        index = int(name) if name.isdigit() else expected
        if index < expected:
            yield Finding(index, Fault.ORDER, f"entry {index} stands after entry {self._index}")
        if index > expected and self.whole:
            missing = f"entry {expected} is" if index == expected + 1 else f"entries {expected} to {index - 1} are"
            yield Finding(expected, Fault.GAP, f"{missing} missing")
        previous = self._digests if index == expected else ()
        self._index, self._digests = index, ()
        if not readable(wire):
            yield Finding(index, Fault.MALFORMED, f"entry {name} is not an audit entry")
            return
        if wire["index"] != index or name != name_of(index):
            yield Finding(index, Fault.NAME, f"entry {name} says it is entry {wire['index']}")
        ought = record_digest(wire) if digest is None else digest
        if ought != wire["digest"]:
            text = f"entry {index} was changed: it digests to {ought}, not to {wire['digest']}"
            yield Finding(index, Fault.DIGEST, text)
        elif (previous and wire["previous"] not in previous) or (index > 0 and not wire["previous"]):
            before = previous[0] or "nothing" if previous else "another"
            text = f"entry {index} follows {wire['previous'] or 'nothing'}, not {before}"
            yield Finding(index, Fault.CHAIN, text)
        if wire["epoch"] < self._epoch:
            text = f"entry {index} is of epoch {wire['epoch']}, after one of epoch {self._epoch}"
            yield Finding(index, Fault.EPOCH, text)
        yield from self._acts(index, wire)
        if wire["time"] < self._time:
            self.remarks.append(f"entry {index} is dated {wire['time']}, before the one ahead of it ({self._time})")
        self._time, self._epoch = wire["time"], max(self._epoch, wire["epoch"])
        self._digests = (wire["digest"], ought)

    def _acts(self, index: int, wire: dict[str, Any]) -> Iterator[Finding]:
        """Match outcomes with intents; one that was pruned, or that a pack leaves out, is taken for an intent."""
        if not self.whole:
            self._seen.add(index)
        part, said = wire["part"], wire.get("intent")
        intent = said if type(said) is int else -1
        if (part == Part.OUTCOME) != ("intent" in wire) or part not in _PARTS:
            yield Finding(index, Fault.MALFORMED, f"entry {index} is no Intent, Outcome or Fact of an entry's form")
        elif part == Part.INTENT:
            self._waiting.add(index)
        elif part != Part.OUTCOME or (self.whole and 0 <= intent < (self.first or 0)):
            return
        elif intent in self._waiting:
            self._waiting.remove(intent)
            self._settled.add(intent)
        elif intent in self._settled:
            yield Finding(index, Fault.TWICE, f"entry {index} is a second outcome of intent {intent}")
        elif not self.whole and 0 <= intent < index and intent not in self._seen:
            self._settled.add(intent)
        else:
            yield Finding(index, Fault.INTENT, f"entry {index} is the outcome of {said}, which is no intent before it")


_PARTS = frozenset(part.value for part in Part)


def verify(records: Iterable[tuple[str, Any]]) -> Report:
    """Walk the log; `records` are (object name, `spec` in wire form) ordered by name."""
    walk = Walk()
    for name, wire in records:
        walk.step(name, wire)
    return walk.report()


def _place(name: str, wire: Any) -> int:
    if name.isdigit():
        return int(name)
    return int(wire["index"]) if readable(wire) else 0
