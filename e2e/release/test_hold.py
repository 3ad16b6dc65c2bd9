"""While a change is held, nothing that keeps pods alive brings it live; and without FEEM the hold and the traffic go on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from e2e.kit.example import NAME, Example
from e2e.kit.install import NAMESPACE, OPERATOR_PODS
from e2e.kit.kubectl import Kubectl, wait_until
from e2e.kit.people import decide
from e2e.kit.traffic import Traffic, failures, share

AUTOSCALER = f"""
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {{name: {NAME}}}
spec:
  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: {NAME}}}
  minReplicas: 5
  maxReplicas: 5
  metrics: [{{type: Resource, resource: {{name: cpu, target: {{type: Utilization, averageUtilization: 80}}}}}}]
"""


def owners_pods(kubectl: Kubectl) -> list[str]:
    """The images of the Deployment's own pods that are not going away."""
    pods = kubectl.list("pods", "-l", "app.kubernetes.io/name=limit-scoring,feem.dev/track!=canary")
    return [
        pod["spec"]["containers"][0]["image"]
        for pod in pods
        if not pod["metadata"].get("deletionTimestamp") and pod["status"].get("phase") == "Running"
    ]


def ready(kubectl: Kubectl, count: int) -> bool:
    body = kubectl.get("deployment", NAME) or {}
    return int((body.get("status") or {}).get("readyReplicas", 0)) == count and len(owners_pods(kubectl)) == count


@pytest.fixture
def three_pods(example: Example) -> Iterator[None]:
    yield
    example.kubectl.attempt("delete", "hpa", NAME, "--ignore-not-found")
    example.kubectl.run("scale", f"deployment/{NAME}", "--replicas=3")


@pytest.mark.usefixtures("three_pods")
def test_scaling_and_lost_pods_bring_back_the_old_version_only(example: Example, tell: Callable[[str], None]) -> None:
    kubectl, stable = example.kubectl, example.stable_image()
    name = example.start("3.0")
    decide(kubectl, name, "Abort")
    assert example.wait_end(name, 120) == "Aborted"

    kubectl.run("scale", f"deployment/{NAME}", "--replicas=4")
    wait_until("four pods", lambda: ready(kubectl, 4), 60)
    assert set(owners_pods(kubectl)) == {stable}
    kubectl.apply_text(AUTOSCALER)
    wait_until("five pods by the autoscaler", lambda: ready(kubectl, 5), 90)
    assert set(owners_pods(kubectl)) == {stable}
    victim = kubectl.list("pods", "-l", "app.kubernetes.io/name=limit-scoring")[0]["metadata"]["name"]
    kubectl.run("delete", "pod", victim, "--wait=false")
    wait_until("the pod's end", lambda: kubectl.get("pod", victim) is None, 60)
    wait_until("its replacement", lambda: ready(kubectl, 5), 60)
    assert set(owners_pods(kubectl)) == {stable}
    tell(f"scaled, autoscaled, one pod deleted: every pod is {stable}")


def test_without_the_operator_a_change_is_held_and_traffic_flows(
    example: Example, traffic: Traffic, kubectl: Kubectl
) -> None:
    system, stable, before = kubectl.replaced(NAMESPACE), example.stable_image(), example.release_names()
    system.run("scale", "deployment/feem", "--replicas=0")
    try:
        wait_until("the operator's end", lambda: not system.list("pods", "-l", OPERATOR_PODS), 60)
        began = time.time()
        printed = example.set_version("3.0")
        assert "FEEM holds this change" in printed
        time.sleep(8)
        body = kubectl.get("deployment", NAME) or {}
        assert body["spec"]["paused"] is True
        assert set(owners_pods(kubectl)) == {stable}
        answers = traffic.answers(began)
        assert len(answers) > 500
        assert failures(answers) == []
        assert share(answers, stable.rpartition(":")[2]) == 100
    finally:
        system.run("scale", "deployment/feem", "--replicas=1")
        system.run("rollout", "status", "deployment/feem", "--timeout=120s")
    body = wait_until("a release of the held change", lambda: example.newest_release(before), 60)
    name = body["metadata"]["name"]
    assert body["spec"]["requestedBy"]
    decide(kubectl, name, "Abort")
    assert example.wait_end(name, 120) in ("Aborted", "RolledBack")
