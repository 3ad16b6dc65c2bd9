"""Each fault, on real pods under real traffic: it is seen in Prometheus, it goes, and everything is as before."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from e2e.conftest import say
from e2e.kit.audit import doubly_closed, open_intents, records, verify
from e2e.kit.chaos import HEADER, Lab, Row, Trial, row_of
from e2e.kit.creditcheck import ReportTraffic
from e2e.kit.install import NAMESPACE
from e2e.kit.kubectl import Kubectl, wait_until

Labs = tuple[tuple[Lab, ReportTraffic], ...]
UP = 'sum(up{namespace="{ns}",pod=~"credit-check-.*"})'
YOUNG = 'count(time() - process_start_time_seconds{namespace="{ns}",pod=~"credit-check-.*"} < 25)'
BUREAU = 'sum(rate(bureau_requests_total{namespace="{ns}",result="ok"}[15s]))'
SLOW = 'sum(rate(process_cpu_throttled_periods{namespace="{ns}",pod=~"credit-check-.*"}[15s]))'
MEMORY = 'min(process_memory_limit_bytes{namespace="{ns}",pod=~"credit-check-.*"})'
ERRORS = 'sum(rate(envoy_http_downstream_rq_xx{envoy_response_code_class="5"}[15s]))'
ABORTS, DELAYS = "sum(rate(envoy_http_fault_aborts_injected[15s]))", "sum(rate(envoy_http_fault_delays_injected[15s]))"
ONE, HALF = {"pods": 1}, {"requestPercent": 50}
HEADER_ONLY = {"requestPercent": 100, "header": {"name": "content-type", "value": "application/json"}}

ON_PODS = (
    Trial("pod-evicted", {"podKill": {"how": "Evict"}}, ONE, YOUNG),
    Trial("scaled-down", {"scaleDown": {"replicas": 2}}, ONE, UP, ("below", "2.5")),
    Trial("cpu-pressure", {"cpuPressure": {"container": "app", "limit": "30m"}}, ONE, SLOW, ("above", "0.5")),
    Trial(
        "memory-pressure",
        {"memoryPressure": {"container": "app", "limit": "100Mi"}},
        ONE,
        MEMORY,
        ("below", "150000000"),
    ),
    Trial("pod-killed", {"podKill": {"how": "Kill", "graceSeconds": 0}}, ONE, YOUNG),
    Trial("pod-failed", {"podFailure": {"container": "app"}}, ONE, UP, ("below", "2.5")),
)
ON_TRAFFIC = (
    Trial("bureau-cut", {"dependencyCut": {"service": "bureau"}}, {"podPercent": 100}, BUREAU, ("below", "0.3")),
    Trial("partitioned", {"networkPartition": {"direction": "Ingress"}}, ONE, UP, ("below", "2.5")),
    Trial("aborted", {"httpAbort": {"status": 503}}, HALF, ABORTS, ("above", "0.5")),
    Trial("aborted-portably", {"httpAbort": {"status": 500, "by": "InvalidBackend"}}, HALF, ERRORS, ("above", "1")),
    Trial("delayed", {"httpLatency": {"milliseconds": 400}}, HALF, DELAYS, ("above", "0.5")),
    Trial("aborted-by-header", {"httpAbort": {"status": 503}}, HEADER_ONLY, ABORTS, ("above", "0.5")),
)

LEFT_ALONE = Trial(
    "left-alone",
    {"networkPartition": {"direction": "Ingress"}},
    {"pods": 1, "durationSeconds": 15},
    UP,
    ("below", "2.5"),
)
"""The operator is killed while this is in place."""


def tried(lab: Lab, traffic: ReportTraffic, trials: Sequence[Trial]) -> list[Row]:
    """Run experiments one after the other; after each, state and traffic are as before."""
    before, rows = lab.picture(), []
    for trial in trials:
        lab.write(trial)
        wait_until("all pods", lambda: _whole(lab), 90)
        name = lab.start(trial.name)
        body = lab.ended(name)
        rows.append(row_of(trial.name, body, lab.marked()))
        say(f"{lab.kubectl.namespace}: {rows[-1].line()}")
        assert lab.picture() == before, f"{trial.name}: {json.dumps(lab.picture(), indent=1)}"
        _served(traffic, trial.name)
    return rows


def _whole(lab: Lab) -> bool:
    body = lab.kubectl.get("deployment", "credit-check") or {}
    status = body.get("status") or {}
    return bool(status.get("availableReplicas") == body["spec"]["replicas"] == status.get("replicas"))


def _served(traffic: ReportTraffic, fault: str) -> None:
    """Clients get their reports again."""
    since = time.time()
    wait_until("some reports", lambda: len(traffic.answers(since)) >= 30, 30)
    answers = traffic.answers(since)
    failed = [answer for answer in answers if answer.failed]
    assert len(failed) <= len(answers) / 50, f"after {fault}: {len(failed)} of {len(answers)} failed"


@pytest.mark.timeout(1500)
def test_each_fault_is_seen_and_leaves_nothing(labs: Labs) -> None:
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(tried, *labs[0], ON_TRAFFIC)
        second = threads.submit(tried, *labs[1], ON_PODS)
        rows = [*first.result(), *second.result()]
    print(f"\n{HEADER}")
    for row in rows:
        print(row.line())
    for row in rows:
        assert row.effect != "not seen", row.fault
        assert row.residue == (), row.fault
        assert row.result in ("Passed", "Failed"), f"{row.fault}: {row.result} ({row.cause})"
        assert row.undo_seconds < 10, row.fault


@pytest.mark.timeout(600)
def test_without_an_operator_the_fault_goes_when_its_time_is_over(labs: Labs, kubectl: Kubectl) -> None:
    lab = labs[0][0]
    before = lab.picture()
    lab.write(LEFT_ALONE)
    name = lab.start(LEFT_ALONE.name)
    wait_until("the fault", lambda: lab.in_place(name), 30, every=0.2)
    kubectl.run("scale", "deployment", "feem", "--replicas=0", namespace=NAMESPACE)
    # the reaper's pod is killed too, and comes back: it knows of the fault by what stands in the cluster only
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
