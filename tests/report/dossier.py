"""The dossier of the release that the report's tests show."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

from feem.api.audit import AuditSpec
from feem.sample.traffic import NAME, PLAN, SERVICE, STARTED, Judged, objectives

ASKED = STARTED - timedelta(minutes=47, seconds=20)
ORIGIN = "feem.dev/audit/feem-system"
UID = "5c1d8f0e-7b7a-4f7e-9a52-0d3a6a1c9b11"


def dossier_of(found: Judged, end: AuditSpec, *, good: bool) -> dict[str, Any]:
    result = {"reason": end.reason, "message": end.message, "at": end.time}
    document = hashlib.sha256(found.document).hexdigest()
    return {
        "format": "feem.dev/dossier@v1",
        "origin": ORIGIN,
        "release": {
            "namespace": "lending",
            "name": NAME,
            "uid": UID,
            "service": SERVICE,
            "digest": digest("after"),
            "requestedBy": "release-pipeline",
            "author": "team-dev",
            "images": [{"name": "app", "image": f"feem.example/limit-scoring:1.7.0@{digest('1.7.0')}"}],
            "profile": "credit-factory",
            "facts": {"feem.dev/ticket": "CREDIT-1024", "feem.dev/author": "team-dev"},
            "createdAt": ASKED.isoformat(),
            "plan": PLAN,
        },
        "result": {**result, "step": 3 if good else 2, "weight": 100 if good else 50},
        "gates": _gates(good=good),
        "decisions": _decisions(),
        "objectives": [one.wire() for one in objectives()],
        "verdicts": [one.wire() for one in found.verdicts],
        "manifests": {"before": _template("1.6.2"), "after": _template("1.7.0")},
        "samples": [{"name": f"{NAME}-evidence", "sha256": document, "digest": found.digest}],
    }


def _gates(*, good: bool) -> list[dict[str, str]]:
    def gate(name: str, kind: str, stage: str, outcome: str, reason: str, text: str) -> dict[str, str]:
        return {"name": name, "kind": kind, "stage": stage, "outcome": outcome, "reason": reason, "message": text}

    return [
        gate(
            "owner-and-data", "data", "Request", "Passed", "Named", "owned by credit-factory team, data is Confidential"
        ),
        gate(
            "ticket",
            "ticket",
            "Request",
            "Passed",
            "TicketNamed",
            "CREDIT-1024 looks like a ticket of the profile's pattern",
        ),
        gate("risk-approval", "approvals", "Start", "Passed", "Approved", "risk: 1 of 1 approved (risk-officer)"),
        gate(
            "product-approval",
            "approvals",
            "Promotion",
            "Passed" if good else "Holding",
            "Approved" if good else "ApprovalsMissing",
            f"product: {int(good)} of 1 approved",
        ),
        gate(
            "exposure",
            "exposure",
            "Start",
            "Passed",
            "WithinLimits",
            "the first step reaches 10% of the applicants, the largest 50%",
        ),
    ]


def _decisions() -> list[dict[str, str]]:
    return [
        {
            "name": "limit-scoring-7-approve-risk",
            "createdAt": (STARTED - timedelta(seconds=42)).isoformat(),
            "release": NAME,
            "verb": "Approve",
            "by": "risk-officer",
            "role": "risk",
            "reason": "scorecard 1.7 reviewed with the model documentation; grey release as planned",
            "digest": digest("binding"),
            "expiresAt": (STARTED + timedelta(hours=24)).isoformat(),
        },
        {
            "name": "limit-scoring-7-signoff-risk",
            "createdAt": (STARTED + timedelta(minutes=31)).isoformat(),
            "release": NAME,
            "verb": "SignOff",
            "by": "risk-officer",
            "role": "risk",
            "reason": "outcome reviewed with the product owner; the scorecard goes back to its team",
        },
    ]


def _template(version: str) -> dict[str, Any]:
    redacted = f"redacted sha256:{hashlib.sha256(version.encode()).hexdigest()[:12]}"
    return {
        "metadata": {"labels": {"app.kubernetes.io/name": SERVICE}, "annotations": {"prometheus.io/scrape": "true"}},
        "spec": {
            "containers": [
                {
                    "name": "app",
                    "image": f"feem.example/limit-scoring:{version}@{digest(version)}",
                    "env": [
                        {"name": "SCORECARD", "value": redacted},
                        {"name": "DRAIN_SECONDS", "value": "redacted sha256:4b227777d4dd"},
                    ],
                    "resources": {"limits": {"memory": "128Mi" if version == "1.6.2" else "160Mi"}},
                    "ports": [{"name": "http", "containerPort": 8080}],
                }
            ],
            "terminationGracePeriodSeconds": 20,
        },
    }


def digest(of: str) -> str:
    return f"sha256:{hashlib.sha256(of.encode()).hexdigest()}"
