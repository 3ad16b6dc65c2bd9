"""reply_to: what a decision about a release that was promoted counts for."""

from __future__ import annotations

import pytest

from feem.api.base import Metadata
from feem.api.decision import Decision, DecisionSpec
from feem.core.rollout.reply import reply_to
from tests.rollout import snapshots as at


def decision(verb: str) -> Decision:
    spec = DecisionSpec.model_validate({"release": at.NAME, "verb": verb, "reason": "because", "by": "pipeline"})
    return Decision(metadata=Metadata(name="d-1", namespace="lending"), spec=spec)


@pytest.mark.parametrize("state", ["Watching", "CannotUndo", "UndoStuck"])
def test_abort_ends_a_watch_or_an_undo_that_is_stuck(state: str) -> None:
    release = at.watched(state=state).release
    counts, reason, _ = reply_to(decision("Abort"), release, release)
    assert (counts, reason) == (True, "Applied")


@pytest.mark.parametrize(("verb", "state"), [("Abort", "Undoing"), ("Pause", "Watching"), ("Promote", "Watching")])
def test_nothing_else_counts_for_a_release_that_was_promoted(verb: str, state: str) -> None:
    release = at.watched(state=state).release
    counts, reason, _ = reply_to(decision(verb), release, release)
    assert (counts, reason) == (False, "ReleaseEnded")
