"""The objects of the world at its beginning: a governed service of three pods, its objective, and one experiment a fault."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from feem.ports import Body
from tests.world.bodies import NAME, NAMESPACE

STABLE = f"{NAME}-5d9c7b6f4"
HASH = "5d9c7b6f4"
LABELS = {"app": NAME, "pod-template-hash": HASH}
EFFECT = {"query": "effect", "above": "0"}
EXPERIMENT = "try-it"
PODS = {"pods": 1, "durationSeconds": 5}
REQUESTS = {"requestPercent": 50, "durationSeconds": 5}
FAULTS: Mapping[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "kill": ({"podKill": {"how": "Kill"}}, PODS),
    "evict": ({"podKill": {"how": "Evict"}}, PODS),
    "fail": ({"podFailure": {"container": "app"}}, {"pods": 2, "durationSeconds": 5}),
    "scale": ({"scaleDown": {"replicas": 2}}, PODS),
    "partition": ({"networkPartition": {"direction": "Both"}}, {"pods": 2, "durationSeconds": 5}),
    "cut": ({"dependencyCut": {"service": "bureau"}}, PODS),
    "abort": ({"httpAbort": {"status": 503}}, REQUESTS),
    "abort portably": ({"httpAbort": {"status": 500, "by": "InvalidBackend"}}, REQUESTS),
    "delay a header": (
        {"httpLatency": {"milliseconds": 300}},
        {**REQUESTS, "header": {"name": "x-test", "value": "yes"}},
    ),
    "cpu": ({"cpuPressure": {"container": "app", "limit": "50m"}}, PODS),
    "memory": ({"memoryPressure": {"container": "app", "limit": "64Mi"}}, PODS),
}


def pod(name: str, labels: Mapping[str, str], owner: str = "") -> Body:
    resources = {"limits": {"cpu": "500m", "memory": "192Mi"}, "requests": {"cpu": "100m", "memory": "96Mi"}}
    owners = [{"kind": "ReplicaSet", "name": STABLE, "uid": owner, "controller": True}] if owner else []
    return {
        "metadata": {"namespace": NAMESPACE, "name": name, "labels": dict(labels), "ownerReferences": owners},
        "spec": {"containers": [{"name": "app", "image": "feem.example/scoring:1", "resources": resources}]},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }


def deployment() -> Body:
    return {
        "metadata": {"namespace": NAMESPACE, "name": NAME, "labels": {"feem.dev/governed": NAME}},
        "spec": {"replicas": 3, "selector": {"matchLabels": {"app": NAME}}, "template": {"metadata": {}, "spec": {}}},
        "status": {"availableReplicas": 3, "observedGeneration": 1},
    }


def replica_set(deployment_uid: str) -> Body:
    owner = {"kind": "Deployment", "name": NAME, "uid": deployment_uid, "controller": True}
    return {
        "metadata": {"namespace": NAMESPACE, "name": STABLE, "labels": LABELS, "ownerReferences": [owner]},
        "spec": {"selector": {"matchLabels": LABELS}, "template": {"metadata": {"labels": LABELS}, "spec": {}}},
        "status": {"replicas": 3},
    }


def service(name: str) -> Body:
    return {"metadata": {"namespace": NAMESPACE, "name": name}, "spec": {"selector": {"app": name}}}


def route() -> Body:
    rules = [{"backendRefs": [{"name": NAME, "port": 80}]}]
    return {
        "metadata": {"namespace": NAMESPACE, "name": NAME},
        "spec": {"parentRefs": [{"name": "edge"}], "rules": rules},
    }


def objective() -> Body:
    indicator = {"ratio": {"bad": 'requests{code="500"}', "total": "requests"}}
    spec = {"objective": "99", "indicator": indicator, "canary": {"dispersion": "1"}}
    return {"metadata": {"namespace": NAMESPACE, "name": "answers"}, "spec": spec}


def managed(at: str) -> tuple[Body, Body]:
    """The ManagedService and its status."""
    spec = {
        "workload": {"kind": "Deployment", "name": NAME},
        "traffic": {"service": NAME, "httpRoute": NAME},
        "planRef": "two-steps",
        "objectives": [{"name": "answers"}],
    }
    stable = {"templateDigest": f"sha256:{'a' * 64}", "podTemplateHash": HASH, "replicaSet": STABLE}
    ready = {"type": "Ready", "status": "True", "reason": "Governed", "lastTransitionTime": at}
    body = {"metadata": {"namespace": NAMESPACE, "name": NAME}, "spec": spec}
    return body, {"conditions": [ready], "stable": stable}


def experiment(fault: str, **spec: Any) -> Body:
    wrong, radius = FAULTS[fault]
    hypothesis = {
        "objectives": ["answers"],
        "steadySeconds": 15,
        "recoverWithinSeconds": 60,
        "recoveryWindowSeconds": 15,
    }
    shown = fault in ("kill", "evict", "fail", "scale")
    wanted = {"service": NAME, "fault": wrong, "blastRadius": radius, "hypothesis": hypothesis, **spec}
    if not shown:
        wanted.setdefault("effect", EFFECT)
    return {"metadata": {"namespace": NAMESPACE, "name": EXPERIMENT}, "spec": wanted}


def run(name: str = "try-it-1", **spec: Any) -> Body:
    wanted = {"experiment": EXPERIMENT, "requestedBy": "admin", **spec}
    return {"metadata": {"namespace": NAMESPACE, "name": name}, "spec": wanted}
