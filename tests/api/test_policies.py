"""What the chart and the operator rely on in policies/; their behaviour is proven on a real API server."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from feem.core.chaos.edit import ABSENT, ANNOTATION, LABEL, Field, Mark

OPERATOR = "system:serviceaccount:feem-system:feem"
REAPER = f"{OPERATOR}-reaper"
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
    """The chart puts the release's own service account in place of this one string; the reaper's name begins with it."""
    text = path.read_text()
    replaced = text.replace(OPERATOR, "system:serviceaccount:platform:releases")
    assert "feem-system" not in replaced
    assert replaced.count("'system:serviceaccount:platform:releases-reaper'") == text.count(f"'{REAPER}'")
    assert text.count(OPERATOR) == text.count(f"'{OPERATOR}'") + text.count(f"'{REAPER}'"), "whole names only"
    assert list(yaml.safe_load_all(replaced)) != documents(path) or OPERATOR not in text


FAILS_OPEN = {"held", "pinned", "podmarks", "pods", "replicasets"}
"""The warning, what looks at every pod, and those that look at other people's objects by way of ManagedServices: where that kind is
gone and the policy is not, a policy that fails closed would keep a whole cluster from starting its pods."""


@each_file
def test_what_may_fail_open(path: Path) -> None:
    policy, binding = documents(path)
    assert policy["spec"]["failurePolicy"] == ("Ignore" if path.stem in FAILS_OPEN else "Fail")
    if policy["kind"] == "ValidatingAdmissionPolicy":
        assert binding["spec"]["validationActions"] == (["Warn"] if path.stem == "held" else ["Deny"])


@each_file
def test_a_refusal_is_forbidden_and_says_why(path: Path) -> None:
    policy, _ = documents(path)
    for validation in policy["spec"].get("validations", ()):
        assert validation["message"]
        assert path.stem == "held" or validation["reason"] == "Forbidden"


@each_file
def test_at_most_two_checks_of_rights_an_expression(path: Path) -> None:
    """Each costs 350,000 of the 1,000,000 that an expression may cost."""
    policy, _ = documents(path)
    spec = policy["spec"]
    expressions = [
        item["expression"] for key in ("validations", "matchConditions", "variables") for item in spec.get(key, ())
    ]
    assert all(expression.count(".check(") <= 2 for expression in expressions)


def test_everything_the_contract_names_is_there() -> None:
    words = (
        "asked audit canary decide decisions digest governed halts held hold leftover marks pinned podmarks pods promoting "
        "pruning published reaper releases replicasets runs separation services status traffic"
    )
    assert [path.stem for path in FILES] == words.split()


@each_file
def test_what_asks_after_services_of_others_fails_open(path: Path) -> None:
    policy, _ = documents(path)
    spec = policy["spec"]
    groups = {group for rule in spec["matchConstraints"]["resourceRules"] for group in rule["apiGroups"]}
    if "paramKind" in spec:
        assert spec["failurePolicy"] == ("Fail" if groups == {"feem.dev"} else "Ignore")


@each_file
def test_only_what_is_there_is_read_of_a_request(path: Path) -> None:
    """`subResource` is left out of requests that have none: to ask for it plainly would be an error, and refuse them all."""
    assert "request.subResource" not in path.read_text()


def test_no_policy_that_fails_closed_looks_at_pods_but_for_the_reapers_own() -> None:
    closed = [path.stem for path in FILES if documents(path)[0]["spec"]["failurePolicy"] == "Fail"]
    looking = {
        path.stem
        for path in FILES
        for rule in documents(path)[0]["spec"]["matchConstraints"]["resourceRules"]
        if path.stem in closed and {"pods", "*"} & {resource.partition("/")[0] for resource in rule["resources"]}
    }
    assert looking == {"reaper"}
    (only,) = documents(FILES[[path.stem for path in FILES].index("reaper")])[0]["spec"]["matchConditions"]
    assert only["expression"] == f"request.userInfo.username == '{REAPER}'", "anything more could fail, for anybody"


def test_a_mark_is_written_as_the_reapers_policy_reads_it() -> None:
    """It lets the reaper put back what stands in the mark, and finds it there as text."""
    image, replicas = "/spec/template/spec/containers/0/image", "/spec/replicas"
    fields = (Field(image, "scoring:1", "nowhere:0"), Field(replicas, 3, 1), Field("/spec/x", ABSENT, 1))
    mark = Mark("outage-x", "lending", "6f1c", datetime(2026, 3, 2, 12, tzinfo=UTC), fields)
    text = mark.text()
    assert '"before":"scoring:1"' in text
    assert '"before":3,"path":"/spec/replicas"' in text
    assert text.count('"run":"outage-x"') == 1
    assert '"made":false' in text
    assert '"made":true' in replace(mark, made=True).text()
    hostile = Field(image, 'x","before":"evil:1', "nowhere:0")
    assert '"before":"evil:1"' not in replace(mark, fields=(hostile,)).text()
    assert LABEL == ANNOTATION == "feem.dev/chaos"
