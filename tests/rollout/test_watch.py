"""After the promotion: one row a moment of the watch, of the way back, and of its end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from feem.api.release import Outcome
from feem.core.rollout.decide import decide
from feem.core.rollout.effects import EndUndo, UndoTemplate, Unpause
from feem.core.rollout.mark import UndoMark, parse_undo
from feem.core.rollout.recovery import true_of_release
from feem.core.rollout.snapshot import Directives, HoldMechanism, ReleaseSnapshot
from feem.core.rollout.watch import watched_set
from tests.rollout import snapshots as at
from tests.rollout.snapshots import CHANGE, NAME, NEWER, NOW, REVISIONS, STABLE, WORKLOAD, watched

FAIL = Outcome.FAIL
LIVE = replace(WORKLOAD, paused=False, settled=True)
BACK = replace(
    WORKLOAD,
    template_digest=STABLE,
    paused=False,
    settled=False,
    promoting=True,
    undo=UndoMark(NAME, "BurnsTooFast"),
)
OTHER_RELEASE = replace(BACK, undo=UndoMark("scoring-3", "BurnsTooFast"))


def going_back(workload: Any = BACK, **changes: Any) -> ReleaseSnapshot:
    """An undo that stands in the status."""
    s = watched(state="Undoing", watched="")
    status = s.release.status
    assert status is not None
    over = [item if item.type != "Succeeded" else _rolled_back(item) for item in status.conditions]
    release = s.release.model_copy(update={"status": status.model_copy(update={"conditions": over})})
    return replace(s, release=release, workload=workload, **changes)


def _rolled_back(item: Any) -> Any:
    return item.model_copy(update={"status": "False", "reason": "RolledBack"})


MOMENTS: dict[str, tuple[ReleaseSnapshot, str, str, str, list[type[Any]]]] = {
    "cleaned up": (watched(state="CleaningUp", watched=""), "Wait", "Watching", "Promoted", []),
    "watching": (watched(), "Wait", "Watching", "Promoted", []),
    "watching, all is well": (watched(Outcome.PASS), "Wait", "Watching", "Promoted", []),
    "watching, paused by a person": (watched(directives=Directives(paused=True)), "Wait", "Watching", "Promoted", []),
    "it burns": (watched(FAIL), "Undo", "Undoing", "RolledBack", [UndoTemplate]),
    "it burns under a standing pause": (
        watched(FAIL, workload=replace(LIVE, paused=True), hold=HoldMechanism.STANDING),
        "Undo",
        "Undoing",
        "RolledBack",
        [UndoTemplate],
    ),
    "an undo was announced": (
        watched(announced=("BurnsTooFast", "text")),
        "Undo",
        "Undoing",
        "RolledBack",
        [UndoTemplate],
    ),
    "there is no way back": (watched(FAIL, stable_kept=False), "Wait", "CannotUndo", "Promoted", []),
    "there is no way back, and it is known": (
        watched(state="CannotUndo", watched=""),
        "Wait",
        "CannotUndo",
        "Promoted",
        [],
    ),
    "a verdict from before the watch is none of it": (watched(FAIL, watched=""), "Wait", "Watching", "Promoted", []),
    "written, not on record": (watched(workload=BACK), "Undo", "Undoing", "RolledBack", []),
    "rolling back": (going_back(), "Wait", "Undoing", "RolledBack", []),
    "paused half-way": (going_back(replace(BACK, paused=True)), "ResumeUndo", "Undoing", "RolledBack", [Unpause]),
    "no progress": (going_back(replace(BACK, stuck="deadline")), "Wait", "UndoStuck", "RolledBack", []),
    "no progress, given up": (
        going_back(replace(BACK, stuck="deadline"), directives=Directives(abort=True)),
        "RestoreTraffic",
        "CleaningUp",
        "RolledBack",
        [EndUndo],
    ),
    "an abort does not stop one that goes well": (
        going_back(directives=Directives(abort=True)),
        "Wait",
        "Undoing",
        "RolledBack",
        [],
    ),
    "overtaken by another template": (
        going_back(replace(BACK, template_digest=NEWER)),
        "RestoreTraffic",
        "CleaningUp",
        "RolledBack",
        [EndUndo],
    ),
    "rolled back": (going_back(replace(BACK, settled=True)), "RestoreTraffic", "CleaningUp", "RolledBack", [EndUndo]),
    "all is back": (
        going_back(replace(LIVE, template_digest=STABLE)),
        "Complete",
        "RolledBack",
        "RolledBack",
        [],
    ),
}


@pytest.mark.parametrize("name", MOMENTS)
def test_each_moment_of_a_watch(name: str) -> None:
    snapshot, action, state, result, effects = MOMENTS[name]
    plan = decide(snapshot)
    assert (plan.action, at.word(plan), at.word(plan, "Succeeded")) == (action, state, result)
    assert [type(effect) for effect in plan.effects] == effects
    assert (plan.status.completed_at is not None) == (action == "Complete")


OVER: dict[str, ReleaseSnapshot] = {
    "its time is over": watched(ago=600),
    "a newer change": watched(workload=replace(LIVE, template_digest=NEWER, paused=True)),
    "the earlier version": watched(workload=replace(LIVE, template_digest=STABLE, paused=True)),
    "a person ended it": watched(directives=Directives(abort=True)),
    "the service is going": watched(service_deleting=True),
    "the Deployment is going": watched(workload=replace(LIVE, deleting=True)),
    "the Deployment is gone": watched(workload=None),
    "the release is going": replace(
        watched(),
        release=watched().release.model_copy(update={"metadata": at.release(deletion_timestamp=NOW).metadata}),
    ),
}


@pytest.mark.parametrize("name", OVER)
@pytest.mark.parametrize("outcome", [Outcome.INCONCLUSIVE, FAIL])
def test_the_watch_ends_at_once_and_the_change_stays_promoted(name: str, outcome: Outcome) -> None:
    verdicts = (at.verdict(FAIL, "BurnsTooFast"),) if outcome is FAIL else ()
    plan = decide(replace(OVER[name], outcome=outcome, verdicts=verdicts))
    assert (plan.action, plan.reason, plan.effects) == ("Complete", "Promoted", ())
    assert (at.word(plan), at.word(plan, "Succeeded"), at.word(plan, "Held")) == ("Promoted", "Promoted", "Promoted")
    assert "the watch ended" in plan.message


def test_a_watch_that_could_not_undo_says_so_at_its_end() -> None:
    assert "could not be undone" in decide(watched(state="CannotUndo", ago=600, watched="")).message


def test_an_undo_names_what_it_takes_back_and_marks_it() -> None:
    plan = decide(watched(FAIL))
    (effect,) = plan.effects
    assert isinstance(effect, UndoTemplate)
    assert (effect.template_digest, effect.stable_digest) == (CHANGE, STABLE)
    assert parse_undo(effect.mark) == UndoMark(NAME, "BurnsTooFast")
    assert (plan.evidence, plan.warning) == (True, True)


def test_a_mark_that_somebody_else_wrote_is_none() -> None:
    assert [parse_undo(text) for text in (None, "", "scoring-4", "/why", "a/b/c")] == [None] * 5
    plan = decide(watched(workload=OTHER_RELEASE))
    assert plan.action != "Undo"


def test_after_an_undo_the_release_holds_its_change_for_the_future() -> None:
    plan = decide(going_back(replace(LIVE, template_digest=STABLE)))
    assert at.word(plan, "Held") == "Undone"


def test_a_promotion_says_when_all_pods_ran_the_change() -> None:
    plan = decide(at.seen(4, workload=replace(LIVE, promoting=True), pinned=""))
    assert plan.status.promoted_at == NOW


def test_the_written_undo_is_true_whether_or_not_it_is_on_record() -> None:
    (effect,) = decide(watched(FAIL)).effects
    assert str(effect) not in true_of_release(watched())
    assert str(effect) in true_of_release(watched(workload=BACK))
    (end,) = decide(going_back(replace(BACK, settled=True))).effects
    assert str(end) not in true_of_release(going_back())
    assert str(end) in true_of_release(going_back(replace(LIVE, template_digest=STABLE)))


def test_only_a_release_in_its_watch_is_watched() -> None:
    both = (*REVISIONS, replace(REVISIONS[0], name="scoring-bbb", template_digest=CHANGE, number=4))
    release = watched().release
    assert watched_set(release, LIVE, both) == "scoring-bbb"
    assert watched_set(release, replace(LIVE, template_digest=NEWER), both) == ""
    assert watched_set(release, None, both) == ""
    assert watched_set(release, LIVE, REVISIONS) == ""
    assert watched_set(watched(state="CleaningUp").release, LIVE, both) == ""
    assert watched_set(watched(state="CannotUndo").release, LIVE, both) == ""
