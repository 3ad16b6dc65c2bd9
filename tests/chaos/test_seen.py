"""Proves when a fault counts as seen, and when as gone."""

from __future__ import annotations

from typing import Any

import pytest

from feem.api.experiment import EffectProbe
from feem.core.chaos.decide import decide
from feem.core.chaos.edit import Body, Change, Edit, Remove
from feem.core.chaos.seen import bound_of, in_objects, passes_bound, shown
from feem.core.chaos.snapshot import Reading, Workload
from tests.chaos import snapshots as at

ABOVE, BELOW = EffectProbe(query="q", above="0.5"), EffectProbe(query="q", below="-1")


@pytest.mark.parametrize(
    ("probe", "value", "passes"),
    [
        (ABOVE, 0.6, True),
        (ABOVE, 0.5, False),
        (ABOVE, -3.0, False),
        (ABOVE, None, None),
        (BELOW, -1.1, True),
        (BELOW, -1.0, False),
        (BELOW, 0.0, False),
        (BELOW, None, None),
        (EffectProbe(query="q"), 1.0, False),
    ],
)
def test_a_value_has_to_pass_the_bound_and_no_value_says_nothing(
    probe: EffectProbe, value: float | None, *, passes: bool | None
) -> None:
    assert passes_bound(probe, Reading(value)) is passes


@pytest.mark.parametrize(("probe", "words"), [(ABOVE, "above 0.5"), (BELOW, "below -1")])
def test_the_bound_is_said_as_it_was_written(probe: EffectProbe, words: str) -> None:
    assert bound_of(probe) == words


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (1.0, "1"), (0.25, "0.25"), (1234567.0, "1.23457e+06"), (-1e-300, "-1e-300"), (None, "")],
)
def test_a_value_is_shown_in_six_digits(value: float | None, text: str) -> None:
    assert shown(Reading(value)) == text
    assert len(shown(Reading(value))) <= 32


# -- in objects ---------------------------------------------------------------------------------------------------------

TWO: Any = {"blastRadius": {"pods": 2, "durationSeconds": 60}}


def two(fault: Body) -> tuple[Edit, ...]:
    s = at.new(experiment=at.experiment(fault, **TWO))
    return at.edits_in(at.followed(s, decide(s)))


KILLED, FAILED = two(at.KILL), two(at.FAIL)
HERE = Workload("uid-deployment", 3, 3)


def looks(edits: tuple[Edit, ...], *lost: str) -> dict[str, Body | None]:
    """What is seen of each pod: there, going, gone, replaced, or not Ready."""
    found: dict[str, Body | None] = {}
    for edit, state in zip(edits, lost, strict=True):
        body: Any = at.during((edit,))[str(edit.target)]
        if state == "gone":
            body = None
        elif state == "going":
            body = {**body, "metadata": {**body["metadata"], "deletionTimestamp": "2026-03-02T09:30:00Z"}}
        elif state == "replaced":
            body = {**body, "metadata": {**body["metadata"], "uid": "another"}}
        elif state == "not Ready":
            body = at.lost((edit,))[str(edit.target)] if isinstance(edit, Change) else {**body, "status": {}}
        found[str(edit.target)] = body
    return found


@pytest.mark.parametrize(
    ("edits", "states", "words"),
    [
        (KILLED, ("gone", "gone"), "2 of the pods are gone"),
        (KILLED, ("going", "replaced"), "2 of the pods are gone"),
        (KILLED, ("gone", "there"), ""),
        (KILLED, ("there", "there"), ""),
        (KILLED, ("not Ready", "gone"), ""),
        (KILLED[:1], ("gone",), "1 of the pods is gone"),
        (FAILED, ("not Ready", "not Ready"), "2 of the pods are not Ready"),
        (FAILED, ("not Ready", "gone"), "2 of the pods are not Ready"),
        (FAILED, ("not Ready", "there"), ""),
        (FAILED, ("there", "there"), ""),
        (FAILED[:1], ("not Ready",), "1 of the pods is not Ready"),
    ],
)
def test_pods_show_it_once_all_of_them_do(edits: tuple[Edit, ...], states: tuple[str, ...], words: str) -> None:
    assert in_objects(edits, looks(edits, *states), HERE) == words


def test_removed_pods_are_told_from_changed_ones() -> None:
    assert all(isinstance(edit, Remove) for edit in KILLED)
    assert all(isinstance(edit, Change) for edit in FAILED)


@pytest.mark.parametrize(
    ("workload", "words"),
    [
        (HERE, ""),
        (Workload("u", 2, 3), ""),
        (Workload("u", 2, 2), "2 pods are available, 3 were"),
        (Workload("u", 2, 0), "0 pods are available, 3 were"),
        (None, ""),
    ],
)
def test_a_scaled_deployment_shows_it_once_its_pods_are_gone(workload: Workload | None, words: str) -> None:
    assert in_objects(two({"scaleDown": {"replicas": 2}}), {}, workload) == words


def test_without_edits_there_is_nothing_to_see() -> None:
    assert in_objects((), {}, HERE) == ""
