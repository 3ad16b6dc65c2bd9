"""Faults of requests, at the gateway: answered with an error, or passed on late.

Envoy Gateway injects them by a BackendTrafficPolicy. Any conformant gateway answers 500 for the share of requests whose backend does
not exist (Gateway API, HTTPBackendRef), which makes an abort portable. Requests with a header get a route of their own beside the
owner's: of two matches the more specific one wins, so the owner's route is not touched.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from typing import Any

from feem.api.fault import AbortBy, BlastRadius, Fault, RequestHeader
from feem.core.chaos.edit import ABSENT, ROUTES, TRAFFIC_POLICIES, Body, Change, Edit, Field, Make, Target
from feem.core.chaos.network_faults import made_name
from feem.core.chaos.pod_faults import Planned
from feem.core.chaos.scene import Scene, Unfit, labels_of, name_of, selects

NOWHERE = "feem-chaos-nowhere"
"""A Service that does not exist."""
MOST_WEIGHT, MOST_MATCHES = 1_000_000, 64
"""What the Gateway API takes."""
LARGEST_ROUTE = 40_000
"""Letters of a route that still fit on a run's status with what is added."""
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")
_GROUP = "gateway.networking.k8s.io"


def http(scene: Scene, radius: BlastRadius, fault: Fault, run_uid: str) -> Planned:
    """Plan an abort or a delay."""
    if scene.route is None:
        return Unfit("RouteMissing", "the service's HTTPRoute is not there: requests cannot be hit without one")
    portable = fault.http_abort is not None and fault.http_abort.by is AbortBy.INVALID_BACKEND
    if scene.traffic_policies is None or portable:
        return _portable(scene.route, radius, fault, run_uid)
    wanted = {"faultInjection": injection(fault, radius.request_percent or 100)}
    existing = [policy for policy in scene.traffic_policies if _targets(policy, scene.route)]
    if radius.header is not None:
        route = _route(scene.route, run_uid, radius.header)
        if isinstance(route, Unfit):
            return route
        base = copy.deepcopy(dict(existing[0]["spec"])) if existing else {"mergeType": "StrategicMerge"}
        return (_policy(scene, run_uid, made_name(run_uid), {**base, **wanted}), route)
    if not existing:
        spec = {"mergeType": "StrategicMerge", **wanted}
        return (_policy(scene, run_uid, name_of(scene.route), spec),)
    return _added(existing[0], scene.route, wanted["faultInjection"])


def injection(fault: Fault, percent: int) -> dict[str, Any]:
    """Return Envoy Gateway's FaultInjection."""
    if fault.http_abort is not None:
        return {"abort": {"httpStatus": fault.http_abort.status, "percentage": percent}}
    milliseconds = fault.http_latency.milliseconds if fault.http_latency is not None else 0
    return {"delay": {"fixedDelay": f"{milliseconds}ms", "percentage": percent}}


def _added(policy: Body, route: Body, wanted: Mapping[str, Any]) -> Planned:
    """Add the fault to the policy that the route has: two of them would not be merged."""
    metadata = policy["metadata"]
    if len(_references(policy)) != 1 or policy["spec"].get("targetSelectors"):
        text = (
            f"BackendTrafficPolicy {name_of(policy)} is for more than HTTPRoute {name_of(route)}: give blastRadius.header, or the "
            "route a policy of its own"
        )
        return Unfit("GatewayCannot", text)
    if policy["spec"].get("faultInjection"):
        text = f"BackendTrafficPolicy {name_of(policy)} injects faults already: take faultInjection out of it"
        return Unfit("GatewayCannot", text)
    target = Target(TRAFFIC_POLICIES, metadata["namespace"], metadata["name"], metadata["uid"])
    return (Change(target, (Field("/spec/faultInjection", ABSENT, dict(wanted)),)),)


def _portable(route: Body, radius: BlastRadius, fault: Fault, run_uid: str) -> Planned:
    """Send a share of the requests to a Service that does not exist."""
    if fault.http_abort is None:
        text = (
            "this gateway has no BackendTrafficPolicy (Envoy Gateway), and nothing else delays requests: use httpAbort"
        )
        return Unfit("GatewayCannot", text)
    if fault.http_abort.status != 500:
        text = "without Envoy Gateway's BackendTrafficPolicy the gateway answers 500 (a backend that does not exist): give status 500"
        return Unfit("GatewayCannot", text)
    if radius.header is None and any(match.get("method") for match in _matches(route)):
        text = f"HTTPRoute {name_of(route)} tells requests apart by method, so no match is more specific: give blastRadius.header"
        return Unfit("GatewayCannot", text)
    made = _route(route, run_uid, radius.header)
    if isinstance(made, Unfit):
        return made
    for rule in made.body["spec"]["rules"]:
        if any(one.get("type") == "RequestRedirect" for one in rule.get("filters") or ()):
            continue  # the gateway answers such requests by itself
        rule["backendRefs"] = _with_nowhere(rule.get("backendRefs") or (), radius.request_percent or 100)
        if any(backend["weight"] > MOST_WEIGHT for backend in rule["backendRefs"]):
            text = f"the weights of HTTPRoute {name_of(route)} are too far apart to add a share to them: bring them closer together"
            return Unfit("GatewayCannot", text)
    return (made,)


def _route(route: Body, run_uid: str, header: RequestHeader | None) -> Make | Unfit:
    """Copy the owner's route with matches that are more specific: by a header, else by naming each method."""
    more = {"headers": [header.wire()]} if header is not None else {}
    spec, problem = copy.deepcopy(dict(route["spec"])), _cannot_copy(route, header)
    if problem:
        return Unfit("GatewayCannot", problem)
    for rule in spec["rules"]:
        rule.pop("name", None)
        matches = rule.get("matches") or [{"path": {"type": "PathPrefix", "value": "/"}}]
        if more:
            headers = list(more["headers"])
            rule["matches"] = [{**match, "headers": [*(match.get("headers") or ()), *headers]} for match in matches]
        else:
            rule["matches"] = [{**match, "method": method} for match in matches for method in METHODS]
    return Make(ROUTES, {"metadata": {"namespace": _namespace(route), "name": made_name(run_uid)}, "spec": spec})


def _cannot_copy(route: Body, header: RequestHeader | None) -> str:
    """Say why no more specific copy of a route can be made; empty when one can."""
    name = name_of(route)
    if header is None and any(len(rule.get("matches") or ()) * len(METHODS) > MOST_MATCHES for rule in _rules(route)):
        return (
            f"HTTPRoute {name} has too many matches in a rule to name each method beside them: give blastRadius.header"
        )
    taken = {str(one.get("name", "")).lower() for match in _matches(route) for one in match.get("headers") or ()}
    if header is not None and header.name.lower() in taken:
        return f"HTTPRoute {name} tells requests apart by header {header.name} itself: name another one in blastRadius.header"
    return (
        "" if len(str(route["spec"])) <= LARGEST_ROUTE else f"HTTPRoute {name} is too large to be copied beside itself"
    )


def _matches(route: Body) -> list[Mapping[str, Any]]:
    return [match for rule in _rules(route) for match in rule.get("matches") or ()]


def _with_nowhere(backends: Sequence[Mapping[str, Any]], percent: int) -> list[dict[str, Any]]:
    """Return the backends with a share of `percent` for one that does not exist; weights stay whole numbers."""
    total = sum(item.get("weight", 1) for item in backends)
    weights = [item.get("weight", 1) * (100 - percent) for item in backends]
    share = (total or 1) * percent
    common = math.gcd(share, *weights)
    kept = [{**item, "weight": weight // common} for item, weight in zip(backends, weights, strict=True)]
    return [*kept, {"group": "", "kind": "Service", "name": NOWHERE, "port": 80, "weight": share // common}]


def _policy(scene: Scene, run_uid: str, route: str, spec: Mapping[str, Any]) -> Edit:
    wanted = {key: value for key, value in spec.items() if key not in ("targetRef", "targetRefs", "targetSelectors")}
    wanted["targetRefs"] = [{"group": _GROUP, "kind": "HTTPRoute", "name": route}]
    metadata = {"namespace": scene.namespace, "name": made_name(run_uid)}
    return Make(TRAFFIC_POLICIES, {"metadata": metadata, "spec": wanted})


def _targets(policy: Body, route: Body) -> bool:
    """Whether a policy is for a route as a whole."""
    named = any(
        item.get("kind") == "HTTPRoute" and item.get("name") == name_of(route) and not item.get("sectionName")
        for item in _references(policy)
    )
    chosen = any(
        item.get("kind") == "HTTPRoute" and selects(item, labels_of(route))
        for item in policy["spec"].get("targetSelectors") or ()
    )
    return named or chosen


def _references(policy: Body) -> list[Mapping[str, Any]]:
    spec = policy["spec"]
    return [*(spec.get("targetRefs") or ()), *([spec["targetRef"]] if spec.get("targetRef") else [])]


def _rules(route: Body) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = route["spec"].get("rules") or ()
    return found


def _namespace(route: Body) -> str:
    return str(route["metadata"]["namespace"])
