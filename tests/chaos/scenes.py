"""What stands around the target of a fault: three Ready pods of a Deployment, and whatever a test adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from feem.core.chaos.edit import Body, Edit, Make
from feem.core.chaos.scene import Scene, Unfit

NAMESPACE, NAME, RUN = "lending", "scoring", "0f8fad5b-d9cb-469f-a165-70867728950e"
LABELS = {"app": NAME, "pod-template-hash": "aaa"}
IMAGE = "registry.example/scoring@sha256:" + "a" * 64
RESOURCES = {"limits": {"cpu": "500m", "memory": "256Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}}


def container(name: str = "app", resources: Body | None = None) -> Body:
    return {"name": name, "image": IMAGE, "resources": dict(RESOURCES if resources is None else resources)}


def pod(
    name: str = "scoring-aaa-1",
    *,
    ready: bool = True,
    labels: Mapping[str, str] | None = None,
    containers: Sequence[Body] | None = None,
    uid: str = "",
    **metadata: Any,
) -> Body:
    known = {"namespace": NAMESPACE, "name": name, "uid": uid or f"uid-{name}", "labels": dict(labels or LABELS)}
    return {
        "metadata": {**known, **metadata},
        "spec": {"containers": list(containers) if containers is not None else [container()]},
        "status": {"conditions": [{"type": "Ready", "status": "True" if ready else "False"}]},
    }


def pods(count: int = 3, *, ready: int | None = None, **more: Any) -> tuple[Body, ...]:
    """So many pods, the first ones of them Ready."""
    last = count if ready is None else ready
    return tuple(pod(f"scoring-aaa-{number}", ready=number <= last, **more) for number in range(1, count + 1))


def deployment(replicas: int = 3, **metadata: Any) -> Body:
    known = {"namespace": NAMESPACE, "name": NAME, "uid": "uid-deployment", "generation": 1}
    return {"metadata": {**known, **metadata}, "spec": {"replicas": replicas}}


def scene(count: int = 3, **changes: Any) -> Scene:
    known: dict[str, Any] = {"namespace": NAMESPACE, "deployment": deployment(count), "pods": pods(count)}
    return Scene(**{**known, **changes})


def budget(left: int, selector: Body | None = None, name: str = "keep-two") -> Body:
    chosen = {"matchLabels": {"app": NAME}} if selector is None else selector
    return {"metadata": {"name": name}, "spec": {"selector": chosen}, "status": {"disruptionsAllowed": left}}


def autoscaler(deployment_name: str = NAME, kind: str = "Deployment") -> Body:
    return {"metadata": {"name": "by-load"}, "spec": {"scaleTargetRef": {"kind": kind, "name": deployment_name}}}


def network_policy(selector: Body | None = None, **spec: Any) -> Body:
    return {"metadata": {"name": "allow-gateway"}, "spec": {"podSelector": selector or {}, **spec}}


def dependency(selector: Body | None = None) -> Body:
    chosen = {"app": "bureau"} if selector is None else selector
    return {"metadata": {"namespace": NAMESPACE, "name": "bureau"}, "spec": {"selector": chosen}}


def bureau_pods(count: int = 2, **labels: str) -> tuple[Body, ...]:
    return tuple(pod(f"bureau-{number}", labels={"app": "bureau", **labels}) for number in range(count))


def backend(name: str = NAME, weight: int | None = None) -> Body:
    made: Body = {"group": "", "kind": "Service", "name": name, "port": 80}
    return made if weight is None else {**made, "weight": weight}


def rule(*matches: Body, backends: Sequence[Body] | None = None, **more: Any) -> Body:
    made: dict[str, Any] = {"backendRefs": list(backends) if backends is not None else [backend()], **more}
    return {"matches": list(matches), **made} if matches else made


def path(value: str = "/", kind: str = "PathPrefix", **more: Any) -> Body:
    return {"path": {"type": kind, "value": value}, **more}


def route(*rules: Body, labels: Mapping[str, str] | None = None) -> Body:
    metadata = {"namespace": NAMESPACE, "name": NAME, "uid": "uid-route", "labels": dict(labels or {})}
    parents = [{"name": "public", "namespace": "gateways"}]
    spec = {"parentRefs": parents, "hostnames": ["bank.example"], "rules": list(rules) or [rule(path())]}
    return {"metadata": metadata, "spec": spec}


def traffic_policy(**spec: Any) -> Body:
    named = {"targetRefs": [target_ref()]} if "targetRef" not in spec and "targetSelectors" not in spec else {}
    metadata = {"namespace": NAMESPACE, "name": "timeouts", "uid": "uid-policy"}
    return {"metadata": metadata, "spec": {**named, **spec}}


def target_ref(name: str = NAME, **more: str) -> Body:
    return {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": name, **more}


def refused(found: Any) -> str:
    """The word a plan is refused with; empty when there is one."""
    return found.reason if isinstance(found, Unfit) else ""


def planned(found: Any) -> tuple[Edit, ...]:
    """The edits of a plan that was not refused."""
    assert not isinstance(found, Unfit), found
    edits: tuple[Edit, ...] = found
    return edits


def made(found: Any) -> list[Body]:
    """The objects that a plan makes."""
    return [edit.body for edit in planned(found) if isinstance(edit, Make)]
