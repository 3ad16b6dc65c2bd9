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
            "requestedBy": "release-pipeline",
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


def decision(verb: str, by: str = "risk-officer", *, applied: Body | None = None, ago: float = 20) -> Body:
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


BINDING = "sha256:" + "4f" * 32


def gate(name: str, outcome: str, reason: str, message: str, stage: str = "Start") -> Body:
    return {"name": name, "stage": stage, "outcome": outcome, "reason": reason, "message": message}


MISSING = (
    "1 of 2 approvals, by product-owner (product); role risk: whoever has verb approve on approvalroles/risk runs "
    'kubectl feem approve limit-scoring-4 -n lending --role risk --reason "…"'
)
GATES = (
    gate("freeze", "Passed", "NoFreeze", "no change freeze is open", "Request"),
    gate("two-roles", "Holding", "ApprovalsMissing", MISSING),
    gate("night", "Holding", "WindowClosed", "the next window opens 22:00 Asia/Shanghai"),
)
SUMMARY = "1 of 2 approvals (risk); window opens 22:00 Asia/Shanghai"


def governed(body: Body, *, facts: dict[str, str] | None = None, author: str = "") -> Body:
    """The same release, requested under profile `standard`."""
    said = [{"name": name, "value": value} for name, value in (facts or {}).items()]
    compliance = {"profile": "standard", "profileDigest": "sha256:" + "0" * 64, "facts": said}
    return {**body, "spec": {**body["spec"], "compliance": compliance, "author": author}}


def waiting(**status: Any) -> Body:
    """A release that two gates of its profile hold before its first step."""
    known = {
        "conditions": [
            *running("Waiting", SUMMARY, going=False),
            condition("Allowed", "False", "GatesHold", f"stage Start is held: {SUMMARY}"),
        ],
        "progress": "0/3",
        "gates": list(GATES),
        "binding": BINDING,
    }
    return governed(release(**{**known, **status}), facts={"feem.dev/ticket": "PAY-12"}, author="team-dev")


def profile(**spec: Any) -> Body:
    roles = [{"role": "product"}, {"role": "risk"}]
    return {
        "apiVersion": "feem.dev/v1alpha1",
        "kind": "ComplianceProfile",
        "metadata": {"name": "standard", "generation": 1, "creationTimestamp": stamp(90000)},
        "spec": {
            "gates": [
                {"name": "two-roles", "stage": "Start", "approvals": {"roles": roles}},
                {"name": "night", "stage": "Start", "window": {}},
                {"name": "business", "stage": "Closure", "signOff": {"role": "product", "withinDays": 5}},
            ],
            "breakGlass": {"skips": ["night", "freeze"], "maxSeconds": 7200, "signOffRole": "compliance"},
            **spec,
        },
    }


def duty(due: float = -86400, emergency: str = "", role: str = "product") -> Body:
    """What is owed; `due` in seconds ago."""
    return {"role": role, "due": stamp(due), "emergency": emergency, "notBy": ["release-pipeline"]}


def window(name: str, kind: str = "Allow", *, scope: Body | None = None, **when: Any) -> Body:
    """A ChangeWindow; when no time is given it is open every day from 22:00 on, for six hours, in Shanghai."""
    spec = {
        "type": kind,
        "reason": f"the reason of {name}",
        "timeZone": "Asia/Shanghai",
        **(when or {"recurrence": {"cron": "0 22 * * *", "durationSeconds": 21600}}),
        **({"scope": scope} if scope else {}),
    }
    metadata = {"name": name, "generation": 1, "creationTimestamp": stamp(90000)}
    return {"apiVersion": "feem.dev/v1alpha1", "kind": "ChangeWindow", "metadata": metadata, "spec": spec}
