"""Proves that each cause the code can give is explained, with a next step, and that the page says the same as the command line."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from feem.api.experiment import RunResult
from feem.core.chaos import ending
from feem.view.chaos.causes import CAUSES, next_step
from tests.docs.pages import code_spans, page

ROOT = Path(__file__).parents[3] / "operator" / "feem"
WORD = re.compile(r"[A-Z][a-z]+([A-Z][A-Za-z]*)*")
PLACES = {"Unfit": 0, "Refusal": 0, "take_back": 1, "end": 2, "_skip": 2}
"""Calls that are given a cause, and as which argument."""
NO_CAUSES = {ending.TIME_IS_UP}
"""Why a fault was taken back that a run did not end for."""


def given() -> Iterator[str]:
    """Yield the causes that stand in the code."""
    for path in [*(ROOT / "core/chaos").glob("*.py"), *(ROOT / "controllers/chaos").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            place = PLACES.get(getattr(node.func, "id", getattr(node.func, "attr", "")))
            found = node.args[place] if place is not None and len(node.args) > place else None
            if isinstance(found, ast.Constant) and isinstance(found.value, str) and WORD.fullmatch(found.value):
                yield found.value


def test_every_cause_that_the_code_gives_is_explained() -> None:
    found = set(given()) | ending.ERRORS | ending.FAILURES
    assert len(found) > 30
    assert found - NO_CAUSES <= set(CAUSES), (
        f"explain {sorted(found - NO_CAUSES - set(CAUSES))} in view/chaos/causes.py"
    )


def test_every_cause_that_is_explained_is_a_word_of_the_code() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "core/chaos").glob("*.py"))
    assert {name for name in CAUSES if f'"{name}"' not in text} == set()


@pytest.mark.parametrize("name", CAUSES)
def test_a_cause_leads_to_results_that_there_are(name: str) -> None:
    assert set(CAUSES[name].results) <= {result.value for result in RunResult}
    if name in ending.ERRORS | ending.FAILURES:
        assert ending.result_for(name).value in CAUSES[name].results
    elif {"Passed", "Error"}.isdisjoint(CAUSES[name].results) and "Aborted" in CAUSES[name].results:
        assert ending.result_for(name).value == "Aborted"


def test_the_page_has_the_same_table() -> None:
    rows = {
        code_spans(row[0])[0]: [cell.replace("`", "") for cell in row[1:]]
        for row in page("docs/chaos.md").table("Causes")
    }
    assert rows == {name: [", ".join(one.results), one.means, one.then] for name, one in CAUSES.items()}


def test_the_next_step_names_the_service_and_is_empty_where_there_is_none() -> None:
    assert next_step("ChangeFreeze", "credit-check") == "wait for its end: feem windows --for credit-check"
    assert next_step("ChangeFreeze", "") == "wait for its end: feem windows --for SERVICE"
    assert next_step("HypothesisHeld") == next_step("NamespaceDeleted") == next_step("OfTheFuture") == ""
