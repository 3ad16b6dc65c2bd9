"""A walk over the entries that a pack has, others of the log being between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feem.api.audit import Part
from feem.core.audit.verify import Fault, Walk, verify
from tests.audit.test_verify import Log, healthy, log_of, reseal

FACT, INTENT, OUTCOME = Part.FACT, Part.INTENT, Part.OUTCOME


def walked(log: Log, chosen: Sequence[int]) -> list[tuple[int | None, Fault]]:
    walk = Walk(whole=False)
    for place in chosen:
        walk.step(*log[place])
    return [(one.index, one.fault) for one in walk.findings]


def changed(log: Log, place: int, **members: Any) -> Log:
    name, wire = log[place]
    other = {**wire, **members}
    reseal(other)
    return [*log[:place], (name, other), *log[place + 1 :]]


@given(st.data())
def test_any_part_of_a_whole_log_is_right(data: st.DataObject) -> None:
    log = healthy(5)
    chosen = data.draw(st.sets(st.integers(0, len(log) - 1)))
    assert walked(log, sorted(chosen)) == []


def test_an_intent_has_one_outcome_whoever_stands_between_them() -> None:
    log = log_of([(INTENT, None), (FACT, None), (OUTCOME, 0), (FACT, None), (OUTCOME, 0)])
    assert walked(log, [0, 2]) == []
    assert walked(log, [0, 2, 4]) == [(4, Fault.TWICE)]


def test_an_intent_that_is_left_out_has_one_outcome_too() -> None:
    log = log_of([(FACT, None), (INTENT, None), (OUTCOME, 1), (FACT, None), (OUTCOME, 1)])
    assert walked(log, [0, 2]) == []
    assert walked(log, [2]) == []
    assert walked(log, [0, 2, 4]) == [(4, Fault.TWICE)]
    assert walked(log, [2, 4]) == [(4, Fault.TWICE)]


@pytest.mark.parametrize("said", [1, 3, 4, -1, None, "2", True])
def test_an_outcome_is_of_an_intent_before_it(said: object) -> None:
    log = changed(log_of([(FACT, None), (FACT, None), (INTENT, None), (OUTCOME, 2)]), 3, intent=said)
    assert walked(log, [1, 3]) == [(3, Fault.INTENT)]


def test_an_outcome_is_no_intent_of_another() -> None:
    log = log_of([(INTENT, None), (FACT, None), (OUTCOME, 0), (FACT, None), (OUTCOME, 2)])
    assert walked(log, [2, 4]) == [(4, Fault.INTENT)]


def test_epochs_do_not_fall() -> None:
    log = log_of([(FACT, None)] * 5, epochs=[2, 2, 1, 2, 3])
    assert walked(log, [0, 4]) == []
    assert walked(log, [0, 2, 4]) == [(2, Fault.EPOCH)]


def test_neighbours_chain_and_others_cannot_be_asked() -> None:
    log = changed(healthy(), 4, previous=f"sha256:{'0' * 64}")
    assert walked(log, [3, 4]) == [(4, Fault.CHAIN)]
    assert walked(log, [2, 4]) == []


def test_only_the_first_entry_of_a_log_follows_nothing() -> None:
    log = changed(healthy(), 4, previous="")
    assert walked(log, [4]) == walked(log, [2, 4]) == [(4, Fault.CHAIN)]
    assert [one.fault for one in verify(log[4:]).findings] == [Fault.CHAIN, Fault.CHAIN]
    assert walked(changed(healthy(), 0, previous=f"sha256:{'0' * 64}"), [0, 2]) == [(0, Fault.CHAIN)]
