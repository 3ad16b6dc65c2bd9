"""The example under its compliance profile, and the people who ask for and allow its changes, each with a certificate of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

from e2e.cluster.context import Cluster
from e2e.cluster.users import user_kubeconfig
from e2e.kit.example import NAME, Example, condition
from e2e.kit.kubectl import Kubectl, wait_until
from e2e.kit.traffic import EXAMPLE

PROFILE = "credit-factory"
ROLE = "risk"


@dataclass(frozen=True)
class Person:
    """Somebody with a user name and groups; what they may is what RBAC gives these."""

    user: str
    kubectl: Kubectl

    @classmethod
    def known(cls, cluster: Cluster, user: str, *groups: str) -> Person:
        """Return a person whom the cluster knows by certificate."""
        return cls(user, Kubectl.of(cluster, user_kubeconfig(cluster, user, groups)))

    def feem(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Call `feem` as this person; returns whatever came of it."""
        words = [sys.executable, "-m", "feem", *arguments, "-n", self.kubectl.namespace]
        words += ["--kubeconfig", str(self.kubectl.kubeconfig)]
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)

    def approve(self, release: str) -> subprocess.CompletedProcess[str]:
        """Approve a release in the role of risk."""
        return self.feem("approve", release, "--role", ROLE, "--reason", "looked at the change and its plan")


def put_under_profile(example: Example) -> None:
    """Apply the example's profile and role bindings, and name the profile on its ManagedService."""
    example.kubectl.apply(EXAMPLE / "k8s" / "compliance.yaml")
    name_profile(example, PROFILE)
    wait_until("the service under its profile", example.governed, 60)


def name_profile(example: Example, profile: str | None) -> None:
    """Put the service under a profile, or under none."""
    spec = {"complianceProfile": profile, "owner": "credit-factory team", "dataClassification": "Confidential"}
    example.kubectl.run("patch", "managedservice", NAME, "--type=merge", "-p", json.dumps({"spec": spec}))


def name_ticket(kubectl: Kubectl, ticket: str) -> None:
    """Name the change ticket on the Deployment, before its template is changed."""
    kubectl.run("annotate", "deployment", NAME, f"feem.dev/ticket={ticket}", "--overwrite")


def wait_for_gates(example: Example, release: str, seconds: float = 60) -> str:
    """Wait until a release waits for its gates; returns what for."""

    def waiting() -> str | None:
        found = condition(example.release(release), "Progressing")
        return str(found.get("message")) if found.get("reason") == "Waiting" else None

    return wait_until(f"Release {release} waiting for its gates", waiting, seconds)
