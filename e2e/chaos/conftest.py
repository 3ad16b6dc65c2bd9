"""Two copies of the credit check under load, each with a namespace of its own, so that faults can be tried side by side."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from e2e.cluster.context import Cluster
from e2e.conftest import say
from e2e.kit.chaos import Lab
from e2e.kit.creditcheck import CreditCheck, ReportTraffic
from e2e.kit.kubectl import Kubectl, wait_until

NAMESPACES = ("credit-a", "credit-b")
RATE = 10.0


@pytest.fixture(scope="session")
def labs(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[tuple[Lab, ReportTraffic], ...]]:
    """Both services, governed and answering their clients."""
    found = []
    folder = tmp_path_factory.mktemp("reports")
    for namespace in NAMESPACES:
        kubectl, host = Kubectl.of(cluster).replaced(namespace), f"{namespace}.example"
        CreditCheck(kubectl, host).deploy(cluster, say)
        traffic = ReportTraffic(cluster, folder / f"{namespace}.jsonl", host=host, rate=RATE)
        found.append((Lab(kubectl), traffic))
    with found[0][1], found[1][1]:
        for _, traffic in found:
            wait_until("the first reports", lambda one=traffic: len(one.answers()) > 100, 60)  # type: ignore[misc]
        yield tuple(found)
