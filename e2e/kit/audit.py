"""The audit log, read and verified from outside."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from e2e.kit.kubectl import Kubectl, wait_until

Body = dict[str, Any]


@dataclass(frozen=True)
class Verification:
    """What `feem audit verify` said."""

    ok: bool
    text: str


def verify(kubectl: Kubectl) -> Verification:
    """Run `feem audit verify`."""
    words = [sys.executable, "-m", "feem", "audit", "verify", "--kubeconfig", str(kubectl.kubeconfig)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    return Verification(done.returncode == 0, done.stdout + done.stderr)


def feem(kubectl: Kubectl, *words: str) -> Verification:
    """Run `feem` against the cluster."""
    command = [sys.executable, "-m", "feem", *words, "--kubeconfig", str(kubectl.kubeconfig)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    return Verification(done.returncode == 0, done.stdout + done.stderr)


def check(*words: str) -> Verification:
    """Run `feem audit verify` on files alone, without any cluster."""
    command = [sys.executable, "-m", "feem", "audit", "verify", *words]
    environment = {name: value for name, value in os.environ.items() if name != "KUBECONFIG"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=environment)
    return Verification(done.returncode == 0, done.stdout + done.stderr)


def published(kubectl: Kubectl, seconds: float = 60) -> Body:
    """Wait until the signed head covers every entry there is; returns the AuditLog."""

    def covers() -> Body | None:
        log: Body = kubectl.get("auditlog", "feem") or {}
        newest = max((int(item["metadata"]["name"]) for item in kubectl.list("auditrecords.feem.dev")), default=-1)
        return log if (log.get("status") or {}).get("size", 0) > newest else None

    return wait_until("a signed checkpoint over all entries", covers, seconds)


def write_keys(log: Body, path: Path) -> Path:
    """Write the public keys that an AuditLog shows, as an auditor would note them once."""
    path.write_text("".join(f"{key}\n" for key in log["status"]["keys"]), encoding="utf-8")
    return path


def records(kubectl: Kubectl) -> list[Body]:
    """Return the specs of all records, in order."""
    return sorted((item["spec"] for item in kubectl.list("auditrecords.feem.dev")), key=lambda spec: int(spec["index"]))


def open_intents(found: list[Body]) -> list[Body]:
    """Return the intents without an outcome."""
    closed = {spec["intent"] for spec in found if spec["part"] == "Outcome"}
    return [spec for spec in found if spec["part"] == "Intent" and spec["index"] not in closed]


def doubly_closed(found: list[Body]) -> list[int]:
    """Return the indices of intents with more than one outcome."""
    outcomes = [int(spec["intent"]) for spec in found if spec["part"] == "Outcome"]
    return sorted({index for index in outcomes if outcomes.count(index) > 1})
