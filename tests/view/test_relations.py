"""What records of a pack may be to one another when others of the log stand between them."""

from __future__ import annotations

from typing import Any

import pytest

from feem.core.audit.verify import Fault
from feem.core.dossier.relations import Relations


def entry(part: str = "Fact", epoch: int = 1, **more: Any) -> dict[str, Any]:
    return {"part": part, "epoch": epoch, **more}


def found(*records: tuple[int, dict[str, Any]]) -> list[tuple[int | None, Fault]]:
    relations = Relations()
    return [(one.index, one.fault) for place, wire in records for one in relations.step(place, wire)]


def test_an_intent_has_one_outcome_whoever_stands_between_them() -> None:
    intent, outcome = entry("Intent"), entry("Outcome", intent=3)
    assert found((3, intent), (9, outcome)) == []
    assert found((3, intent), (9, outcome), (12, outcome)) == [(12, Fault.TWICE)]


def test_an_intent_that_is_not_in_the_pack_has_one_outcome_too() -> None:
    outcome = entry("Outcome", intent=3)
    assert found((9, outcome)) == []
    assert found((9, outcome), (12, outcome)) == [(12, Fault.TWICE)]


@pytest.mark.parametrize("said", [5, 9, 12, -1, None, "3", True])
def test_an_outcome_is_of_an_intent_before_it(said: object) -> None:
    assert found((5, entry()), (9, entry("Outcome", intent=said))) == [(9, Fault.INTENT)]


def test_an_outcome_is_no_intent_of_another() -> None:
    first, second = entry("Outcome", intent=3), entry("Outcome", intent=9)
    assert found((9, first), (12, second)) == [(12, Fault.INTENT)]


def test_epochs_do_not_fall() -> None:
    assert found((1, entry(epoch=2)), (5, entry(epoch=2)), (9, entry(epoch=3))) == []
    assert found((1, entry(epoch=2)), (5, entry(epoch=1)), (9, entry(epoch=2))) == [(5, Fault.EPOCH)]
