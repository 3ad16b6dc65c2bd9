"""Weights are written so that any gateway splits as asked, and taken away so that the owner finds their own words."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feem.adapters.kubernetes.route import MAX_WEIGHT, restore, same, set_weight
from feem.core.rollout.route import agrees, observed, routes_to, touched, weight_of

SERVICE, CANARY = "limit-scoring", "limit-scoring-canary"


def backend(name: str, weight: int | None = None, **more: Any) -> dict[str, Any]:
    ref: dict[str, Any] = {"name": name, "port": 80, **more}
    return ref if weight is None else {**ref, "weight": weight}


def a_route(*rules: list[dict[str, Any]], annotations: dict[str, str] | None = None) -> dict[str, Any]:
    metadata: dict[str, Any] = {"namespace": "lending", "name": "limit-scoring"}
    if annotations:
        metadata["annotations"] = annotations
    return {"metadata": metadata, "spec": {"rules": [{"backendRefs": refs} for refs in rules]}}


def weights(route: dict[str, Any], rule: int = 0) -> list[tuple[str, int]]:
    return [(ref["name"], weight_of(ref)) for ref in route["spec"]["rules"][rule]["backendRefs"]]


def at(route: dict[str, Any], weight: int, mark: str = "m") -> dict[str, Any]:
    return set_weight(route, SERVICE, CANARY, weight, mark, 42)


def test_the_only_backend_is_split_in_percent() -> None:
    assert weights(at(a_route([backend(SERVICE)]), 10)) == [(SERVICE, 90), (CANARY, 10)]
    assert weights(at(a_route([backend(SERVICE, 7)]), 100)) == [(SERVICE, 0), (CANARY, 100)]


def test_among_others_the_services_own_share_is_split() -> None:
    route = at(a_route([backend(SERVICE, 3), backend("legacy", 1)]), 25)
    assert weights(route) == [(SERVICE, 225), (CANARY, 75), ("legacy", 100)]
    assert observed(route, SERVICE, CANARY).weight == 25


def test_the_canary_gets_the_backends_port_and_filters() -> None:
    headers = [{"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "x", "value": "y"}]}}]
    route = at(a_route([backend(SERVICE, filters=headers)]), 10)
    stable, canary = route["spec"]["rules"][0]["backendRefs"]
    assert canary["filters"] == headers
    assert canary["filters"] is not stable["filters"]
    assert canary["port"] == 80


def test_mark_intent_and_owners_weights_are_noted() -> None:
    route = at(a_route([backend("legacy", 2), backend(SERVICE)], [backend(SERVICE, 5)]), 10, "rel/1/forward")
    annotations = route["metadata"]["annotations"]
    assert annotations["feem.dev/traffic"] == "rel/1/forward"
    assert annotations["feem.dev/intent"] == "42"
    assert json.loads(annotations["feem.dev/restore"]) == [[0, 0, 2], [0, 1, None], [1, 0, 5]]


@pytest.mark.parametrize(
    "ref",
    [
        backend("other"),
        backend(SERVICE, namespace="elsewhere"),
        backend(SERVICE, kind="ServiceImport", group="multicluster.x-k8s.io"),
        backend(SERVICE, group="example.com"),
    ],
)
def test_what_is_not_the_service_is_left_alone(ref: dict[str, Any]) -> None:
    route = a_route([ref])
    assert at(route, 50)["spec"] == route["spec"]
    assert not routes_to(route, SERVICE)


def test_what_is_the_service_in_longer_words() -> None:
    ref = backend(SERVICE, kind="Service", group="", namespace="lending")
    assert routes_to(a_route([ref]), SERVICE)
    assert [name for name, _ in weights(at(a_route([ref]), 50))] == [SERVICE, CANARY]


def test_a_backend_its_owner_switched_off_stays_off() -> None:
    route = at(a_route([backend(SERVICE, 0)]), 50)
    assert weights(route) == [(SERVICE, 0), (CANARY, 0)]
    assert observed(route, SERVICE, CANARY) == (0, "m", True)


def test_an_applied_route_in_mid_release_starts_over_from_what_is_there() -> None:
    owner = a_route([backend(SERVICE, 1)])
    changed = a_route([backend(SERVICE, 4), backend("new", 1)], annotations=at(owner, 10)["metadata"]["annotations"])
    route = at(changed, 20)
    assert weights(route) == [(SERVICE, 320), (CANARY, 80), ("new", 100)]
    assert weights(restore(route, SERVICE, CANARY)) == [(SERVICE, 4), ("new", 1)]


def test_restoring_an_applied_route_takes_only_the_annotations() -> None:
    owner = a_route([backend(SERVICE, 1)])
    changed = a_route([backend(SERVICE, 9)], annotations=at(owner, 10)["metadata"]["annotations"])
    assert restore(changed, SERVICE, CANARY) == a_route([backend(SERVICE, 9)])


def test_a_rule_put_before_the_others_does_not_move_their_weights() -> None:
    route = at(a_route([backend(SERVICE, 3), backend("b", 1)], [backend(SERVICE, 5), backend("c", 2)]), 10)
    route["spec"]["rules"].insert(0, {"backendRefs": [backend("d", 1), backend("e", 1)]})
    back = restore(route, SERVICE, CANARY)
    assert [weights(back, rule) for rule in range(3)] == [
        [("d", 1), ("e", 1)],
        [(SERVICE, 3), ("b", 1)],
        [(SERVICE, 5), ("c", 2)],
    ]


@pytest.mark.parametrize("noted", [None, "", "nonsense", "{}", "[1]", '[["a",0,1]]', "null"])
def test_weights_come_back_even_when_the_note_is_lost(noted: str | None) -> None:
    route = at(a_route([backend(SERVICE, 3), backend("legacy", 1)], [backend(SERVICE)]), 25)
    if noted is None:
        del route["metadata"]["annotations"]["feem.dev/restore"]
    else:
        route["metadata"]["annotations"]["feem.dev/restore"] = noted
    back = restore(route, SERVICE, CANARY)
    assert back == a_route([backend(SERVICE, 3), backend("legacy", 1)], [backend(SERVICE)])


def test_weights_a_person_changed_in_mid_release_keep_their_proportion() -> None:
    route = at(a_route([backend(SERVICE, 1), backend("legacy", 1)]), 25)
    route["spec"]["rules"][0]["backendRefs"][2]["weight"] = 300
    assert weights(restore(route, SERVICE, CANARY)) == [(SERVICE, 1), ("legacy", 3)]


def test_large_weights_stay_within_the_api() -> None:
    owner = a_route([backend(SERVICE, MAX_WEIGHT), backend("tiny", 1)])
    route = at(owner, 10)
    assert max(weight for _, weight in weights(route)) <= MAX_WEIGHT
    assert dict(weights(route))["tiny"] == 1
    assert observed(route, SERVICE, CANARY).weight == 10
    assert restore(route, SERVICE, CANARY) == owner


def test_rules_without_backends_and_routes_without_rules() -> None:
    route: dict[str, Any] = {
        "metadata": {"namespace": "lending", "name": "r"},
        "spec": {"rules": [{"filters": [{"type": "RequestRedirect"}]}]},
    }
    assert at(route, 10)["spec"] == route["spec"]
    bare: dict[str, Any] = {"metadata": {"namespace": "lending", "name": "r"}, "spec": {}}
    assert restore(at(bare, 10), SERVICE, CANARY) == bare
    assert observed(bare, SERVICE, CANARY) == (0, None, False)


def test_observed_before_and_after() -> None:
    route = a_route([backend(SERVICE)])
    assert observed(route, SERVICE, CANARY) == (0, None, False)
    assert not touched(route, SERVICE, CANARY)
    assert observed(at(route, 0), SERVICE, CANARY) == (0, "m", True)
    assert touched(at(route, 0), SERVICE, CANARY)


def test_a_left_over_annotation_is_a_touch() -> None:
    assert touched(a_route([backend(SERVICE)], annotations={"feem.dev/traffic": "x"}), SERVICE, CANARY)
    assert not touched(a_route([backend(SERVICE)], annotations={"example.com/x": "y"}), SERVICE, CANARY)


def test_a_trace_of_traffic_is_never_reported_as_none_or_all() -> None:
    few = a_route([backend(SERVICE, 999), backend(CANARY, 1)])
    most = a_route([backend(SERVICE, 1), backend(CANARY, 999)])
    assert observed(few, SERVICE, CANARY).weight == 1
    assert observed(most, SERVICE, CANARY).weight == 99


def test_rules_that_differ_are_told() -> None:
    route = at(a_route([backend(SERVICE)], [backend(SERVICE)]), 10)
    assert agrees(route, SERVICE, CANARY)
    route["spec"]["rules"][1]["backendRefs"] = [backend(SERVICE)]
    assert not agrees(route, SERVICE, CANARY)
    assert observed(route, SERVICE, CANARY) == (10, "m", True)


def test_same_looks_past_the_intent() -> None:
    route = a_route([backend(SERVICE)])
    one, other = set_weight(route, SERVICE, CANARY, 10, "m", 1), set_weight(route, SERVICE, CANARY, 10, "m", 2)
    assert same(one, other)
    assert not same(one, at(route, 11))
    assert not same(one, at(route, 10, "n"))


refs = st.builds(
    backend,
    st.sampled_from([SERVICE, SERVICE, "legacy", "other"]),
    st.none() | st.integers(0, 20) | st.integers(0, MAX_WEIGHT),
    port=st.sampled_from([80, 8080]),
)
rules = st.fixed_dictionaries(
    {},
    optional={
        "backendRefs": st.lists(refs, max_size=4),
        "matches": st.just([{"path": {"type": "PathPrefix", "value": "/"}}]),
    },
)
routes = st.builds(
    lambda rules, annotations: {
        "metadata": {"namespace": "lending", "name": "r", **({"annotations": annotations} if annotations else {})},
        "spec": {"rules": rules},
    },
    st.lists(rules, max_size=4),
    st.dictionaries(st.sampled_from(["example.com/a", "example.com/b"]), st.text(max_size=3), max_size=2),
)


@given(routes, st.lists(st.integers(0, 100), max_size=6))
def test_whatever_was_written_the_owner_gets_their_route_back(route: dict[str, Any], steps: list[int]) -> None:
    owner, current = copy.deepcopy(route), route
    for weight in steps:
        current = at(current, weight, f"step {weight}")
        assert not same(current, owner)
    assert restore(current, SERVICE, CANARY) == owner
    assert route == owner


@given(routes, st.integers(0, 100), st.integers(0, 100))
def test_what_is_written_is_what_is_read(route: dict[str, Any], first: int, weight: int) -> None:
    written = at(at(route, first), weight, "mark")
    assert written == at(route, weight, "mark")
    seen = observed(written, SERVICE, CANARY)
    assert seen.mark == "mark"
    assert seen.canary_refs_present == routes_to(route, SERVICE)
    live = any(
        ref["name"] == SERVICE and weight_of(ref)
        for rule in route["spec"]["rules"]
        for ref in rule.get("backendRefs", ())
    )
    if (
        max((weight_of(ref) for rule in route["spec"]["rules"] for ref in rule.get("backendRefs", ())), default=0)
        <= 10_000
    ):
        assert seen.weight == (weight if live else 0)
    for rule in written["spec"]["rules"]:
        assert all(0 <= weight_of(ref) <= MAX_WEIGHT for ref in rule.get("backendRefs", ()))


@given(routes, st.integers(0, 100))
def test_the_other_backends_keep_their_share(route: dict[str, Any], weight: int) -> None:
    written = at(route, weight)
    for before, after in zip(route["spec"]["rules"], written["spec"]["rules"], strict=True):
        old, new = before.get("backendRefs") or [], after.get("backendRefs") or []
        if sum(map(weight_of, old)) == 0 or max(map(weight_of, new)) >= MAX_WEIGHT // 100:
            continue
        share = sum(weight_of(ref) for ref in old if ref["name"] != SERVICE) / sum(map(weight_of, old))
        kept = sum(weight_of(ref) for ref in new if ref["name"] not in (SERVICE, CANARY)) / sum(map(weight_of, new))
        assert kept == pytest.approx(share)
