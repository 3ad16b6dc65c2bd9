"""Every word that a gate can say is explained on the compliance page, and every word there is one that a gate can say."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from feem.api.gate import KINDS, OWN_NAMES
from feem.core.gates.approvals import WHY_NOT
from tests.docs.pages import ROOT, code_spans, page
from tests.profiles.ready import documents

COMPLIANCE = page("docs/compliance.md")
WORD = re.compile(r"[A-Z][a-z]+([A-Z][a-z]+)*")
DATED = ("Drill", "Runbook", "RollbackPlan")
"""What begins the words about things that have a day; the rest of the word is written in one place for all of them."""


def first_arguments(path: Path) -> Iterator[ast.expr]:
    """The reasons that a module of gates gives: what `holds` and `passes` are called with first."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"holds", "passes"}:
            yield node.args[0]


def words() -> set[str]:
    found = set(WHY_NOT) | {"BreakGlass"}
    for path in sorted((ROOT / "operator/feem/core/gates").glob("*.py")):
        for argument in first_arguments(path):
            found |= said(argument)
    return found


def constants() -> set[str]:
    """Every text of the gates and of the calendar: some reasons are chosen before they are given."""
    paths = [path for room in ("gates", "windows") for path in (ROOT / "operator/feem/core" / room).glob("*.py")]
    nodes = (node for path in paths for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def said(argument: ast.expr) -> set[str]:
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        return {argument.value}
    if isinstance(argument, ast.IfExp):
        return said(argument.body) | said(argument.orelse)
    if isinstance(argument, ast.JoinedStr):
        (end,) = [str(part.value) for part in argument.values if isinstance(part, ast.Constant)]
        return {f"{word}{end}" for word in DATED}
    return set()


def test_every_word_of_a_gate_is_on_the_page() -> None:
    known = set(COMPLIANCE.spans)
    there = {"DrillMissing", "DrillThere", "DrillNotDrilled"}  # a drill has no document
    missing = {word for word in words() - known - there if word}
    assert not missing, f"docs/compliance.md does not explain {sorted(missing)}"


def test_every_word_of_the_tables_is_said_by_a_gate() -> None:
    rows = [(row, 2) for heading in ("Gates", "FEEM's own gates") for row in COMPLIANCE.table(heading)]
    rows += [(row, 1) for row in COMPLIANCE.table("Approvals")]
    named = {word for row, column in rows for word in code_spans(row[column]) if WORD.fullmatch(word)}
    unknown = named - words() - constants()
    assert not unknown, f"no gate says {sorted(unknown)}"


def test_every_kind_of_gate_is_explained_and_shown() -> None:
    explained = {code_spans(row[0])[0] for row in COMPLIANCE.table("Gates")}
    assert explained == set(KINDS)
    (example,) = [yaml.safe_load(block) for block in COMPLIANCE.blocks("yaml") if "kind: ComplianceProfile" in block]
    assert {kind for gate in example["spec"]["gates"] for kind in gate} >= set(KINDS)


def test_every_gate_of_feems_own_is_explained() -> None:
    assert {code_spans(row[0])[0] for row in COMPLIANCE.table("FEEM's own gates")} == set(OWN_NAMES)


def test_every_policy_that_the_page_names_is_shipped() -> None:
    shipped = {path.stem for path in (ROOT / "policies").glob("*.yaml")}
    named = set(re.findall(r"`([a-z]+)\.feem\.dev`", COMPLIANCE.text))
    assert named <= shipped, sorted(named - shipped)


def test_every_cluster_role_that_the_page_and_the_example_name_is_in_the_chart() -> None:
    chart = (ROOT / "charts/feem/templates/userroles.yaml").read_text(encoding="utf-8")
    example = documents(ROOT / "examples/credit-factory/limit-scoring/k8s/compliance.yaml")
    named = {body["roleRef"]["name"] for body in example if body["kind"] == "RoleBinding"} - {"edit"}
    named |= set(re.findall(r"`(feem-[a-z]+)`", COMPLIANCE.text))
    listed = set(re.findall(r'"([a-z]+)"', re.findall(r"range \$role := list (.*) }}", chart)[0]))
    assert named <= {f"feem-{role}" for role in listed} | set(re.findall(r"name: (feem-[a-z]+)", chart))
