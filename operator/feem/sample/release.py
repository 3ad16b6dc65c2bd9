"""The release of the sample: what was asked, who decided, and which pods it was about."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from feem.api.decision import Decision
from feem.api.release import Release
from feem.core.digest import digest_of, template_digest
from feem.sample.traffic import NAME, PLAN, SERVICE, STARTED, Judged, objectives

ASKED = STARTED - timedelta(minutes=47, seconds=20)
NAMESPACE = "lending"
UID = "5c1d8f0e-7b7a-4f7e-9a52-0d3a6a1c9b11"
APPROVAL = f"{NAME}-approve-risk"


def digest(text: str) -> str:
    """Return a digest to stand for something that the sample does not have."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def template(version: str) -> dict[str, Any]:
    """Return the pod template of a version, secrets included, as a team would write it."""
    container = {
        "name": "app",
        "image": f"feem.example/limit-scoring:{version}@{digest(version)}",
        "args": ["--port=8080", f"--model=limits-{version}"],
        "env": [{"name": "DATABASE_PASSWORD", "value": "correct-horse-battery"}, {"name": "LOCALE", "value": "zh_CN"}],
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
    }
    annotations = {"feem.dev/ticket": "CREDIT-1024", "team.example/contact": "applicant hotline 13800138000"}
    return {"metadata": {"labels": {"app": SERVICE}, "annotations": annotations}, "spec": {"containers": [container]}}


BEFORE, AFTER = template("1.6.2"), template("1.7.0")


def release(status: dict[str, Any]) -> Release:
    """Return the release with a status."""
    spec = {
        "service": SERVICE,
        "deployment": SERVICE,
        "deploymentGeneration": 9,
        "templateDigest": template_digest(AFTER),
        "images": [{"name": "app", "image": AFTER["spec"]["containers"][0]["image"]}],
        "requestedBy": "release-pipeline",
        "author": "team-dev",
        "traffic": {"service": SERVICE, "httpRoute": SERVICE},
        "stable": {
            "templateDigest": template_digest(BEFORE),
            "podTemplateHash": "6d9f7c5b84",
            "replicaSet": f"{SERVICE}-6d9f7c5b84",
        },
        "plan": PLAN,
        "objectives": [one.wire() for one in objectives()],
        "compliance": {
            "profile": "credit-factory",
            "profileDigest": digest("profile"),
            "facts": [{"name": "feem.dev/ticket", "value": "CREDIT-1024"}],
        },
    }
    metadata = {"namespace": NAMESPACE, "name": NAME, "uid": UID, "creationTimestamp": stamp(ASKED)}
    return Release.read({"metadata": metadata, "spec": spec, "status": status})


def ended(judged: Judged, at: datetime, reason: str, message: str) -> dict[str, Any]:
    """Return the status of the release when it ends."""
    good = reason == "Promoted"
    return {
        "step": len(PLAN["steps"]) + 1 if good else 2,
        "weight": 100 if good else 0,
        "startedAt": stamp(STARTED),
        "completedAt": stamp(at),
        "verdicts": [one.wire() for one in judged.verdicts],
        "gates": gates(promoted=good),
        "conditions": [
            {
                "type": "Succeeded",
                "status": str(good),
                "reason": reason,
                "message": message,
                "lastTransitionTime": stamp(at),
            }
        ],
    }


def gates(*, promoted: bool) -> list[dict[str, str]]:
    """Return what each gate said last."""
    rows = (
        ("owner-and-data", "Request", "Passed", "Named", "owned by the credit-factory team, data is Confidential"),
        ("ticket", "Request", "Passed", "TicketNamed", "CREDIT-1024 looks like a ticket of the profile's pattern"),
        ("risk-approval", "Start", "Passed", "Approved", "risk: 1 of 1 approved (risk-officer)"),
        (
            "exposure",
            "Start",
            "Passed",
            "WithinLimits",
            "the first step reaches 10% of the applicants, the largest 50%",
        ),
        (
            "evidence",
            "Promotion",
            "Passed" if promoted else "Holding",
            "AllPassed" if promoted else "NotPassed",
            "all four objectives passed" if promoted else "an objective has failed",
        ),
    )
    return [dict(zip(("name", "stage", "outcome", "reason", "message"), row, strict=True)) for row in rows]


def approval() -> Decision:
    """Return the decision that let the release start."""
    spec = {
        "release": NAME,
        "verb": "Approve",
        "reason": "reviewed the shadow run of the new limits",
        "by": "risk-officer",
        "groups": ["risk-officers"],
        "role": "risk",
        "digest": binding(),
    }
    created = stamp(STARTED - timedelta(seconds=42))
    return Decision.read(
        {
            "metadata": {"namespace": NAMESPACE, "name": APPROVAL, "uid": "d1", "creationTimestamp": created},
            "spec": spec,
        }
    )


def binding() -> str:
    """Return what the approval is bound to."""
    return digest_of({"template": template_digest(AFTER), "profile": digest("profile")})


def stamp(at: datetime) -> str:
    """Return a time as Kubernetes writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
