"""Proves that a request goes back where its limit leaves it room, and that one without room keeps nothing else from going back."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from feem.core.chaos.edit import ABSENT, Body, Field, mark_of
from feem.core.chaos.pointer import value_at
from feem.core.chaos.residue import Left, left_of
from feem.core.chaos.room import too_low_a_limit
from feem.core.chaos.undo import Restore, undo
from tests.chaos.patching import patched
from tests.chaos.test_undo import MARK, POD, change, injected, pod

LIMIT, REQUEST = "/spec/containers/0/resources/limits/cpu", "/spec/containers/0/resources/requests/cpu"
FIELDS = (Field(LIMIT, "2", "1"), Field(REQUEST, "1500m", "999m"))


def squeezed(limit: str = "1", request: str = "999m") -> dict[str, Any]:
    """The pod under the fault, then with a limit and a request that somebody else may have set."""
    body = pod({"containers": [{"name": "app", "resources": {"limits": {"cpu": "2"}, "requests": {"cpu": "1500m"}}}]})
    found = copy.deepcopy(injected(body, change(*FIELDS, subresource="resize")))
    resources = found["spec"]["containers"][0]["resources"]
    resources["limits"]["cpu"], resources["requests"]["cpu"] = limit, request
    return found


def undone(body: Body) -> Body:
    """As the API server has it after all requests of an undo; it would refuse a request above its limit."""
    while isinstance(way := undo(body), Restore):
        body = patched(body, way.values or way.mark)
        assert (value_at(body, LIMIT), value_at(body, REQUEST)) != ("1200m", "1500m"), "which an API server refuses"
    return body


def left(body: Body) -> Left:
    edit = change(*FIELDS, subresource="resize")
    return left_of((edit,), {str(edit.target): body}, MARK.run_uid)


def test_limit_and_request_go_back_together() -> None:
    body = undone(squeezed())
    assert (value_at(body, LIMIT), value_at(body, REQUEST)) == ("2", "1500m")
    assert left(body) == Left()


@pytest.mark.parametrize("limit", ["1500m", "1.5", "3"])
def test_it_goes_back_below_a_limit_with_room_that_somebody_else_set(limit: str) -> None:
    body = undone(squeezed(limit))
    assert (value_at(body, LIMIT), value_at(body, REQUEST)) == (limit, "1500m")
    assert len(left(body).kept) == 1


def test_it_stays_below_a_limit_without_room_and_the_mark_goes() -> None:
    body = undone(squeezed("1200m"))
    assert (value_at(body, LIMIT), value_at(body, REQUEST)) == ("1200m", "999m")
    assert mark_of(body) is None
    found = left(body)
    assert (found.residue, found.unmarked) == ((), ())
    assert (
        f"{REQUEST} of {POD} stays 999m: 1500m is above the limit 1200m that somebody else set meanwhile" in found.kept
    )


def test_while_the_mark_is_there_it_is_residue() -> None:
    assert left(squeezed("1200m")).residue == (f"{POD} still carries the mark",)


@pytest.mark.parametrize(
    ("item", "limit", "found"),
    [
        (FIELDS[1], "1200m", "1200m"),
        (FIELDS[1], "1499m", "1499m"),
        (FIELDS[1], "1500m", ""),
        (FIELDS[1], "1", ""),  # still the fault's: it goes back to 2 in the same request
        (FIELDS[1], ABSENT, ""),
        (FIELDS[1], "much", ""),
        (FIELDS[0], "1200m", ""),
        (Field(REQUEST, ABSENT, "999m"), "500m", ""),
        (Field("/spec/replicas", 3, 2), "1200m", ""),
    ],
)
def test_a_limit_is_too_low_for_a_request_alone(item: Field, limit: str, found: str) -> None:
    limits = {} if limit == ABSENT else {"cpu": limit}
    body = pod({"containers": [{"name": "app", "resources": {"limits": limits, "requests": {"cpu": "999m"}}}]})
    assert too_low_a_limit(body, item, (FIELDS[0], item)) == found
