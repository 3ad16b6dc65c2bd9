"""Places and people: the largest seating there is, in which more people never empty a place."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from feem.core.gates.matching import match

ROLES, PEOPLE = ("risk", "product", "test"), ("a", "b", "c", "d")
places = st.lists(st.sampled_from(ROLES), max_size=5)
people = st.dictionaries(st.sampled_from(ROLES), st.lists(st.sampled_from(PEOPLE), unique=True, max_size=4))


def best(roles: list[str], able: dict[str, list[str]]) -> int:
    """The largest number of places that can be filled, by trying every order of the people."""
    padded = (*PEOPLE, *("" for _ in roles))
    orders = set(permutations(padded, len(roles)))
    return max(
        (sum(person in able.get(role, ()) for role, person in zip(roles, order, strict=True)) for order in orders),
        default=0,
    )


def test_a_greedy_seating_would_leave_a_place_empty() -> None:
    able = {"product": ["a", "b"], "risk": ["a"]}
    assert match(["product", "risk"], able) == {0: "b", 1: "a"}


def test_a_long_chain_of_moves() -> None:
    roles = [f"r{number}" for number in range(400)]
    able = {f"r{number}": [f"p{number}", f"p{number + 1}"] for number in range(399)}
    able["r399"] = ["p0"]
    assert len(match(roles, able)) == 400


def test_the_first_places_are_filled_first() -> None:
    assert match(["risk", "product"], {"risk": ["a"], "product": ["a"]}) == {0: "a"}
    assert match(["product", "risk"], {"risk": ["a"], "product": ["a"]}) == {0: "a"}


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(ROLES), max_size=4), people)
def test_it_is_the_largest(roles: list[str], able: dict[str, list[str]]) -> None:
    seats = match(roles, able)
    assert len(seats) == best(roles, able)
    assert len(set(seats.values())) == len(seats)
    assert all(person in able[roles[place]] for place, person in seats.items())


@settings(max_examples=300, deadline=None)
@given(places, people, st.lists(st.sampled_from(ROLES), min_size=1, unique=True))
def test_more_people_never_empty_a_place(roles: list[str], able: dict[str, list[str]], more: list[str]) -> None:
    with_a_newcomer = {**able, **{role: sorted({*able.get(role, ()), "new"}) for role in more}}
    assert set(match(roles, able)) <= set(match(roles, with_a_newcomer))


@settings(max_examples=300, deadline=None)
@given(places, people, st.sampled_from(ROLES), st.sampled_from(PEOPLE))
def test_a_further_role_never_empties_more_than_it_fills(
    roles: list[str], able: dict[str, list[str]], role: str, person: str
) -> None:
    """It may move somebody to an earlier place, as from product to risk; of the first places, as many as before stay filled."""
    before, after = match(roles, able), match(roles, {**able, role: sorted({*able.get(role, ()), person})})
    for count in range(len(roles) + 1):
        assert sum(place < count for place in before) <= sum(place < count for place in after)


def test_a_further_role_moves_somebody_to_an_earlier_place() -> None:
    assert match(["risk", "product"], {"product": ["b"]}) == {1: "b"}
    assert match(["risk", "product"], {"product": ["b"], "risk": ["b"]}) == {0: "b"}


@settings(max_examples=200, deadline=None)
@given(places, people)
def test_later_places_never_take_from_earlier_ones(roles: list[str], able: dict[str, list[str]]) -> None:
    for count in range(len(roles)):
        assert set(match(roles[:count], able)) == {place for place in match(roles, able) if place < count}
