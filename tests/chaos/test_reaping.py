"""Proves when the reaper takes a fault back, by the mark, the runs, the switch, and the clock alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feem.api.halt import ChaosHalt
from feem.api.run import ChaosRun, RunStatus
from feem.core.chaos.edit import Mark
from feem.core.chaos.reaping import LEFT_ALONE, OPERATOR_FIRST, SETTLED, is_worth_a_look, may_go, why_now
from feem.core.finalizer import FINALIZER
from tests.chaos import snapshots as at

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def mark(left: float = 60, uid: str = at.UID) -> Mark:
    return Mark(at.NAME, at.NAMESPACE, uid, NOW + timedelta(seconds=left))


def halt(since: float | None, *namespaces: str) -> ChaosHalt:
    made = None if since is None else ago(since)
    found = at.halt(*namespaces)
    return found.model_copy(update={"metadata": found.metadata.model_copy(update={"creation_timestamp": made})})


def run(
    *,
    planned: bool = True,
    undone: bool = False,
    ended: float | None = None,
    deleted: float | None = None,
    finalizer: bool = True,
) -> ChaosRun:
    status = RunStatus(
        planned_at=ago(100) if planned else None,
        undone_at=ago(50) if undone else None,
        completed_at=None if ended is None else ago(ended),
    )
    made = at.run(status if planned or ended is not None else None)
    changes = {
        "finalizers": ["other", FINALIZER] if finalizer else ["other"],
        "deletion_timestamp": None if deleted is None else ago(deleted),
    }
    return made.model_copy(update={"metadata": made.metadata.model_copy(update=changes)})


OPEN = {at.UID: run()}
WHY: dict[str, tuple[Mark, dict[str, ChaosRun], list[ChaosHalt], str]] = {
    "its run is under way": (mark(), OPEN, [], ""),
    "its last second": (mark(1), OPEN, [], ""),
    "its time is up": (mark(0), OPEN, [], "Expired"),
    "its time was up long ago": (mark(-86400), OPEN, [], "Expired"),
    "expired and halted": (mark(0), OPEN, [halt(10)], "Expired"),
    "expired and its run is gone": (mark(0), {}, [], "Expired"),
    "halted": (mark(), OPEN, [halt(10)], "Halted"),
    "halted here": (mark(), OPEN, [halt(10, "other", at.NAMESPACE)], "Halted"),
    "halted elsewhere": (mark(), OPEN, [halt(10, "other")], ""),
    "halted just now": (mark(), OPEN, [halt(OPERATOR_FIRST.seconds - 0.1)], ""),
    "halted long enough": (mark(), OPEN, [halt(OPERATOR_FIRST.seconds)], "Halted"),
    "halted nobody knows when": (mark(), OPEN, [halt(None)], "Halted"),
    "halted just now and before": (mark(), OPEN, [halt(0), halt(10)], "Halted"),
    "its run is gone": (mark(), {}, [], "RunGone"),
    "another run of its name": (mark(), {"other": run()}, [], "RunGone"),
    "its run was just deleted: the operator comes first": (mark(), {at.UID: run(deleted=59)}, [], ""),
    "its run was deleted and no operator came": (mark(), {at.UID: run(deleted=LEFT_ALONE.seconds)}, [], "RunGone"),
    "its run recovers": (mark(), {at.UID: run(undone=True)}, [], ""),
    "its run has not begun": (mark(), {at.UID: run(planned=False)}, [], ""),
    "its run just ended": (mark(), {at.UID: run(ended=SETTLED.seconds - 1)}, [], ""),
    "its run ended": (mark(), {at.UID: run(ended=SETTLED.seconds)}, [], "RunEnded"),
}


@pytest.mark.parametrize(("carried", "runs", "halts", "why"), WHY.values(), ids=WHY.keys())
def test_why_a_fault_has_to_go_now(carried: Mark, runs: dict[str, ChaosRun], halts: list[ChaosHalt], why: str) -> None:
    assert why_now(carried, runs, halts, NOW) == why


@given(
    st.integers(-1000, 1000), st.sampled_from([{}, OPEN, {at.UID: run(ended=100)}]), st.sampled_from([[], [halt(9)]])
)
def test_nothing_stays_longer_than_its_mark_says(left: int, runs: dict[str, ChaosRun], halts: list[ChaosHalt]) -> None:
    why = why_now(mark(left), runs, halts, NOW)
    assert (why == "Expired") is (left <= 0)
    assert why or (runs is OPEN and not halts)


@pytest.mark.parametrize(
    ("runs", "halts", "worth"),
    [
        ([], [], False),
        ([], [halt(0, "other")], True),
        ([run(planned=False)], [], False),
        ([run()], [], True),
        ([run(finalizer=False)], [], True),
        ([run(undone=True)], [], True),
        ([run(ended=5)], [], True),
        ([run(ended=5, finalizer=False)], [], False),
        ([run(planned=False, ended=5)], [], False),
        ([run(ended=5, finalizer=False), run()], [], True),
    ],
)
def test_when_everything_is_looked_through(runs: list[ChaosRun], halts: list[ChaosHalt], *, worth: bool) -> None:
    assert is_worth_a_look(runs, halts) is worth
    assert is_worth_a_look(iter(runs), iter(halts)) is worth


LONG = LEFT_ALONE.seconds


@pytest.mark.parametrize(
    ("found", "carried", "may"),
    [
        (run(deleted=LONG), [], True),
        (run(deleted=LONG), ["other"], True),
        (run(deleted=LONG), ["other", mark().run_uid], False),
        (run(deleted=LONG - 1), [], False),
        (run(), [], False),
        (run(deleted=LONG, finalizer=False), [], False),
        (run(deleted=LONG, planned=False), [], True),
        (run(deleted=LONG, ended=90), [], True),
    ],
)
def test_a_deleted_run_goes_once_nothing_carries_its_fault_and_no_operator_came(
    found: ChaosRun, carried: list[str], *, may: bool
) -> None:
    assert may_go(found, carried, NOW) is may
