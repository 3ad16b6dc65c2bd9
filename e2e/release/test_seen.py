"""What people look at: each panel of the dashboard has data while a release runs, and kubectl reads like a sentence."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections.abc import Callable

import pytest

from e2e.cluster.context import PROMETHEUS_PORT, Cluster
from e2e.kit.example import Example
from e2e.kit.kubectl import wait_until
from tests.chart.dashboard import Query, queries

Tell = Callable[[str], None]


def ask(cluster: Cluster, query: Query) -> int:
    """Number of series the real Prometheus returns."""
    words = urllib.parse.urlencode({"query": query.expr})
    with urllib.request.urlopen(
        f"http://{cluster.address}:{PROMETHEUS_PORT}/api/v1/query?{words}", timeout=10
    ) as answer:
        return len(json.load(answer)["data"]["result"])


@pytest.mark.usefixtures("traffic")
def test_every_panel_has_data_while_a_release_runs(cluster: Cluster, example: Example, tell: Tell) -> None:
    name = example.start("3.0")
    silent = {query.expr: query for query in queries()}

    def all_spoke() -> bool:
        for query in list(silent.values()):
            if ask(cluster, query):
                del silent[query.expr]
        return not silent

    try:
        wait_until("an answer to every panel", all_spoke, 90, every=2)
    except TimeoutError:
        pytest.fail(f"no data for {[(query.panel, query.raw) for query in silent.values()]}")
    tell(f"{len(queries())} queries of the dashboard returned data")
    assert example.wait_end(name, 180) == "RolledBack"


def test_kubectl_reads_like_a_sentence(example: Example, tell: Tell) -> None:
    lines = example.kubectl.run("get", "rel").splitlines()
    tell(lines[0])
    assert lines[0].split()[:6] == ["NAME", "SERVICE", "STEP", "STATE", "RESULT", "MESSAGE"]
    done = [line for line in lines if " Promoted " in line]
    assert all("run the change" in line for line in done)
    described = example.kubectl.run("describe", "rel", lines[-1].split()[0])  # of several, kubectl shows no events
    assert "Events:" in described
    assert "Percent of the requests" in example.kubectl.run("explain", "release.spec.plan.steps.weight")
