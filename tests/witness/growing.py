"""A log that grows, and one that shares its keys and tells another story."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from feem.adapters.audit.keys import LogSigner, SigningKey, generate_seed
from feem.adapters.audit.witness_desk import WitnessDesk, logs_of
from feem.adapters.audit.witness_request import submission_body
from feem.adapters.audit.witness_state import WitnessState
from feem.core.tlog.checkpoint import Checkpoint
from feem.core.tlog.merkle import leaf_hash
from feem.core.tlog.note import Note
from feem.core.tlog.tree import Tree
from feem.core.tlog.vkey import Algorithm, Key

ORIGIN = "feem.dev/audit/feem-system"
NAME = "auditor.bank.example/feem"
BOTH = (Algorithm.ED25519, Algorithm.ML_DSA_44)


def signer(origin: str = ORIGIN, algorithms: Iterable[Algorithm] = BOTH) -> LogSigner:
    """Return fresh keys of a log."""
    return LogSigner([SigningKey(origin, algorithm, generate_seed()) for algorithm in algorithms])


class Log:
    """Entries `<story> <index>`; forks share a beginning and the keys."""

    def __init__(self, size: int = 0, keys: LogSigner | None = None, origin: str = ORIGIN) -> None:
        self.origin, self.signer, self.tree = origin, keys or signer(origin), Tree()
        self.grow(size)

    def grow(self, count: int, story: str = "true") -> None:
        for _ in range(count):
            self.tree.append(leaf_hash(f"{story} {self.tree.size}".encode()))

    def fork(self, at: int, size: int, story: str = "other") -> Log:
        twin = Log(keys=self.signer, origin=self.origin)
        for index in range(at):
            twin.tree.append(self.tree.node(0, index))
        twin.grow(size - at, story)
        return twin

    def checkpoint(self, size: int | None = None) -> Checkpoint:
        size = self.tree.size if size is None else size
        return Checkpoint(self.origin, size, self.tree.root(size))

    def note(self, size: int | None = None) -> str:
        checkpoint = self.checkpoint(size)
        return Note(checkpoint.text(), tuple(self.signer.sign(checkpoint, 1_700_000_000))).wire()

    def body(self, old: int, size: int | None = None) -> bytes:
        """Return an honest request; without a proof where there is none."""
        end = self.tree.size if size is None else size
        proof = self.tree.consistency(old, end) if old <= end else ()
        return submission_body(old, proof, self.note(end))


class Clock:
    """Stands until it is moved; POSIX seconds."""

    def __init__(self, now: float = 1_750_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def desk(
    folder: Path, *logs: Log, clock: Clock | None = None, keys: Mapping[str, tuple[Key, ...]] | None = None
) -> WitnessDesk:
    """Return a witness that trusts these logs."""
    trusted = logs_of([key for log in logs for key in log.signer.keys]) if keys is None else keys
    return WitnessDesk(WitnessState(folder, NAME), trusted, clock or Clock())


def vkeys_of(policy_lines: str) -> list[str]:
    """Return the vkeys in the lines that a witness prints."""
    return re.findall(r"^witness \S+ (\S+) \S+$", policy_lines, re.MULTILINE)
