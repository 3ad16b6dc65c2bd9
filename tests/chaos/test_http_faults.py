"""Proves that a fault of requests hits the share it shall, of the requests it shall, whatever the owner's route looks like."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feem.api.fault import BlastRadius, Fault, HttpAbort, HttpLatency, RequestHeader
from feem.core.chaos.edit import ABSENT, ROUTES, TRAFFIC_POLICIES, Body, Change, Field, Make, Target
from feem.core.chaos.http_faults import MOST_WEIGHT, NOWHERE, http
from feem.core.chaos.network_faults import made_name
from feem.core.chaos.scene import Scene, Unfit
from tests.chaos.scenes import (
    NAMESPACE,
    RUN,
    backend,
    made,
    path,
    refused,
    route,
    rule,
    scene,
    target_ref,
    traffic_policy,
)

ABORT, ABORT_500 = Fault(http_abort=HttpAbort()), Fault(http_abort=HttpAbort(status=500))
PORTABLE = Fault.model_validate({"httpAbort": {"status": 500, "by": "InvalidBackend"}})
LATE = Fault(http_latency=HttpLatency(milliseconds=300))
FIFTH = BlastRadius(request_percent=20)
HEADER = RequestHeader(name="x-chaos", value="yes")
MARKED = BlastRadius(request_percent=100, header=HEADER)
OURS = made_name(RUN)
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"]
"""Those of HTTPRoute: there are no others."""
ABORTS = {"abort": {"httpStatus": 503, "percentage": 20}}


def envoy(*policies: Body, of: Body | None = None) -> Scene:
    return scene(route=of or route(), traffic_policies=policies)


def other_gateway(of: Body | None = None) -> Scene:
    return scene(route=of or route(), traffic_policies=None)


# -- Envoy Gateway ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "radius", "injection"),
    [
        (ABORT, FIFTH, ABORTS),
        (ABORT_500, BlastRadius(request_percent=100), {"abort": {"httpStatus": 500, "percentage": 100}}),
        (LATE, FIFTH, {"delay": {"fixedDelay": "300ms", "percentage": 20}}),
    ],
)
def test_a_route_without_a_policy_gets_one_for_itself(fault: Fault, radius: BlastRadius, injection: Body) -> None:
    policy = {
        "metadata": {"namespace": NAMESPACE, "name": OURS},
        "spec": {"mergeType": "StrategicMerge", "faultInjection": injection, "targetRefs": [target_ref()]},
    }
    assert http(envoy(), radius, fault, RUN) == (Make(TRAFFIC_POLICIES, policy),)


@pytest.mark.parametrize(
    "policy",
    [
        traffic_policy(timeout={"http": {"requestTimeout": "3s"}}),
        traffic_policy(targetRef=target_ref()),
    ],
)
def test_a_policy_that_is_there_gets_the_fault_and_keeps_the_rest(policy: Body) -> None:
    """Two policies of one route would not be merged: the older one alone would count."""
    before = copy.deepcopy(policy)
    place = Target(TRAFFIC_POLICIES, NAMESPACE, "timeouts", "uid-policy")
    expected = (Change(place, (Field("/spec/faultInjection", ABSENT, ABORTS),)),)
    assert http(envoy(policy), FIFTH, ABORT, RUN) == expected
    assert policy == before


@pytest.mark.parametrize(
    ("policies", "reason"),
    [
        pytest.param([traffic_policy(targetRefs=[target_ref("report")])], "", id="of another route"),
        pytest.param([traffic_policy(targetRefs=[target_ref(sectionName="a")])], "", id="of a rule"),
        pytest.param([traffic_policy(targetRefs=[{"kind": "Gateway", "name": "scoring"}])], "", id="of the gateway"),
        pytest.param(
            [traffic_policy(targetRefs=[target_ref(), target_ref("report")])], "GatewayCannot", id="of two routes"
        ),
        pytest.param(
            [traffic_policy(targetSelectors=[{"kind": "HTTPRoute", "matchLabels": {"team": "lending"}}])],
            "GatewayCannot",
            id="of chosen routes",
        ),
        pytest.param(
            [traffic_policy(targetSelectors=[{"kind": "HTTPRoute", "matchLabels": {"team": "other"}}])],
            "",
            id="of others",
        ),
        pytest.param(
            [traffic_policy(targetSelectors=[{"kind": "Gateway", "matchLabels": {"team": "lending"}}])],
            "",
            id="of gateways",
        ),
        pytest.param(
            [
                traffic_policy(
                    targetRefs=[target_ref()], targetSelectors=[{"kind": "HTTPRoute", "matchLabels": {"a": "b"}}]
                )
            ],
            "GatewayCannot",
            id="of it and of chosen ones",
        ),
        pytest.param([traffic_policy(faultInjection={"delay": {}})], "GatewayCannot", id="with faults of its own"),
    ],
)
def test_a_policy_that_reaches_further_than_the_route_is_not_touched(policies: list[Body], reason: str) -> None:
    found = http(envoy(*policies, of=route(labels={"team": "lending"})), FIFTH, ABORT, RUN)
    assert refused(found) == reason
    if not reason:
        assert [body["metadata"]["name"] for body in made(found)] == [OURS]


@pytest.mark.parametrize(
    ("policies", "kept"),
    [
        ([], {"mergeType": "StrategicMerge"}),
        ([traffic_policy(timeout={"tcp": "1s"})], {"timeout": {"tcp": "1s"}}),
        ([traffic_policy(targetRef=target_ref(), retry={"numRetries": 2})], {"retry": {"numRetries": 2}}),
        (
            [traffic_policy(targetSelectors=[{"kind": "HTTPRoute", "matchLabels": {}}], retry={"numRetries": 1})],
            {"retry": {"numRetries": 1}},
        ),
        ([traffic_policy(faultInjection={"delay": {"fixedDelay": "1s"}})], {}),
    ],
)
def test_requests_with_a_header_get_a_route_and_a_policy_of_their_own_like_the_owners(
    policies: list[Body], kept: Body
) -> None:
    before = copy.deepcopy(policies)
    around = envoy(*policies)
    policy, own = made(http(around, MARKED, ABORT, RUN))
    injection = {"abort": {"httpStatus": 503, "percentage": 100}}
    assert policy["spec"] == {**kept, "faultInjection": injection, "targetRefs": [target_ref(OURS)]}
    assert own["metadata"] == {"namespace": NAMESPACE, "name": OURS}
    assert own["spec"]["rules"][0]["backendRefs"] == [backend()]
    assert (around.route, policies) == (route(), before)


# -- any gateway --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("around", "radius", "fault", "words"),
    [
        (other_gateway(), FIFTH, LATE, "nothing else delays requests: use httpAbort"),
        (other_gateway(), MARKED, LATE, "nothing else delays requests: use httpAbort"),
        (other_gateway(), FIFTH, ABORT, "give status 500"),
        (envoy(), FIFTH, Fault.model_validate({"httpAbort": {"by": "InvalidBackend"}}), "give status 500"),
        (other_gateway(route(rule(path(method="GET")))), FIFTH, ABORT_500, "no match is more specific"),
        (
            other_gateway(route(rule(path("/a")), rule(path("/b"), path("/c", method="POST")))),
            *(FIFTH, ABORT_500, "give blastRadius.header"),
        ),
        (envoy(traffic_policy(targetRefs=[target_ref(), target_ref("b")])), FIFTH, ABORT, "give blastRadius.header"),
        (envoy(traffic_policy(faultInjection={"abort": {}})), FIFTH, ABORT, "take faultInjection out of it"),
    ],
)
def test_what_a_gateway_cannot_do_is_refused_with_what_it_can(
    around: Scene, radius: BlastRadius, fault: Fault, words: str
) -> None:
    found = http(around, radius, fault, RUN)
    assert isinstance(found, Unfit)
    assert found.reason == "GatewayCannot"
    assert words in found.message


@pytest.mark.parametrize("fault", [ABORT, ABORT_500, PORTABLE, LATE])
@pytest.mark.parametrize("policies", [None, ()])
def test_without_a_route_there_are_no_requests_to_hit(fault: Fault, policies: Any) -> None:
    assert refused(http(scene(route=None, traffic_policies=policies), FIFTH, fault, RUN)) == "RouteMissing"


def test_a_share_of_each_rules_requests_goes_to_a_service_that_is_not_there() -> None:
    owners = route(
        rule(path("/a"), backends=[backend("one", 90), backend("two", 10)], name="first", timeouts={"request": "3s"}),
        rule(path("/b")),
    )
    before = copy.deepcopy(owners)
    for around, fault in ((other_gateway(owners), ABORT_500), (envoy(of=owners), PORTABLE)):
        (own,) = made(http(around, FIFTH, fault, RUN))
        nowhere = {"group": "", "kind": "Service", "name": NOWHERE, "port": 80}
        first, second = own["spec"]["rules"]
        assert first["backendRefs"] == [backend("one", 18), backend("two", 2), {**nowhere, "weight": 5}]
        assert second["backendRefs"] == [backend(weight=4), {**nowhere, "weight": 1}]
        assert first["timeouts"] == {"request": "3s"}
        assert "name" not in first, "names of rules are unique per route, policies name them"
        for key in ("parentRefs", "hostnames"):
            assert own["spec"][key] == owners["spec"][key]
    assert owners == before


def test_with_a_header_methods_are_no_obstacle() -> None:
    owners = route(rule(path("/a", method="GET", headers=[{"name": "x-tenant", "value": "1"}])))
    (own,) = made(http(other_gateway(owners), MARKED, ABORT_500, RUN))
    (match,) = own["spec"]["rules"][0]["matches"]
    assert match == path("/a", method="GET", headers=[{"name": "x-tenant", "value": "1"}, HEADER.wire()])


backends = st.lists(
    st.builds(backend, st.sampled_from(["one", "two", "three"]), st.none() | st.integers(0, 10_000)), max_size=4
)


@given(backends, st.integers(1, 100))
def test_the_share_of_nowhere_is_exactly_the_percentage_and_the_others_keep_their_proportions(
    refs: list[Body], percent: int
) -> None:
    owners = route(rule(path(), backends=refs))
    found = http(other_gateway(owners), BlastRadius(request_percent=percent), ABORT_500, RUN)
    if isinstance(found, Unfit):
        assert sum(map(weight, refs)) * 100 > MOST_WEIGHT, found
        return
    (own,) = made(found)
    *kept, nowhere = own["spec"]["rules"][0]["backendRefs"]
    before, after = [weight(one) for one in refs], [weight(one) for one in kept]
    assert nowhere["name"] == NOWHERE
    assert [one["name"] for one in kept] == [one["name"] for one in refs]
    assert all(isinstance(one["weight"], int) and one["weight"] >= 0 for one in (*kept, nowhere))
    if sum(before):
        whole = sum(after) + nowhere["weight"]
        assert Fraction(nowhere["weight"], whole) == Fraction(percent, 100)
        for one, other in zip(before, after, strict=True):
            assert Fraction(other, whole) == Fraction(one, sum(before)) * Fraction(100 - percent, 100)
    else:
        assert nowhere["weight"] > 0, "where nothing was answered before, nothing is now"


def test_weights_stay_within_what_the_api_takes() -> None:
    owners = route(rule(path(), backends=[backend("one", 900_000), backend("two", 100_000)]))
    (own,) = made(http(other_gateway(owners), FIFTH, ABORT_500, RUN))
    assert all(one["weight"] <= 1_000_000 for one in own["spec"]["rules"][0]["backendRefs"])


def test_a_route_with_many_matches_is_refused_before_the_api_server_does() -> None:
    owners = route(rule(*(path(f"/{number}") for number in range(8))))
    assert refused(http(other_gateway(owners), FIFTH, ABORT_500, RUN)) == "GatewayCannot"


def test_a_rule_that_redirects_keeps_doing_so() -> None:
    redirects = {"matches": [path("/old")], "filters": [{"type": "RequestRedirect", "requestRedirect": {"path": {}}}]}
    (own,) = made(http(other_gateway(route(redirects, rule(path("/new")))), FIFTH, ABORT_500, RUN))
    assert not [one for one in own["spec"]["rules"] if one.get("filters") and one.get("backendRefs")]


def test_a_header_that_the_route_tells_requests_apart_by_is_refused_before_the_api_server_does() -> None:
    owners = route(rule(path("/a", headers=[{"name": "X-Chaos", "value": "no"}])))
    assert refused(http(envoy(of=owners), MARKED, ABORT, RUN)) == "GatewayCannot"


def weight(ref: Body) -> int:
    return int(ref.get("weight", 1))


# -- which requests -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """One request."""

    path: str
    method: str
    headers: Mapping[str, str] = field(default_factory=dict)


def takes(match: Body, asked: Asked) -> tuple[int, ...] | None:
    """How specific a match is for a request, by the precedence of HTTPRoute; None when it is not for it."""
    wanted = match.get("path") or {"type": "PathPrefix", "value": "/"}
    exact, value = wanted["type"] == "Exact", wanted["value"]
    prefix = asked.path == value or asked.path.startswith(value.rstrip("/") + "/")
    if not (asked.path == value if exact else prefix) or match.get("method") not in (None, asked.method):
        return None
    headers = match.get("headers") or ()
    if any(asked.headers.get(one["name"]) != one["value"] for one in headers):
        return None
    return exact, len(value), "method" in match, len(headers)


def winners(route_body: Body, asked: Asked) -> Iterator[tuple[tuple[int, ...], int]]:
    """The rules that a request fits, each with how well; a rule without matches fits all."""
    for number, each in enumerate(route_body["spec"]["rules"]):
        for match in each.get("matches") or [{}]:
            rank = takes(match, asked)
            if rank is not None:
                yield rank, -number


def answered(routes: Sequence[Body], asked: Asked) -> tuple[int, int] | None:
    """Which route (the first is the older one) and which rule of it answers a request."""
    found = [(*best, -place) for place, each in enumerate(routes) for best in winners(each, asked)]
    if not found:
        return None
    rank = max(one[0] for one in found)
    _, number, place = max((one for one in found if one[0] == rank), key=lambda one: (one[2], one[1]))
    return -place, -number


prefixes = st.sampled_from(["/", "/a", "/a/b"])
tenants = st.lists(st.sampled_from(["x", "y"]), unique=True, max_size=2).map(
    lambda names: [{"name": name, "value": "1"} for name in names]
)
some_headers = st.dictionaries(st.sampled_from(["x", "y"]), st.just("1"))


def matches(methods: st.SearchStrategy[Body]) -> st.SearchStrategy[Body]:
    kinds = st.sampled_from(["PathPrefix", "Exact"])
    return st.builds(
        lambda value, kind, headers, method: path(value, kind, **({"headers": headers} if headers else {}), **method),
        *(prefixes, kinds, tenants, methods),
    )


def routes_of(methods: st.SearchStrategy[Body]) -> st.SearchStrategy[Body]:
    rules = st.lists(matches(methods), max_size=3).map(lambda found: rule(*found))
    return st.lists(rules, min_size=1, max_size=3).map(lambda found: route(*found))


requests = st.builds(
    Asked, st.sampled_from(["/", "/a", "/a/b", "/a/b/c", "/z"]), st.sampled_from(METHODS), some_headers
)


@given(routes_of(st.just({})), requests)
def test_every_request_goes_to_the_same_rule_of_the_made_route(owners: Body, asked: Asked) -> None:
    (own,) = made(http(other_gateway(owners), FIFTH, ABORT_500, RUN))
    before = answered([owners], asked)
    after = answered([owners, own], asked)
    assert after == (before and (1, before[1]))


@given(
    routes_of(st.sampled_from([{}, {}, {"method": "GET"}, {"method": "POST"}])), requests, st.booleans(), st.booleans()
)
def test_requests_with_the_header_go_to_the_same_rule_of_the_made_route_and_others_stay(
    owners: Body,
    asked: Asked,
    marked: bool,  # noqa: FBT001
    with_envoy: bool,  # noqa: FBT001
) -> None:
    around, fault = (envoy(of=owners), ABORT) if with_envoy else (other_gateway(owners), ABORT_500)
    found = http(around, MARKED, fault, RUN)
    assert not isinstance(found, Unfit)
    (own,) = (edit.body for edit in found if isinstance(edit, Make) and edit.resource == ROUTES)
    before = answered([owners], asked)
    if marked:
        asked = Asked(asked.path, asked.method, {**asked.headers, HEADER.name: HEADER.value})
    assert answered([owners, own], asked) == (before and (int(marked), before[1]))
