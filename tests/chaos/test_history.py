"""Which runs are forgotten, and what the kept ones, and the forgotten ones, say of the service."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feem.api.base import Condition, ConditionStatus
from feem.api.experiment import ExperimentStatus, History
from feem.api.run import ChaosRun
from feem.core.chaos.history import MOST_DELETED, ended, forgettable, newest, on_stable, passed_at, resilient
from feem.core.chaos.status import result_of
from feem.core.conditions import find
from tests.chaos.experiments import CREATED, hours, run

NOW = CREATED + hours(1000)
RESULTS = ("Passed", "Failed", "Aborted", "Skipped", "Error")


def runs(*results: str) -> list[ChaosRun]:
    """One run an hour, the oldest first; an empty result: it is still open."""
    return [run(f"r{number}", result, CREATED + hours(number)) for number, result in enumerate(results)]


def names(found: Sequence[ChaosRun]) -> list[str]:
    return [item.metadata.name for item in found]


@pytest.mark.parametrize(
    ("passed", "others", "results", "gone"),
    [
        (1, 1, ["Passed", "Skipped"], []),
        (1, 1, ["Passed", "Passed", "Passed"], ["r0", "r1"]),
        (2, 1, ["Passed", "Passed", "Passed"], ["r0"]),
        (1, 2, ["Skipped", "Aborted", "Error", "Passed"], ["r0"]),
        (1, 1, ["Skipped", "", "Aborted", "", "Passed"], ["r0"]),
        # The newest that passed stays, however much came after it.
        (1, 2, ["Passed", "Skipped", "Skipped", "Error", "Aborted"], ["r1", "r2"]),
        # So does the failure that the service is judged by, until something newer came to a result.
        (1, 1, ["Passed", "Failed", "Skipped", "Skipped", "Skipped"], ["r2", "r3"]),
        (1, 1, ["Failed", "Passed", "Skipped"], ["r0"]),
        (1, 1, ["Failed", "Skipped", "Failed", "Skipped"], ["r0", "r1"]),
    ],
)
def test_what_is_beyond_the_history_goes_oldest_first(
    passed: int, others: int, results: list[str], gone: list[str]
) -> None:
    assert names(forgettable(runs(*results), History(passed=passed, others=others))) == gone


def test_the_order_is_that_of_completion() -> None:
    late = run("a-made-first", "Passed", CREATED + hours(5), made=CREATED)
    early = run("b-made-later", "Passed", CREATED + hours(4), made=CREATED + hours(3))
    assert names(forgettable([late, early], History(passed=1))) == ["b-made-later"]


def test_what_is_still_to_be_cleaned_up_stays() -> None:
    held = run("held", "Skipped", CREATED, finalizer=True)
    going = run("going", "Skipped", CREATED + hours(1), deleting=True)
    found = [held, going, *runs("Skipped", "Skipped", "Skipped")[2:], run("new", "Skipped", CREATED + hours(9))]
    assert names(forgettable(found, History(others=1))) == ["r2"]


def test_no_more_go_at_once_than_an_entry_of_the_log_can_name() -> None:
    found = forgettable(runs(*["Skipped"] * 100), History(others=1))
    assert names(found) == [f"r{number}" for number in range(MOST_DELETED)]


@given(st.lists(st.sampled_from(["", *RESULTS]), max_size=60), st.integers(1, 5), st.integers(1, 5))
def test_forgetting_ends_and_changes_nothing_that_is_said(results: list[str], passed: int, others: int) -> None:
    history, left, before = History(passed=passed, others=others), runs(*results), ExperimentStatus()
    said = resilient(left, before, NOW, 1)
    rounds = 0
    while gone := forgettable(left, history):
        assert not {item.metadata.name for item in gone} & {item.metadata.name for item in left if item.status is None}
        left = [item for item in left if item not in gone]
        rounds += 1
        assert rounds <= 3
    over = ended(left)
    assert sum(result_of(item) == "Passed" for item in over) == min(results.count("Passed"), passed)
    ended_otherwise = sum(bool(result) and result != "Passed" for result in results)
    assert min(ended_otherwise, others) <= sum(result_of(item) != "Passed" for item in over) <= others + 1
    assert resilient(left, before, NOW, 1) == said
    assert passed_at(left) == passed_at(runs(*results))


# -- Resilient ----------------------------------------------------------------------------------------------------------


def judged(found: Sequence[ChaosRun], before: ExperimentStatus | None = None) -> tuple[str, str, str]:
    said = resilient(found, before or ExperimentStatus(), NOW, 3)
    assert (said.type, said.observed_generation) == ("Resilient", 3)
    return said.status.value, said.reason, said.message


@pytest.mark.parametrize(
    ("results", "status", "reason", "begins"),
    [
        ([], "Unknown", "NoResult", "no run has passed or failed yet"),
        (["", "Skipped", "Aborted", "Error"], "Unknown", "NoResult", "no run"),
        (["Passed"], "True", "Passed", "ChaosRun r0 passed at 2026-11-02 08:00:00 UTC"),
        (["Passed", "Failed"], "False", "Failed", "ChaosRun r1 failed at 2026-11-02 09:00:00 UTC"),
        (["Failed", "Passed"], "True", "Passed", "ChaosRun r1 passed"),
        (["Failed", "Skipped", "Aborted", "Error", ""], "False", "Failed", "ChaosRun r0 failed"),
        (["Passed", "Skipped", "Aborted", "Error", ""], "True", "Passed", "ChaosRun r0 passed"),
    ],
)
def test_the_newest_result_counts_and_what_is_no_result_does_not(
    results: list[str], status: str, reason: str, begins: str
) -> None:
    found = judged(runs(*results))
    assert found[:2] == (status, reason)
    assert found[2].startswith(begins)


def test_a_failure_says_what_the_run_said() -> None:
    why = "objective errors: 4.1% of 1,200 requests failed, 0.1% may"
    assert judged([run("r", "Failed", CREATED, why=why)])[2] == f"ChaosRun r failed at 2026-11-02 08:00:00 UTC: {why}"
    assert len(judged([run("r", "Failed", CREATED, why="x" * 8192)])[2]) == 8192


def known(found: Sequence[ChaosRun]) -> ExperimentStatus:
    """The status after a look at these runs."""
    return ExperimentStatus(conditions=[resilient(found, ExperimentStatus(), NOW, 1)], last_passed_at=passed_at(found))


def test_deleting_the_run_that_failed_does_not_make_a_service_resilient() -> None:
    both = runs("Passed", "Failed")
    before = known(both)
    assert judged(both[:1], before) == judged(both)
    assert judged([], before) == judged(both)
    again = [*both[:1], run("later", "Passed", CREATED + hours(7))]
    assert judged(again, before)[:2] == ("True", "Passed")


def test_deleting_the_run_that_passed_does_not_make_a_service_fail() -> None:
    both = runs("Failed", "Passed")
    before = known(both)
    assert judged(both[:1], before) == judged(both)
    again = [*both[:1], run("later", "Failed", CREATED + hours(7))]
    assert judged(again, before)[:2] == ("False", "Failed")


def test_a_failure_right_after_a_pass_counts_though_it_is_seen_late() -> None:
    """The write that ends a run comes after the moment it ended: the status may be newer than the end it does not know yet."""
    passed, failed = run("a", "Passed", CREATED), run("b", "Failed", CREATED + timedelta(milliseconds=1))
    assert judged([passed, failed], known([passed]))[:2] == ("False", "Failed")


@given(st.lists(st.tuples(st.sampled_from(RESULTS), st.booleans()), max_size=25))
def test_whatever_is_deleted_when_the_newest_result_ever_seen_counts(events: list[tuple[str, bool]]) -> None:
    """Runs end one after the other; after some of them somebody deletes one that is there."""
    there, status, expected = list[ChaosRun](), ExperimentStatus(), "Unknown"
    for number, (result, deletes) in enumerate(events):
        there.append(run(f"r{number}", result, CREATED + hours(number)))
        expected = {"Passed": "True", "Failed": "False"}.get(result, expected)
        status = looked(there, status)
        assert state(status.conditions) == expected
        if deletes:
            there.pop(len(there) // 2)
            status = looked(there, status)
            assert state(status.conditions) == expected


def looked(there: Sequence[ChaosRun], old: ExperimentStatus) -> ExperimentStatus:
    at = max((moment for moment in (old.last_passed_at, passed_at(there)) if moment), default=None)
    return ExperimentStatus(conditions=[resilient(there, old, NOW, 1)], last_passed_at=at)


def state(conditions: Sequence[Condition]) -> str:
    found = find(conditions, "Resilient")
    return (found.status if found else ConditionStatus.UNKNOWN).value


# -- whose runs ---------------------------------------------------------------------------------------------------------


def test_runs_on_canaries_are_a_releases_own() -> None:
    canary = run("limit-scoring-4-s2", "Failed", CREATED, track="Canary", release="limit-scoring-4")
    assert on_stable([canary, *runs("Passed")]) == (*runs("Passed"),)


def test_the_newest_is_the_one_made_last() -> None:
    older, newer = run("b", made=CREATED), run("a", made=CREATED + hours(1))
    assert newest([newer, older]) is newer
    assert newest([]) is None
