"""Faults of requests, at the gateway: answered with an error, or passed on late.

Envoy Gateway injects them by a BackendTrafficPolicy. Any conformant gateway answers 500 for the share of requests whose backend does
not exist (Gateway API, HTTPBackendRef), which makes an abort portable. Requests with a header get a route of their own beside the
owner's: of two matches the more specific one wins, so the owner's route is not touched.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from feem.api.fault import AbortBy, BlastRadius, Fault
from feem.core.chaos.edit import ABSENT, ROUTES, TRAFFIC_POLICIES, Body, Change, Edit, Field, Make, Target
from feem.core.chaos.network_faults import made_name
from feem.core.chaos.pod_faults import Planned
from feem.core.chaos.scene import Scene, Unfit, labels_of, name_of, selects

NOWHERE = "feem-chaos-nowhere"
"""A Service that does not exist."""
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
        route = _route(scene.route, run_uid, {"headers": [radius.header.wire()]})
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
    if any(match.get("method") for rule in _rules(route) for match in rule.get("matches") or ()):
        text = f"HTTPRoute {name_of(route)} tells requests apart by method, so no match is more specific: give blastRadius.header"
        if radius.header is None:
            return Unfit("GatewayCannot", text)
    more: Mapping[str, Any] = {"headers": [radius.header.wire()]} if radius.header is not None else {}
    made = _route(route, run_uid, more)
    for rule in made.body["spec"]["rules"]:
        rule["backendRefs"] = _with_nowhere(rule.get("backendRefs") or (), radius.request_percent or 100)
    return (made,)


def _route(route: Body, run_uid: str, more: Mapping[str, Any]) -> Make:
    """Copy the owner's route with matches that are more specific: by a header, else by naming each method."""
    spec = copy.deepcopy(dict(route["spec"]))
    for rule in spec["rules"]:
        rule.pop("name", None)
        matches = rule.get("matches") or [{"path": {"type": "PathPrefix", "value": "/"}}]
        if more:
            headers = list(more["headers"])
            rule["matches"] = [{**match, "headers": [*(match.get("headers") or ()), *headers]} for match in matches]
        else:
            rule["matches"] = [{**match, "method": method} for match in matches for method in METHODS]
    return Make(ROUTES, {"metadata": {"namespace": _namespace(route), "name": made_name(run_uid)}, "spec": spec})


def _with_nowhere(backends: Sequence[Mapping[str, Any]], percent: int) -> list[dict[str, Any]]:
    """Return the backends with a share of `percent` for one that does not exist; weights stay whole numbers."""
    total = sum(item.get("weight", 1) for item in backends)
    kept = [{**item, "weight": item.get("weight", 1) * (100 - percent)} for item in backends]
    nowhere = {"group": "", "kind": "Service", "name": NOWHERE, "port": 80, "weight": (total or 1) * percent}
    return [*kept, nowhere]


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
