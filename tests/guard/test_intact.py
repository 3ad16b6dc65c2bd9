"""Each single weakening of a shipped policy is found; what the API server fills in is none."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

from feem.core.guard.intact import identity, weaker
from tests.guard import mutations

Body = dict[str, Any]
SHIPPED: list[Body] = [
    body
    for path in sorted((Path(__file__).parents[2] / "policies").glob("*.yaml"))
    for body in yaml.safe_load_all(path.read_text())
    if body and "AdmissionPolicy" in body["kind"]
]
EVERYTHING = {"resourceRules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}]}


def as_read(body: Body) -> Body:
    """Write a body as an API server of Kubernetes 1.37 returns it; test_on_an_api_server proves that it does so."""
    live = copy.deepcopy(body)
    live["metadata"] |= {"uid": f"uid-of-{body['metadata']['name']}", "generation": 1, "resourceVersion": "17"}
    for key in ("matchConstraints", "matchResources"):
        if key in live["spec"]:
            match = live["spec"][key]
            match.update({"matchPolicy": "Equivalent", "namespaceSelector": {}, "objectSelector": {}} | match)
            for rule in match.get("resourceRules", []) + match.get("excludeResourceRules", []):
                rule.setdefault("scope", "*")
    if not body["kind"].endswith("Binding"):
        live["spec"].setdefault("failurePolicy", "Fail")
    if body["kind"] == "ValidatingAdmissionPolicy":
        live["status"] = {"observedGeneration": 1, "typeChecking": {}}
    return live


def finder(bodies: Iterable[Body]) -> Callable[[str, str], Body | None]:
    known = {(body["kind"], body["metadata"]["name"]): body for body in bodies}
    return lambda kind, name: known.get((kind, name))


def said(shipped: Body, spec: Body) -> tuple[str, ...]:
    return weaker([shipped], finder([{**as_read(shipped), "spec": spec}]))


def named(kind: str, name: str) -> Body:
    (found,) = [body for body in SHIPPED if (body["kind"], body["metadata"]["name"]) == (kind, name)]
    return found


def ids(body: Body) -> str:
    return f"{body['kind']}-{body['metadata']['name']}"


each = pytest.mark.parametrize("shipped", SHIPPED, ids=ids)
each_policy = pytest.mark.parametrize("shipped", [b for b in SHIPPED if not b["kind"].endswith("Binding")], ids=ids)
each_binding = pytest.mark.parametrize("shipped", [b for b in SHIPPED if b["kind"].endswith("Binding")], ids=ids)


def test_what_the_api_server_fills_in_is_no_weakening() -> None:
    assert len(SHIPPED) >= 12
    assert weaker(SHIPPED, finder(map(as_read, SHIPPED))) == ()
    assert weaker(SHIPPED, finder(SHIPPED)) == ()


@each
def test_a_missing_object_is_named(shipped: Body) -> None:
    rest = [as_read(body) for body in SHIPPED if body is not shipped]
    assert weaker(SHIPPED, finder(rest)) == (f"{shipped['kind']} {shipped['metadata']['name']} is missing",)


@each
def test_every_member_that_is_taken_away_is_noticed(shipped: Body) -> None:
    """But for what the API server would fill in again with the same value, and what means nothing."""
    live = as_read(shipped)["spec"]
    for path in mutations.places(live):
        refilled = {
            ("failurePolicy", "Fail"),
            ("matchPolicy", "Equivalent"),
            ("namespaceSelector", ()),
            ("objectSelector", ()),
            ("selector", ()),  # a paramRef with neither name nor selector is refused by the API server
            ("scope", "*"),
            ("reinvocationPolicy", "Never"),
        }
        value = mutations.at(live, path)
        if (path[-1], () if value == {} else str(value)) in refilled:
            continue
        (sentence,) = said(shipped, mutations.without(live, path))
        assert sentence.startswith(f"{shipped['kind']} {shipped['metadata']['name']}: ")
        assert str(path[0]) in sentence


@each
def test_every_value_that_is_changed_is_noticed(shipped: Body) -> None:
    live = as_read(shipped)["spec"]
    for path in mutations.places(live):
        value = mutations.at(live, path)
        others: list[Any] = [{"matchLabels": {"exempt": ""}}] if value == {} else []
        others += [f"{value}x", "true", "false"] if isinstance(value, str) else []
        others += [[], [*value[1:]]] if isinstance(value, list) else []
        for other in others:
            assert said(shipped, mutations.replaced(live, path, other)), (path, other)


@each_policy
@pytest.mark.parametrize(
    "narrowing",
    [
        {"namespaceSelector": {"matchLabels": {"feem.dev/exempt": ""}}},
        {"namespaceSelector": {"matchExpressions": [{"key": "exempt", "operator": "DoesNotExist"}]}},
        {"objectSelector": {"matchLabels": {"message": ""}}},
        {"matchPolicy": "Exact"},
        {"excludeResourceRules": EVERYTHING["resourceRules"]},
        {"resourceRules": []},
    ],
)
def test_a_policy_that_matches_less_is_weaker(shipped: Body, narrowing: Body) -> None:
    live = as_read(shipped)["spec"]
    (sentence,) = said(shipped, {**live, "matchConstraints": {**live["matchConstraints"], **narrowing}})
    assert f"matchConstraints.{next(iter(narrowing))}" in sentence


@each_policy
@pytest.mark.parametrize(
    "more",
    [
        {"matchConditions": [{"name": "never", "expression": "false"}]},
        {"paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}},
    ],
)
def test_a_policy_with_a_further_condition_is_weaker(shipped: Body, more: Body) -> None:
    live = as_read(shipped)["spec"]
    key, value = next(iter(more.items()))
    added = [*live.get(key, []), *value] if isinstance(value, list) else value
    (sentence,) = said(shipped, {**live, key: added})
    assert key in sentence


@each_policy
def test_a_further_mutation_or_variable_is_not_ours(shipped: Body) -> None:
    live = as_read(shipped)["spec"]
    undoing = {"patchType": "JSONPatch", "jsonPatch": {"expression": "[]"}}
    for key, item in (("mutations", undoing), ("variables", {"name": "changed2", "expression": "false"})):
        if key in live:
            assert said(shipped, {**live, key: [*live[key], item]})
            assert said(shipped, {**live, key: [*live[key], live[key][0]]})


@each_policy
def test_further_checks_on_further_resources_deny_only_more(shipped: Body) -> None:
    live = as_read(shipped)["spec"]
    match = live["matchConstraints"]
    wider = {**match, "resourceRules": [*EVERYTHING["resourceRules"], *match["resourceRules"]]}
    more: Body = {"matchConstraints": wider}
    if "validations" in live:
        more["validations"] = [{"expression": "false"}, *live["validations"]]
        more["auditAnnotations"] = [{"key": "seen", "valueExpression": "'yes'"}]
    assert said(shipped, {**live, **more}) == ()


@each_binding
@pytest.mark.parametrize(
    "more",
    [
        {"matchResources": {"namespaceSelector": {"matchLabels": {"exempt": ""}}}},
        {"matchResources": EVERYTHING},
        {"matchResources": {"matchPolicy": "Exact"}},
        {"paramRef": {"name": "p", "namespace": "lending", "parameterNotFoundAction": "Allow"}},
        {"policyName": "another.example"},
    ],
)
def test_a_binding_that_binds_less_is_weaker(shipped: Body, more: Body) -> None:
    (sentence,) = said(shipped, {**as_read(shipped)["spec"], **more})
    assert next(iter(more)) in sentence


@each_binding
def test_a_binding_may_match_everything_in_many_words(shipped: Body) -> None:
    words = {"matchPolicy": "Equivalent", "namespaceSelector": {}, "objectSelector": {"matchLabels": {}}}
    assert said(shipped, {**as_read(shipped)["spec"], "matchResources": words}) == ()


def test_a_binding_that_only_audits_is_told_in_words() -> None:
    binding = named("ValidatingAdmissionPolicyBinding", "decisions.feem.dev")
    spec = as_read(binding)["spec"]
    assert said(binding, {**spec, "validationActions": ["Audit"]}) == (
        "ValidatingAdmissionPolicyBinding decisions.feem.dev: validationActions is [Audit], shipped is [Deny]",
    )
    assert said(binding, {**spec, "validationActions": ["Audit", "Deny"]}) == ()


def test_a_rule_that_is_taken_out_is_named_by_its_message() -> None:
    policy = named("ValidatingAdmissionPolicy", "audit.feem.dev")
    spec = as_read(policy)["spec"]
    assert said(policy, {**spec, "validations": spec["validations"][1:]}) == (
        "ValidatingAdmissionPolicy audit.feem.dev: validations lacks no. 1 (AuditRecords are never changed) as shipped",
    )


def test_long_expressions_are_quoted_by_their_beginning() -> None:
    policy = named("ValidatingAdmissionPolicy", "governed.feem.dev")
    spec = as_read(policy)["spec"]
    (sentence,) = said(policy, {**spec, "paramKind": {"apiVersion": "v1", "kind": "K" * 300}})
    assert len(sentence) < 200


def test_the_identity_follows_every_edit_and_making_anew() -> None:
    bodies = [as_read(body) for body in SHIPPED]
    first = identity(bodies)
    assert identity(reversed(bodies)) == first
    for key, other in (("generation", 2), ("uid", "another"), ("name", "another.feem.dev")):
        changed = copy.deepcopy(bodies)
        changed[3]["metadata"][key] = other
        assert identity(changed) != first
    assert identity(bodies[1:]) != first
    labelled = copy.deepcopy(bodies)
    labelled[0]["metadata"] |= {"resourceVersion": "18", "labels": {"team": "platform"}}
    assert identity(labelled) == first, "labels guard nothing"
