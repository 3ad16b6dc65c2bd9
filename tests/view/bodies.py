"""Kubernetes objects around one release, as an API server would return them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from feem.core.digest import template_digest

NOW = datetime(2026, 3, 2, 9, 30, 0, tzinfo=UTC)
Body = dict[str, Any]


def stamp(seconds_ago: float) -> str:
    return (NOW - timedelta(seconds=seconds_ago)).isoformat().replace("+00:00", "Z")


def template(version: str) -> Body:
    return {
        "metadata": {"labels": {"app": "limit-scoring"}},
        "spec": {"containers": [{"name": "app", "image": f"feem.example/limit-scoring:{version}"}]},
    }


def condition(kind: str, status: str, reason: str, message: str = "") -> Body:
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": stamp(10),
        "observedGeneration": 1,
    }


def running(reason: str, message: str = "", *, going: bool = True) -> list[Body]:
    return [
        condition("Held", "True", "Held"),
        condition("Progressing", str(going), reason, message),
        condition("Succeeded", "Unknown", "Running"),
    ]


def over(result: str, message: str = "", *, state: str | None = None) -> list[Body]:
    promoted = result == "Promoted"
    return [
        condition("Held", str(not promoted), result if promoted else "Held"),
        condition("Progressing", "False" if state is None else "True", state or result, message),
        condition("Succeeded", str(promoted), result, message),
    ]


def release(name: str = "limit-scoring-4", **status: Any) -> Body:
    return {
        "apiVersion": "feem.dev/v1alpha1",
        "kind": "Release",
        "metadata": {
            "name": name,
            "namespace": "lending",
            "uid": "1f",
            "generation": 1,
            "creationTimestamp": stamp(200),
        },
        "spec": {
            "service": "limit-scoring",
            "deployment": "limit-scoring",
            "deploymentGeneration": 4,
            "templateDigest": template_digest(template("2.0")),
            "images": [{"name": "app", "image": "feem.example/limit-scoring:2.0"}],
            "requestedBy": "mei",
            "traffic": {"service": "limit-scoring", "httpRoute": "limit-scoring"},
            "stable": {
                "templateDigest": template_digest(template("1.0")),
                "podTemplateHash": "6b4f",
                "replicaSet": "limit-scoring-6b4f",
            },
            "plan": {
                "steps": [
                    {"weight": 10, "bakeSeconds": 30},
                    {"weight": 50, "bakeSeconds": 60},
                    {"weight": 100, "bakeSeconds": 90},
                ]
            },
            "objectives": [
                {
                    "name": "errors",
                    "objective": "99.9",
                    "indicator": {"ratio": {"bad": 'http_requests_total{code=~"5.."}', "total": "http_requests_total"}},
                }
            ],
        },
        "status": {"observedGeneration": 1, **status},
    }


def verdict(outcome: str, bad: int = 0, total: int = 1000) -> Body:
    return {
        "name": "errors",
        "outcome": outcome,
        "reason": {"Pass": "WithinObjective", "Fail": "WorseThanStable"}.get(outcome, "TooFewSamples"),
        "message": f"{bad} of {total} requests were bad",
        "canary": {"bad": bad, "total": total},
        "stable": {"bad": 3, "total": 9000},
    }


def replica_set(suffix: str, version: str, *, ready: int, desired: int) -> Body:
    return {
        "metadata": {"name": f"limit-scoring-{suffix}", "namespace": "lending"},
        "spec": {"replicas": desired, "template": template(version)},
        "status": {"readyReplicas": ready},
    }


def deployment(name: str = "limit-scoring", version: str = "2.0", *, ready: int = 3, desired: int = 3) -> Body:
    return {
        "metadata": {"name": name, "namespace": "lending", "uid": "d1"},
        "spec": {"replicas": desired, "template": template(version)},
        "status": {"readyReplicas": ready},
    }


def route(weight: int | None = None) -> Body:
    refs: list[Body] = [{"name": "limit-scoring", "port": 80}]
    if weight is not None:
        refs = [
            {"name": "limit-scoring", "port": 80, "weight": 100 - weight},
            {"name": "limit-scoring-canary", "port": 80, "weight": weight},
        ]
    return {
        "metadata": {"name": "limit-scoring", "namespace": "lending"},
        "spec": {"rules": [{"backendRefs": refs}]},
    }


def service(newest: str = "limit-scoring-4") -> Body:
    return {
        "apiVersion": "feem.dev/v1alpha1",
        "kind": "ManagedService",
        "metadata": {
            "name": "limit-scoring",
            "namespace": "lending",
            "uid": "5e",
            "generation": 1,
            "creationTimestamp": stamp(9000),
        },
        "spec": {
            "workload": {"name": "limit-scoring"},
            "traffic": {"service": "limit-scoring", "httpRoute": "limit-scoring"},
            "planRef": "careful",
            "objectives": [{"name": "errors"}],
        },
        "status": {
            "observedGeneration": 1,
            "release": newest,
            "conditions": [condition("Ready", "True", "Governed"), condition("Hold", "True", "AdmissionPolicy")],
        },
    }


def decision(verb: str, by: str = "noor", *, applied: Body | None = None, ago: float = 20) -> Body:
    return {
        "apiVersion": "feem.dev/v1alpha1",
        "kind": "Decision",
        "metadata": {
            "name": f"limit-scoring-4-{verb.lower()}",
            "namespace": "lending",
            "generation": 1,
            "creationTimestamp": stamp(ago),
        },
        "spec": {"release": "limit-scoring-4", "verb": verb, "reason": "month-end close", "by": by},
        **({"status": {"conditions": [applied]}} if applied else {}),
    }
