"""Two copies of the credit check under load, each with a namespace of its own, so that faults can be tried side by side."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from e2e.cluster.context import Cluster
from e2e.conftest import say
from e2e.kit.chaos import WARM, Lab
from e2e.kit.creditcheck import CreditCheck, ReportTraffic
from e2e.kit.kubectl import Kubectl

RATE = 10.0
LENIENT = """
apiVersion: feem.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: half-is-answered}
spec:
  description: What these tests break must not spend the budget that the next one needs
  objective: "50"
  indicator:
    ratio:
      bad: http_requests_total{path="/credit-report",code=~"5.."}
      total: http_requests_total{path="/credit-report"}
"""


@pytest.fixture(scope="module")
def labs(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[tuple[Lab, ReportTraffic], ...]]:
    """Both services, governed and answering their clients."""
    found = []
    folder = tmp_path_factory.mktemp("reports")
    for namespace in (f"credit-{uuid.uuid4().hex[:6]}" for _ in range(2)):
        kubectl, host = Kubectl.of(cluster).replaced(namespace), f"{namespace}.example"
        CreditCheck(kubectl, host).deploy(cluster, say)
        kubectl.apply_text(LENIENT)
        traffic = ReportTraffic(cluster, folder / f"{namespace}.jsonl", host=host, rate=RATE)
        found.append((Lab(kubectl), traffic))
    with found[0][1], found[1][1]:
        for _, traffic in found:
            traffic.wait_for(WARM)
        yield tuple(found)
    for lab, _ in found:
        CreditCheck(lab.kubectl).remove()
