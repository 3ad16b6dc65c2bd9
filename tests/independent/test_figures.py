"""The independent verifier's figures of a game day: how seconds are rounded, and what is not there."""

from __future__ import annotations

import pytest

from tests.independent.verifier_documents import Members
from tests.independent.verifier_faults import RejectedError
from tests.independent.verifier_figures import figures
from tests.independent.verifier_json import canonical


def run(name: str = "lose-a-pod-1", **status: object) -> Members:
    about = {"namespace": "lending", "name": name, "uid": "u"}
    return {"metadata": about, "spec": {"experiment": "lose-a-pod"}, "status": status}


@pytest.mark.parametrize(
    ("begin", "end", "wanted"),
    [
        ("2026-11-02T09:00:00Z", "2026-11-02T09:00:00.25Z", b"0.2"),
        ("2026-11-02T09:00:00Z", "2026-11-02T09:00:03.15Z", b"3.1"),
        ("2026-11-02T09:00:00.000000Z", "2026-11-02T09:00:00.250001Z", b"0.3"),
        ("2026-11-02T09:00:00Z", "2026-11-02T09:00:00.2500009Z", b"0.2"),
        ("2026-11-02T09:00:00.5Z", "2026-11-02T11:01:00.500+02:00", b"60"),
        ("2026-11-02T09:00:01Z", "2026-11-02T09:00:00Z", b"0"),
        ("", "2026-11-02T09:00:00Z", b"null"),
    ],
)
def test_seconds_of_figures(begin: str, end: str, wanted: bytes) -> None:
    (found,) = figures([run(undoneAt=begin, recoveredAt=end)], [])["runs"]
    assert canonical(found["recoverySeconds"]) == wanted


def test_a_run_that_never_began_has_empty_figures() -> None:
    (found,) = figures([run()], [])["runs"]
    assert (found["injectedAt"], found["result"], found["fault"]) == ("", "", "")
    assert found["objectives"] == {"before": [], "during": [], "after": []}
    assert figures([run()], [])["totals"]["longestUndoSeconds"] is None


def test_runs_stand_in_the_order_of_their_times_to_the_second() -> None:
    one, other = run("b", plannedAt="2026-11-02T09:00:00.1Z"), run("a", plannedAt="2026-11-02T09:00:00.9Z")
    skipped = run("c", completedAt="2026-11-02T10:59:59+02:00")
    assert [found["name"] for found in figures([one, other, skipped], [])["runs"]] == ["c", "a", "b"]


@pytest.mark.parametrize(
    "told", ["soon", "2026-11-02T09:00:00", "2026-02-30T09:00:00Z", "9999-12-31T23:59:59-01:00", 5]
)
def test_what_is_no_time_is_refused(told: object) -> None:
    with pytest.raises(RejectedError):
        figures([run(injectedAt=told)], [])


@pytest.mark.parametrize(
    "status",
    [
        {"terms": {"fault": {"podKill": {}, "scaleDown": {}}}},
        {"terms": []},
        {"residue": "none"},
        {"residue": [1]},
        {"before": [1]},
        {"cause": 1},
    ],
)
def test_figures_of_what_is_no_run_are_refused(status: Members) -> None:
    with pytest.raises(RejectedError):
        figures([run(**status)], [])
