"""The audit log, read and verified from outside."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from e2e.kit.kubectl import Kubectl

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
