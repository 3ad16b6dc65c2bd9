"""Profiles and windows of the attempts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.integration.kubectl import Manifest

PIPELINE = "release-pipeline"
TICKET: Manifest = {"name": "ticket", "stage": "Request", "ticket": {"pattern": "PAY-[0-9]+"}}
APPROVALS: Manifest = {
    "name": "approvals",
    "stage": "Start",
    "approvals": {"roles": [{"role": "risk"}, {"role": "compliance"}], "validForSeconds": 86400},
}
EMERGENCY: Manifest = {"skips": ["approvals", "freeze"], "signOffRole": "compliance"}
IN_WINDOW: Manifest = {"name": "window", "stage": "Step", "window": {}}


def strict(name: str, *gates: Manifest, **spec: Any) -> Manifest:
    """A ticket, one approval of risk and one of compliance, and what else a test asks for."""
    return {
        "apiVersion": "feem.dev/v1alpha1",
        "kind": "ComplianceProfile",
        "metadata": {"name": name},
        "spec": {"gates": [TICKET, APPROVALS, *gates], "breakGlass": EMERGENCY, **spec},
    }


def window(namespace: str, type_: str, seconds: float, reason: str) -> Manifest:
    """A window of one namespace that began an hour ago and ends this many seconds from now."""
    now = datetime.now(UTC)
    start, end = (
        (now + span).strftime("%Y-%m-%dT%H:%M:%S") for span in (timedelta(hours=-1), timedelta(seconds=seconds))
    )
    return at(namespace, type_, reason, "UTC", range={"start": start, "end": end})


def at(namespace: str, type_: str, reason: str, zone: str, **when: Any) -> Manifest:
    """A window of one namespace."""
    spec = {"type": type_, "reason": reason, "timeZone": zone, "scope": {"namespaces": [namespace]}, **when}
    return {
        "apiVersion": "feem.dev/v1alpha1",
        "kind": "ChangeWindow",
        "metadata": {"name": f"{type_.lower()}-{namespace}"},
        "spec": spec,
    }
