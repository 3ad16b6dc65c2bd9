"""What the chart and the operator rely on in policies/; their behaviour is proven on a real API server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

OPERATOR = "system:serviceaccount:feem-system:feem"
FILES = sorted((Path(__file__).parents[2] / "policies").glob("*.yaml"))
each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def documents(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(path.read_text()))


@each_file
def test_a_policy_and_its_binding_named_after_the_file(path: Path) -> None:
    policy, binding = documents(path)
    assert policy["metadata"]["name"] == binding["metadata"]["name"] == binding["spec"]["policyName"]
    assert policy["metadata"]["name"] == f"{path.stem}.feem.dev"
    assert binding["kind"] == f"{policy['kind']}Binding"


@each_file
def test_another_operator_name_is_one_replacement(path: Path) -> None:
    """The chart puts the release's own service account in place of this one string."""
    text = path.read_text()
    replaced = text.replace(OPERATOR, "system:serviceaccount:platform:releases")
    assert "feem-system" not in replaced
    assert list(yaml.safe_load_all(replaced)) != documents(path) or OPERATOR not in text


@each_file
def test_only_the_warning_may_fail_open(path: Path) -> None:
    policy, binding = documents(path)
    warns = path.stem == "held"
    assert policy["spec"]["failurePolicy"] == ("Ignore" if warns else "Fail")
    if policy["kind"] == "ValidatingAdmissionPolicy":
        assert binding["spec"]["validationActions"] == (["Warn"] if warns else ["Deny"])


def test_everything_the_contract_names_is_there() -> None:
    assert [path.stem for path in FILES] == ["audit", "decisions", "governed", "held", "hold", "promoting"]
