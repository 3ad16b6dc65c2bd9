"""A log of any length, made as the operator makes it: records, a tree, and a signed directory of tiles."""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from feem.adapters.audit.directory import DirectoryRecords
from feem.adapters.audit.keys import LogSigner, SigningKey, generate_seed
from feem.api.audit import AuditSpec, Part, Subject
from feem.core.audit.entry import entry_bytes
from feem.core.audit.record import Statement, next_record
from feem.core.tlog.checkpoint import Checkpoint
from feem.core.tlog.merkle import leaf_hash
from feem.core.tlog.note import Note
from feem.core.tlog.tree import Tree
from feem.core.tlog.vkey import Algorithm

ORIGIN = "feem.dev/audit/bench"
OPERATOR = "system:serviceaccount:feem-system:feem"
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 2048


def statements(count: int) -> Iterator[Statement]:
    """What a busy log says: acts with intents and outcomes, and facts."""
    for index in range(count):
        subject = Subject(
            kind="Release", namespace="lending", name=f"limit-scoring-{index // 60}", uid=f"{index // 60:036d}"
        )
        if index % 3 == 0:
            text = "step 2 of 3: 50 percent of the requests go to the canary"
            effect = "set HTTPRoute lending/limit-scoring to canary weight 50"
            yield Statement(
                "ShiftTraffic", Part.INTENT, subject, OPERATOR, "StepPassed", text, (effect,), "sha256:" + "a" * 64
            )
        elif index % 3 == 1:
            yield Statement("ShiftTraffic", Part.OUTCOME, subject, OPERATOR, "Done", intent=index - 1)
        else:
            text = "approvals Passed (Approved); window Passed (Open); objectives Passed (Named); exposure Passed (WithinLimits)"
            yield Statement("Gates", Part.FACT, subject, OPERATOR, "Allowed", text, evidence="sha256:" + "b" * 64)


def records(count: int) -> Iterator[AuditSpec]:
    """Number and chain the statements."""
    head: AuditSpec | None = None
    for index, statement in enumerate(statements(count)):
        head = next_record(head, statement, BEGAN + timedelta(seconds=index), 1)
        yield head


def signer() -> LogSigner:
    """Keys made for this run."""
    kinds = (Algorithm.ED25519, Algorithm.ML_DSA_44)
    return LogSigner([SigningKey(ORIGIN, kind, generate_seed()) for kind in kinds])


def publish(entries: Sequence[bytes], directory: Path) -> tuple[float, float]:
    """Publish a log as the operator does; returns seconds for the files and seconds for tree and signature."""

    async def act() -> tuple[float, float]:
        began, tree, keys = time.perf_counter(), Tree(), signer()
        place = DirectoryRecords(directory)
        for start in range(0, len(entries), BATCH):
            await place.extend(start, entries[start : start + BATCH])
        written = time.perf_counter() - began
        for entry in entries:
            tree.append(leaf_hash(entry))
        checkpoint = Checkpoint(ORIGIN, tree.size, tree.root())
        note = Note(checkpoint.text(), tuple(keys.sign(checkpoint, int(BEGAN.timestamp())))).wire()
        await place.publish(note, "".join(f"{key.vkey()}\n" for key in keys.keys))
        return written, time.perf_counter() - began - written

    return asyncio.run(act())


def main(words: Sequence[str]) -> int:
    """Make a log of N entries in a directory, in a process of its own; prints what it took."""
    count, directory = int(words[0]), Path(words[1])
    cpu = time.process_time()
    entries = [entry_bytes(record) for record in records(count)]
    made = time.process_time() - cpu
    written, signed = publish(entries, directory)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(made, written, signed, sum(map(len, entries)), peak)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
