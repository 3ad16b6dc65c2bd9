"""What proofs and signatures cost."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from bench.audit.log import BEGAN, ORIGIN, signer
from bench.evidence.section import Check, Section
from feem.core.tlog.checkpoint import Checkpoint
from feem.core.tlog.merkle import leaf_hash, verify_consistency, verify_inclusion
from feem.core.tlog.note import Note
from feem.core.tlog.signing import open_checkpoint
from feem.core.tlog.tree import Tree

T = TypeVar("T")
SIZE = 100_000
PROOFS = 2_000
NOTES = 200


def proofs(say: Callable[[str], None]) -> Section:
    """Make and check inclusion and consistency proofs, and signed checkpoints."""
    say("proofs and signatures")
    leaves = [leaf_hash(index.to_bytes(4, "big")) for index in range(SIZE)]
    tree, chance = Tree(leaves), random.Random(5)
    root, places = tree.root(), [chance.randrange(SIZE) for _ in range(PROOFS)]
    made, inclusions = _cpu(lambda: [tree.inclusion(place) for place in places])
    checked, good = _cpu(
        lambda: all(
            verify_inclusion(leaves[at], at, SIZE, path, root) for at, path in zip(places, inclusions, strict=True)
        )
    )
    roots = [tree.root(place) for place in places]
    grown, consistent = _cpu(lambda: [tree.consistency(place) for place in places])
    followed, follows = _cpu(
        lambda: all(
            verify_consistency(at, SIZE, old, root, path)
            for at, old, path in zip(places, roots, consistent, strict=True)
        )
    )
    keys, head = signer(), Checkpoint(ORIGIN, SIZE, root)
    signed, note = _cpu(
        lambda: [Note(head.text(), tuple(keys.sign(head, int(BEGAN.timestamp())))).wire() for _ in range(NOTES)]
    )
    opened, _ = _cpu(lambda: [open_checkpoint(each, keys.keys) for each in note])
    rows = (
        (
            "inclusion proof",
            f"{made / PROOFS * 1e6:.0f} us",
            f"{checked / PROOFS * 1e6:.0f} us",
            f"{len(inclusions[0])} hashes",
        ),
        (
            "consistency proof",
            f"{grown / PROOFS * 1e6:.0f} us",
            f"{followed / PROOFS * 1e6:.0f} us",
            f"{len(consistent[0])} hashes",
        ),
        (
            "checkpoint, Ed25519 and ML-DSA-44",
            f"{signed / NOTES * 1e6:.0f} us",
            f"{opened / NOTES * 1e6:.0f} us",
            f"{len(note[0]):,} bytes",
        ),
    )
    return Section(
        "proofs",
        f"Proofs and signatures in a log of {SIZE:,} entries (CPU time of one)",
        columns=("what", "made", "checked", "size"),
        rows=rows,
        checks=(Check("every proof was accepted", f"{2 * PROOFS}", good and follows),),
        figures={
            "inclusionMakeMicroseconds": round(made / PROOFS * 1e6, 1),
            "inclusionCheckMicroseconds": round(checked / PROOFS * 1e6, 1),
            "consistencyMakeMicroseconds": round(grown / PROOFS * 1e6, 1),
            "consistencyCheckMicroseconds": round(followed / PROOFS * 1e6, 1),
            "checkpointSignMicroseconds": round(signed / NOTES * 1e6, 1),
            "checkpointOpenMicroseconds": round(opened / NOTES * 1e6, 1),
        },
    )


def _cpu(act: Callable[[], T]) -> tuple[float, T]:
    began = time.process_time()
    result = act()
    return time.process_time() - began, result
