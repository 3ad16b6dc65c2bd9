"""People who decide, with kubectl alone."""

from __future__ import annotations

from e2e.kit.kubectl import Kubectl


def decide(kubectl: Kubectl, release: str, verb: str, by: str = "") -> None:
    """Create a Decision in the name of whoever this kubectl is, or of `by`."""
    user = by or kubectl.run("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")
    text = f"""
apiVersion: feem.dev/v1alpha1
kind: Decision
metadata: {{generateName: {release}-, namespace: {kubectl.namespace}}}
spec: {{release: {release}, verb: {verb}, reason: a test decides, by: {user}}}
"""
    kubectl.run("create", "-f", "-", stdin=text)
