"""The objects that requests are about: ordinary ones, and one as large as the issue asks for."""

from __future__ import annotations

from typing import Any

Body = dict[str, Any]

GOVERNED = "feem.dev/governed"
FEEM = "feem.dev/v1alpha1"
DIGEST = "sha256:" + "d" * 64
LARGE_CONTAINERS, LARGE_LABELS = 100, 64


def deployment(
    namespace: str, name: str, *, governed: bool, version: str, containers: int = 1, labels: int = 3
) -> Body:
    """Return a Deployment without replicas; `version` differs in its last container, where a comparison looks last."""
    marks = _labels(name, labels)
    care = {GOVERNED: name} if governed else {}
    pod = {
        "metadata": {"labels": marks},
        "spec": {"containers": [_container(at, version if at == containers - 1 else "1") for at in range(containers)]},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, "labels": _labels(name, labels - len(care)) | care},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"app": name}}, "template": pod},
    }


def pod(namespace: str, app: str, *, replica_set: str = "") -> Body:
    """Return a pod; with a ReplicaSet's name, as its controller makes it."""
    owner = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": replica_set,
        "uid": "6f1d3c8e-0f4c-4f0e-9d55-2f7a1c3b9e10",
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": f"{replica_set or app}-",
            "namespace": namespace,
            "labels": _labels(app, 3),
            **({"ownerReferences": [owner]} if replica_set else {}),
        },
        "spec": {"containers": [_container(0, "1")]},
    }


def service(namespace: str, name: str) -> Body:
    """Return a ManagedService for the Deployment of the same name."""
    return {
        "apiVersion": FEEM,
        "kind": "ManagedService",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "workload": {"name": name},
            "traffic": {"service": name, "httpRoute": name},
            "plan": _PLAN,
            "objectives": [{"name": "answered"}],
        },
    }


def service_status(name: str) -> Body:
    """Return what the operator says of a service: by which labels its pods are found."""
    return {"podSelector": {"app": name}}


def release(namespace: str, number: int) -> Body:
    """Return a Release as the operator writes it."""
    return {
        "apiVersion": FEEM,
        "kind": "Release",
        "metadata": {"name": release_name(number), "namespace": namespace},
        "spec": {
            "service": "scoring",
            "deployment": "scoring",
            "deploymentGeneration": number,
            "templateDigest": DIGEST,
            "images": [{"name": "app-0", "image": f"scoring:{number}"}],
            "requestedBy": "release-pipeline",
            "author": "team-dev",
            "traffic": {"service": "scoring", "httpRoute": "scoring"},
            "stable": {"templateDigest": DIGEST, "podTemplateHash": "5d9c7b6f4", "replicaSet": "scoring-5d9c7b6f4"},
            "plan": _PLAN,
            "objectives": [_OBJECTIVE],
        },
    }


def release_status() -> Body:
    """Return a Release's status that waits for approvals."""
    gate = {
        "name": "approvals",
        "stage": "Start",
        "outcome": "Holding",
        "reason": "ApprovalsMissing",
        "message": "1 of 2 approvals",
    }
    return {"binding": DIGEST, "gates": [gate]}


def release_name(number: int) -> str:
    """Return a Release's name."""
    return f"scoring-{number}-r1"


def approval(namespace: str, release: str, role: str, **filled: object) -> Body:
    """Return an approval as a person writes it; `filled` is what admission fills in otherwise."""
    return {
        "apiVersion": FEEM,
        "kind": "Decision",
        "metadata": {"generateName": "approve-", "namespace": namespace},
        "spec": {"release": release, "verb": "Approve", "role": role, "reason": "read the test report", **filled},
    }


def _labels(app: str, count: int) -> dict[str, str]:
    return {"app": app, **{f"bank.example/label-{at}": f"value-{at}" for at in range(1, count)}}


def _container(at: int, version: str) -> Body:
    return {
        "name": f"app-{at}",
        "image": f"registry.bank.example/lending/scoring-{at}:{version}",
        "args": [f"--listen=:{8080 + at}", f"--part={at}"],
        "env": [{"name": f"SETTING_{number}", "value": f"value-{number}"} for number in range(5)],
        "ports": [{"containerPort": 8080 + at}],
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "64Mi"}},
    }


_PLAN = {"steps": [{"weight": 10, "bakeSeconds": 60}, {"weight": 50, "bakeSeconds": 60}]}
_OBJECTIVE = {
    "name": "answered",
    "objective": "99.9",
    "indicator": {"ratio": {"bad": 'http_requests_total{code=~"5.."}', "total": "http_requests_total"}},
}
