"""The operator is gone for good in the midst of a run: the reaper takes the fault back; who comes later closes the book."""

from __future__ import annotations

import time

import pytest

from e2e.conftest import say
from e2e.kit.audit import doubly_closed, open_intents, records, verify
from e2e.kit.chaos import Lab, Trial
from e2e.kit.creditcheck import ReportTraffic
from e2e.kit.install import NAMESPACE
from e2e.kit.kubectl import Kubectl, wait_until

UP = 'sum(up{namespace="{ns}",pod=~"credit-check-.*"})'
PARTITION = Trial(
    "alone", {"networkPartition": {"direction": "Ingress"}}, {"pods": 1, "durationSeconds": 15}, UP, ("below", "2.5")
)


@pytest.mark.timeout(600)
def test_without_an_operator_the_fault_goes_when_its_time_is_over(
    labs: tuple[tuple[Lab, ReportTraffic], ...], kubectl: Kubectl
) -> None:
    lab = labs[0][0]
    before = lab.picture()
    lab.write(PARTITION)
    name = lab.start(PARTITION.name)
    wait_until("the fault", lambda: lab.in_place(name), 30, every=0.2)
    kubectl.run("scale", "deployment", "feem", "--replicas=0", namespace=NAMESPACE)
    kubectl.run(
        "delete", "pods", "-l", "app.kubernetes.io/name=feem", "--grace-period=0", "--force", namespace=NAMESPACE
    )
    try:
        assert lab.marked()
        began = time.monotonic()
        wait_until("nothing carries it", lambda: not lab.marked(), 60, every=0.5)
        say(f"the reaper alone: nothing left {time.monotonic() - began:.0f} s after the operator was killed")
        assert lab.picture() == before
    finally:
        kubectl.run("scale", "deployment", "feem", "--replicas=1", namespace=NAMESPACE)
        kubectl.run("rollout", "status", "deployment/feem", "--timeout=120s", namespace=NAMESPACE)
    body = lab.ended(name)
    assert body["status"]["cause"] in ("TimeIsUp", "HypothesisHeld", "TakenBack", "FaultHadNoEffect")
    found = records(kubectl)
    subjects = [item for item in open_intents(found) if item["subject"]["name"] == name]
    assert subjects == []
    assert doubly_closed(found) == []
    assert verify(kubectl).ok
