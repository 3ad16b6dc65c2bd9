"""A version that trusts its bureau blindly: an experiment finds it, and keeps it from its users when it is released."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from e2e.cluster.context import Cluster
from e2e.conftest import say
from e2e.kit.chaos import SERVICE, WARM, Lab, Trial
from e2e.kit.creditcheck import CreditCheck, ReportTraffic
from e2e.kit.example import condition
from e2e.kit.kubectl import Kubectl, wait_until

BUREAU = 'sum(rate(bureau_requests_total{namespace="{ns}",result!="ok"}[15s]))'
CUT = Trial(
    "bureau-cut",
    {"dependencyCut": {"service": "bureau"}},
    {"podPercent": 100},
    BUREAU,
    ("above", "0.3"),
    "credit-check-answers",
)
PLAN = {
    "steps": [{"weight": 50, "bakeSeconds": 15, "chaos": {"experiment": CUT.name}}],
    "scaleDownDelaySeconds": 2,
}
"""Half of the clients, and in that step the bureau is cut off from the canary."""
HANGING = 'sum(increase(http_requests_total{namespace="{ns}",code="504"}[15s]))'


@pytest.fixture
def shop(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Lab, CreditCheck, ReportTraffic]]:
    """The service as it was before somebody thought of the bureau's outages: version 1.1, with the gap.

    Each test has one of its own, for a gap that was found has spent the error budget, and then nothing more is tried.
    """
    namespace = f"gap-{uuid.uuid4().hex[:6]}"
    kubectl, host = Kubectl.of(cluster).replaced(namespace), f"{namespace}.example"
    service = CreditCheck(kubectl, host)
    service.deploy(cluster, say, "1.1")
    out: Path = tmp_path_factory.mktemp("gap") / "reports.jsonl"
    with ReportTraffic(cluster, out, host=host, rate=10.0, timeout=5.0) as traffic:
        traffic.wait_for(WARM)
        yield Lab(kubectl), service, traffic
    service.remove()


@pytest.mark.timeout(600)
def test_a_planted_gap_is_found(shop: tuple[Lab, CreditCheck, ReportTraffic]) -> None:
    lab, _, _ = shop
    gap = replace(CUT, query=HANGING)
    lab.write(gap)
    body = lab.ended(lab.start(gap.name, "does it survive the bureau?"))
    status, said = body["status"], condition(body, "Succeeded")
    say(f"{said['reason']} ({status['cause']}): {said['message']}")
    assert (said["reason"], status["cause"]) == ("Failed", "ObjectiveBreached")
    assert "credit-check-answers" in said["message"] or "credit-check-speed" in said["message"]
    assert "% bad" in said["message"]
    assert status["breachedAt"]
    assert lab.marked() == ()


@pytest.mark.timeout(900)
def test_a_release_is_held_against_the_gap(shop: tuple[Lab, CreditCheck, ReportTraffic]) -> None:
    """The mended version passes its experiment on the canary; the old one, released again, does not."""
    lab, service, _ = shop
    assert _released(lab, service, "1.0") == "Promoted"
    end = _released(lab, service, "1.1")
    assert end.startswith("RolledBack"), end


def _released(lab: Lab, service: CreditCheck, version: str) -> str:
    """Release a version by a plan whose step breaks the canary's bureau; returns how it ended, with the runs it took."""
    namespace = lab.kubectl.namespace
    lab.write(_on_canary())
    plan = {"apiVersion": "feem.dev/v1alpha1", "kind": "GreyReleasePlan", "metadata": {"name": "credit-check-steps"}}
    lab.kubectl.apply_text(yaml.safe_dump({**plan, "spec": PLAN}))
    before = {item["metadata"]["name"] for item in lab.kubectl.list("releases.feem.dev")}
    service.set_version(version)

    def ended() -> str | None:
        for item in lab.kubectl.list("releases.feem.dev"):
            if item["metadata"]["name"] not in before and (item.get("status") or {}).get("completedAt"):
                return str(item["metadata"]["name"])
        return None

    name = wait_until(f"the release of {version}", ended, 400)
    said = condition(lab.kubectl.get("releases.feem.dev", name), "Succeeded")
    runs = [run for run in lab.kubectl.list("chaosruns") if run["spec"].get("release") == name]
    results = [str(condition(run, "Succeeded").get("reason")) for run in runs]
    say(f"{namespace}: {version}: {said['reason']}: {said['message'][:200]}; runs on the canary: {json.dumps(results)}")
    assert runs, "the step asked for a run"
    if said["reason"] == "Promoted":
        assert results[-1] == "Passed"
        wait_until("pods of the new version only", lambda: not lab.kubectl.get("deployment", f"{SERVICE}-canary"), 60)
    return str(said["reason"])


def _on_canary() -> Trial:
    """The same fault; it is seen by what the canary's own pods say."""
    pods = '{namespace="{ns}",pod=~"credit-check-canary-.*"'
    query = f'sum(rate(bureau_requests_total{pods},result!="ok"}}[15s])) + sum(rate(http_requests_total{pods},code="504"}}[15s]))'
    return replace(CUT, radius={"podPercent": 100, "durationSeconds": 30}, query=query, bound=("above", "0.2"))
