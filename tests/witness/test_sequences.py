"""Whatever is sent in whatever order: no two heads that a witness vouched for contradict each other."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from feem.adapters.audit.witness_request import submission_body
from feem.core.tlog.checkpoint import Checkpoint
from feem.core.tlog.tree import Tree
from tests.witness.growing import ORIGIN, Log, desk

SIZES = st.integers(0, 24)
LOG = Log(24)
STORIES = (LOG, *(LOG.fork(at, 24, story) for at, story in ((0, "a"), (7, "b"), (8, "c"), (16, "d"), (23, "e"))))

Step = tuple[int, int, int | None, int, bool]
STEPS = st.lists(
    st.tuples(
        st.integers(0, len(STORIES) - 1),  # whose head
        SIZES,
        st.none() | SIZES,  # the old size; None: the one it holds
        st.integers(0, len(STORIES) - 1),  # whose proof
        st.booleans(),  # a restart before it
    ),
    max_size=25,
)


def prefix(old: Checkpoint, whole: Tree) -> bool:
    return whole.root(old.size) == old.root


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_it_never_vouches_for_two_histories(steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        witness = desk(Path(folder), LOG)
        vouched: list[tuple[Checkpoint, Tree]] = []
        for whose, size, said, prover, restart in steps:
            if restart:
                witness.state.close()
                witness = desk(Path(folder), LOG)
            head = witness.state.heads.get(ORIGIN)
            holds = head.checkpoint.size if head else 0
            old = holds if said is None else said
            story = STORIES[whose]
            proof = STORIES[prover].tree.consistency(old, size) if old <= size else ()
            answer = witness.submit(submission_body(old, proof, story.note(size)))
            fits = old == holds and old <= size and (head is None or prefix(head.checkpoint, story.tree))
            if fits and prover == whose:
                assert answer.status == 200  # an honest head is never refused
            if answer.status == 200:
                assert old == holds
                vouched.append((story.checkpoint(size), story.tree))
        witness.state.close()
    for (old_head, _), (new_head, whole) in itertools.pairwise(vouched):
        assert old_head.size <= new_head.size
        assert prefix(old_head, whole)
