"""Metrics, settings and reasons: what the pages name is in the code, and what the code can say is in the pages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from pydantic_core import PydanticUndefined

from feem.observe.chaos import ReaperMetrics
from feem.observe.metrics import OperatorMetrics
from feem.settings import Settings
from tests.docs.pages import ROOT, Page, code_spans, page, pages, source

OPERATIONS = page("docs/operations.md")
REASON = re.compile(r"[A-Z][a-z]+([A-Z][A-Za-z]*)*")
SAYING = {"next_status", "ServicePlan", "wait", "verdict", "UnusableQuery", "QueryProblem", "condition", "made"}
"""Calls whose arguments carry a reason."""


def metrics() -> set[str]:
    found = set()
    for family in (*OperatorMetrics().registry.collect(), *ReaperMetrics().registry.collect()):
        if family.name.startswith("feem_"):
            found.add(f"{family.name}_total" if family.type == "counter" else family.name)
    return found


@pytest.mark.parametrize("one", pages(), ids=lambda one: one.name)
def test_every_metric_that_a_page_names_exists(one: Page) -> None:
    suffixes = r"(_bucket|_sum|_count)$"
    named = {re.sub(suffixes, "", word) for word in re.findall(r"\bfeem_[a-z_]+", one.text)}
    assert named <= metrics(), f"{one.name} names {sorted(named - metrics())}"


def test_every_metric_stands_in_the_operations_table_with_its_labels() -> None:
    rows = {code_spans(row[0])[0]: row for row in OPERATIONS.table("Metrics")}
    assert set(rows) == metrics()


def test_every_setting_stands_in_the_operations_table_with_its_default() -> None:
    rows = {code_spans(row[0])[0]: row[1] for row in OPERATIONS.table("Settings")}
    fields = {f"FEEM_{name.upper()}": field for name, field in Settings.model_fields.items()}
    assert set(rows) == set(fields)
    for name, field in fields.items():
        if field.default not in (PydanticUndefined, ""):
            given = f"{field.default:g}" if isinstance(field.default, float) else str(field.default)
            assert rows[name] == given, f"docs/operations.md says {name} is {rows[name]!r} by default, it is {given!r}"


@pytest.mark.parametrize("one", pages(), ids=lambda one: one.name)
def test_every_setting_that_a_page_names_exists(one: Page) -> None:
    known = source() + source("e2e") + source("tests/integration") + (ROOT / "Makefile").read_text(encoding="utf-8")
    for name in set(re.findall(r"\bFEEM_[A-Z_]+", one.text)):
        field = name.removeprefix("FEEM_").lower()
        assert name in known or re.search(rf"^    {field}: ", known, re.MULTILINE), f"{one.name} names {name}"


def test_every_value_of_the_chart_stands_in_the_operations_table() -> None:
    values = yaml.safe_load((ROOT / "charts/feem/values.yaml").read_text(encoding="utf-8"))
    named = {span.split(".")[0] for row in OPERATIONS.table("Values") for span in code_spans(row[0])}
    assert named == set(values)


def constants(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def said(path: Path) -> Iterator[str]:
    """Yield the CamelCase words that a module gives to a call that states a reason, or returns as (reason, message)."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        parts: list[ast.AST] = []
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in SAYING:
            parts = [*node.args, *(word.value for word in node.keywords)]
        elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
            parts = [node.value]
        for part in parts:
            for item in [part, *(part.elts if isinstance(part, ast.Tuple) else ())]:
                if isinstance(item, ast.Constant) and isinstance(item.value, str) and REASON.fullmatch(item.value):
                    yield item.value


HEADINGS = (
    "Reasons of a ManagedService",
    "Reasons of a Release",
    "Reasons of a verdict",
    "Other reasons",
    "Reasons in the audit log",
)


def reasons() -> set[str]:
    rows = [row for heading in HEADINGS for row in OPERATIONS.table(heading)]
    return {span for row in rows for span in code_spans(row[0])}


def test_every_reason_in_the_tables_is_a_word_of_the_code() -> None:
    words = {word for path in (ROOT / "operator/feem").rglob("*.py") for word in constants(path)}
    assert reasons() <= words, f"the code never says {sorted(reasons() - words)}"


def test_every_reason_the_code_can_give_stands_in_the_tables_with_a_next_step() -> None:
    rooms = ("core/rollout", "core/evidence", "core/slo", "controllers", "adapters/prometheus")
    paths = [path for room in rooms for path in (ROOT / "operator/feem" / room).glob("*.py")]
    given = {word for path in paths for word in said(path)}
    types = {"Ready", "Hold", "Guarded", "Held", "Progressing", "Succeeded", "Accepted", "Applied"}
    missing = given - reasons() - types - ACTIONS
    assert not missing, f"docs/operations.md does not explain {sorted(missing)}"


ACTIONS = {"Govern", "Pause", "Resume", "RequestRelease", "ObserveRelease", "GiveBack"}
"""First arguments of ServicePlan: names of transitions in the audit log, not reasons of a condition."""
