"""Checks a published log from its files alone: entries, tiles, the signed head, and heads that others kept.

Reads each file once, in order, and holds one tile a level: memory does not grow with the log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from feem.core.audit.reading import read_entry
from feem.core.audit.record import name_of
from feem.core.audit.tiles import TileWatch
from feem.core.audit.verify import MOST_FINDINGS, Fault, Finding, Report, Walk, first_of
from feem.core.tlog.merkle import EMPTY_ROOT, leaf_hash
from feem.core.tlog.policy import Policy
from feem.core.tlog.signing import CheckpointError, Opened, open_checkpoint
from feem.core.tlog.tile import WIDTH, bundles_for, entries_path, unpack_entries
from feem.core.tlog.tree import Frontier
from feem.core.tlog.vkey import Key

CHECKPOINT = "checkpoint"
KEYS = "keys.txt"

Read = Callable[[str], bytes | None]
"""Returns a file of the log by its name, None when it is not there."""
Progress = Callable[[int, int], None]
"""Told how many entries of how many were checked."""


@dataclass(frozen=True)
class Trust:
    """What a reader brings: keys (or a policy, with a quorum of witnesses), and checkpoints that they kept."""

    keys: tuple[Key, ...]
    policy: Policy | None = None
    held: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What the check found. `opened` is None when the log's own checkpoint cannot be believed."""

    opened: Opened | None
    findings: tuple[Finding, ...]
    report: Report | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    @property
    def first_bad(self) -> Finding | None:
        """The finding at the first entry, else one that belongs to no single entry."""
        return first_of(self.findings)


def verify_published(read: Read, trust: Trust, progress: Progress = lambda *_: None) -> Verdict:
    """Check a published log; the checks go on after a finding, so that all of them are told."""
    note = read(CHECKPOINT)
    try:
        opened = open_checkpoint(_text(note), trust.keys)
    except CheckpointError as problem:
        return Verdict(None, (Finding(None, Fault.CHECKPOINT, str(problem)),))
    walk = _Check(read, opened, progress)
    findings = list(_witnessed(opened, trust))
    findings += walk.hold(trust)
    report = walk.run()
    return Verdict(opened, (*findings, *report.findings), report)


def _witnessed(opened: Opened, trust: Trust) -> Sequence[Finding]:
    if trust.policy is None or trust.policy.satisfied(opened):
        return ()
    names = ", ".join(sorted({key.name for key in opened.witnesses})) or "nobody"
    return (Finding(None, Fault.WITNESS, f"the policy's quorum is not reached: the checkpoint is cosigned by {names}"),)


@dataclass
class _Check:
    """One pass over the files."""

    read: Read
    opened: Opened
    progress: Progress
    _walk: Walk = field(default_factory=Walk)
    _frontier: Frontier = field(default_factory=Frontier)
    _held: dict[int, list[bytes]] = field(default_factory=dict)
    """Roots that others kept, by size."""

    def hold(self, trust: Trust) -> list[Finding]:
        """Take in the checkpoints that the reader kept."""
        findings, size = [], self.opened.checkpoint.size
        for note in trust.held:
            try:
                kept = open_checkpoint(note, trust.keys).checkpoint
            except CheckpointError as problem:
                findings.append(Finding(None, Fault.HELD, f"the checkpoint that was held: {problem}"))
                continue
            if kept.origin != self.opened.checkpoint.origin:
                findings.append(
                    Finding(None, Fault.HELD, f"the checkpoint that was held is of the log {kept.origin!r}")
                )
            elif kept.size > size:
                text = f"the log was cut off: it has {size} entries, the checkpoint that was held has {kept.size}"
                findings.append(Finding(size, Fault.HELD, text))
            else:
                self._held.setdefault(kept.size, []).append(kept.root)
        return findings

    def run(self) -> Report:
        """Check all entries and tiles, then the root."""
        size, root = self.opened.checkpoint.size, self.opened.checkpoint.root
        tiles = TileWatch(self.read)
        self._compare_held(0, EMPTY_ROOT)
        for index, width in bundles_for(size):
            self._bundle(index, width, tiles)
            self.progress(min(size, index * WIDTH + width), size)
        self._walk.add(tiles.finish())
        if self._frontier.size == size and self._frontier.root() != root:
            text = f"the entries do not give the root of the checkpoint: {size} entries have another one"
            self._walk.add([Finding(None, Fault.ROOT, text)])
        return self._walk.report()

    def _bundle(self, index: int, width: int, tiles: TileWatch) -> None:
        start = index * WIDTH
        try:
            entries = self._entries(index, width)
        except ValueError as problem:
            self._walk.add([Finding(start, Fault.MISSING, str(problem))])
            entries = []
        for place, data in enumerate(entries):
            self._entry(start + place, data, tiles)
        if len(entries) < width:
            if entries:
                text = f"the bundle {entries_path(index, width)} has {len(entries)} entries, not {width}"
                self._walk.add([Finding(start + len(entries), Fault.MISSING, text)])
            tiles.skip(index)

    def _entry(self, index: int, data: bytes, tiles: TileWatch) -> None:
        leaf = leaf_hash(data)
        self._walk.add(tiles.leaf(leaf))
        if self._frontier.size == index:
            self._frontier.append(leaf)
            self._compare_held(index + 1, None)
        if len(self._walk.findings) >= MOST_FINDINGS:
            return
        try:
            wire, digest = read_entry(data)
        except (ValueError, RecursionError) as problem:
            self._walk.add([Finding(index, Fault.MALFORMED, f"entry {index} is not an audit entry: {problem}")])
            self._walk.step(name_of(index), None)
            return
        self._walk.step(name_of(index), wire, digest)

    def _compare_held(self, size: int, root: bytes | None) -> None:
        for kept in self._held.pop(size, ()):
            if kept != (self._frontier.root() if root is None else root):
                text = f"the first {size} entries are not those of the checkpoint that was held: history was rewritten"
                self._walk.add([Finding(None, Fault.HELD, text)])

    def _entries(self, index: int, width: int) -> list[bytes]:
        """Return the entries of a bundle, from the partial file or, when that was replaced by now, from the full one."""
        for path in dict.fromkeys((entries_path(index, width), entries_path(index))):
            data = self.read(path)
            if data is not None:
                try:
                    entries = unpack_entries(data)
                except ValueError as problem:
                    raise ValueError(f"{path}: {problem}") from problem
                if path == entries_path(index, width) and len(entries) > width:
                    raise ValueError(f"the bundle {path} has {len(entries)} entries, not {width}")
                return entries[:width]
        raise ValueError(f"there is no bundle {entries_path(index, width)}")


def _text(note: bytes | None) -> str:
    if note is None:
        raise CheckpointError(f"there is no file `{CHECKPOINT}`")
    try:
        return note.decode()
    except UnicodeDecodeError as problem:
        raise CheckpointError("the checkpoint is not UTF-8") from problem
