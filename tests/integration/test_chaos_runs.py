"""Runs of experiments by a real operator process on a real API server; pods are simulated, Prometheus is a stand-in."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from functools import partial

import pytest

import e2e.cluster
from e2e.cluster.stack.rendering import gateway_crds
from tests.integration.conftest import OPERATOR, AsUser
from tests.integration.kubectl import Kubectl, Manifest
from tests.integration.lab import Lab, experiment, marked
from tests.integration.metrics_server import MetricsServer, Weather
from tests.integration.operator import NAME, Operator, Shop, deployment, managed, objective, route, service, until

pytestmark = pytest.mark.integration
KILL = {"podKill": {"how": "Kill"}}
SCALE = {"scaleDown": {"replicas": 2}}
PARTITION = {"networkPartition": {"direction": "Ingress"}}
ONE = {"pods": 1, "durationSeconds": 5}
LONG = {"pods": 1, "durationSeconds": 300}
MANY = 99
"""Pods of one fault: its undo has several parts in the audit log."""


@pytest.fixture(scope="module")
def metrics() -> Iterator[MetricsServer]:
    server = MetricsServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def operator(
    cluster: e2e.cluster.Cluster, as_user: AsUser, metrics: MetricsServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Operator]:
    crds = gateway_crds(cluster.cache, print)
    as_user("admin").done("apply", "--server-side", "--force-conflicts", f"--filename={crds}")
    log = tmp_path_factory.mktemp("operator") / "operator.log"
    lease = f"test-{uuid.uuid4().hex[:6]}"
    running = Operator(as_user(OPERATOR).kubeconfig, metrics.url, log, lease, FEEM_CHAOS_NAMESPACES="*")
    running.start()
    yield running
    running.stop()


@pytest.fixture
def shop(operator: Operator, metrics: MetricsServer, as_user: AsUser) -> Iterator[Shop]:
    metrics.begin_anew()
    metrics.silent, metrics.gauges = False, {}
    name = f"lab-{uuid.uuid4().hex[:8]}"
    admin = as_user("admin")
    admin.done("create", "namespace", name)
    yield Shop(Kubectl(admin.program, admin.kubeconfig, name))
    admin("delete", "chaoshalts", "--all")
    admin("delete", "chaosexperiments,chaosruns", "--all", f"--namespace={name}", "--wait=false")
    admin("delete", "managedservices", "--all", f"--namespace={name}", "--wait=false")
    admin("delete", "namespace", name, "--wait=false")


@pytest.fixture
def lab(shop: Shop) -> Lab:
    shop.apply(deployment(), service(), route(), objective(), managed())
    until("governed", lambda: shop.reason() == "Governed")
    until("whole", lambda: available(shop, 3))
    return Lab(shop)


def governs(shop: Shop, name: str) -> bool:
    return shop.reason(name=name) == "Governed"


def spec_of(shop: Shop, kind: str, name: str = NAME) -> Manifest:
    found: Manifest = (shop.get(kind, name) or {})["spec"]
    return found


def test_a_killed_pod_that_nobody_misses_passes(lab: Lab) -> None:
    lab.shop.apply(experiment("lose-a-pod", KILL, ONE))
    run = lab.run("lose-a-pod", reason="monthly drill")
    assert lab.ended(run) == ("Passed", "HypothesisHeld"), lab.message(run)
    body = lab.body(run)
    status = body["status"]
    assert body["spec"]["requestedBy"] == "admin"
    assert status["before"][0]["outcome"] == status["during"][0]["outcome"] == status["after"][0]["outcome"] == "Pass"
    assert status["effect"]["seenAt"]
    assert status["evidenceFiles"]
    assert lab.shop.reason("Recovered", "chaosrun", run) == "AsBefore"
    until("the experiment", lambda: lab.shop.reason("Resilient", "chaosexperiment", "lose-a-pod") == "Passed")


def test_a_scaled_deployment_gets_its_pods_back(lab: Lab) -> None:
    lab.shop.apply(experiment("fewer-pods", SCALE, ONE))
    run = lab.run("fewer-pods")
    lab.placed(run)
    assert spec_of(lab.shop, "deployment")["replicas"] == 2
    assert marked(lab.shop) == [f"Deployment {NAME}"]
    assert lab.ended(run) == ("Passed", "HypothesisHeld"), lab.message(run)
    assert spec_of(lab.shop, "deployment")["replicas"] == 3
    assert marked(lab.shop) == []


def test_a_breach_ends_the_fault_at_once_and_is_a_failure(lab: Lab, metrics: MetricsServer) -> None:
    lab.shop.apply(experiment("fewer-pods", SCALE, LONG))
    run = lab.run("fewer-pods")
    lab.placed(run)
    metrics.weather = Weather(service_bad=0.2)
    assert until("back", lambda: spec_of(lab.shop, "deployment")["replicas"] == 3, 20)
    metrics.weather = Weather()
    assert lab.ended(run) == ("Failed", "ObjectiveBreached")
    assert "objective answers" in lab.message(run)
    assert lab.body(run)["status"]["breachedAt"]
    until("the experiment", lambda: lab.shop.reason("Resilient", "chaosexperiment", "fewer-pods") == "Failed")


def test_a_fault_without_effect_is_an_error(lab: Lab, metrics: MetricsServer) -> None:
    metrics.gauges = {"cut_off": (0.0, 0.0)}
    lab.shop.apply(experiment("cut-off", PARTITION, ONE, effect={"query": "max(cut_off)", "above": "0"}))
    run = lab.run("cut-off")
    lab.placed(run)
    assert len(marked(lab.shop)) == 2
    assert lab.ended(run) == ("Error", "FaultHadNoEffect"), lab.message(run)
    assert marked(lab.shop) == []


def test_an_effect_that_is_seen_and_goes_passes(lab: Lab, metrics: MetricsServer) -> None:
    metrics.gauges = {"cut_off": (0.0, 0.0)}
    lab.shop.apply(experiment("cut-off", PARTITION, ONE, effect={"query": "max(cut_off)", "above": "0"}))
    run = lab.run("cut-off")
    lab.placed(run)
    metrics.gauges = {"cut_off": (1.0, 1.0)}
    until("undone", lambda: lab.state(run) == "Recovering")
    metrics.gauges = {"cut_off": (0.0, 0.0)}
    assert lab.ended(run) == ("Passed", "HypothesisHeld"), lab.message(run)
    effect = lab.body(run)["status"]["effect"]
    assert (effect["before"], effect["during"], effect["after"]) == ("0", "1", "0")


def test_the_switch_stops_three_runs_at_once_within_five_seconds(lab: Lab, shop: Shop) -> None:
    names = [NAME, "second", "third"]
    for name in names[1:]:
        shop.apply(deployment(name), service(name), route(name, name))
        shop.apply(managed(name, workload={"name": name}, traffic={"service": name, "httpRoute": name}))
    for name in names:
        until(f"{name} governed", partial(governs, shop, name))
        shop.apply(experiment(f"fewer-{name}", SCALE, LONG, service=name))
    runs = [lab.run(f"fewer-{name}") for name in names]
    for run in runs:
        lab.placed(run)
    assert len(marked(shop)) == 3
    assert halted(shop, "three faults") <= 5
    assert [spec_of(shop, "deployment", name)["replicas"] for name in names] == [3, 3, 3]
    assert [lab.ended(run) for run in runs] == [("Aborted", "Halted")] * 3
    refused = lab.run(f"fewer-{NAME}")
    assert lab.ended(refused) == ("Skipped", "Halted")


def test_the_switch_takes_a_fault_off_a_hundred_pods(shop: Shop) -> None:
    shop.apply(deployment(replicas=MANY + 1), service(), route(), objective(), managed())
    until("governed", lambda: shop.reason() == "Governed")
    until("whole", lambda: available(shop, MANY + 1), 60)
    radius = {"pods": MANY, "durationSeconds": 300}
    shop.apply(experiment("broken-image", {"podFailure": {"container": "app"}}, radius))
    lab = Lab(shop)
    run = lab.run("broken-image")
    lab.placed(run, 60)
    assert len(marked(shop)) == MANY
    halted(shop, f"the faults of {MANY} pods")
    assert {pod["spec"]["containers"][0]["image"] for pod in shop.kubectl.read("pods")["items"]} == {"scoring:1"}
    assert lab.ended(run) == ("Aborted", "Halted")


def available(shop: Shop, replicas: int) -> bool:
    return ((shop.get("deployment") or {}).get("status") or {}).get("availableReplicas") == replicas


def halted(shop: Shop, what: str) -> float:
    """Throw the switch; returns the seconds until nothing is marked."""
    halt = {
        "apiVersion": "feem.dev/v1alpha1",
        "kind": "ChaosHalt",
        "metadata": {"name": f"halt-{uuid.uuid4().hex[:6]}"},
        "spec": {"reason": "an incident elsewhere"},
    }
    began = time.monotonic()
    shop.kubectl.done("create", manifest=halt)
    until("nothing marked", lambda: not marked(shop), 60)
    seconds = time.monotonic() - began
    print(f"{what} were gone {seconds:.2f} s after the ChaosHalt")
    return seconds


def test_a_person_stops_a_run(lab: Lab) -> None:
    lab.shop.apply(experiment("fewer-pods", SCALE, LONG))
    run = lab.run("fewer-pods")
    lab.placed(run)
    patch = '{"spec":{"stop":{"reason":"seen enough"}}}'
    lab.shop.kubectl.done("patch", "chaosrun", run, "--type=merge", f"--patch={patch}")
    until("back", lambda: spec_of(lab.shop, "deployment")["replicas"] == 3, 10)
    assert lab.ended(run) == ("Aborted", "Stopped")
    assert "admin stopped it: seen enough" in lab.message(run)


def test_what_people_edit_meanwhile_stays_theirs(lab: Lab) -> None:
    lab.shop.apply(experiment("fewer-pods", SCALE, ONE))
    run = lab.run("fewer-pods")
    lab.placed(run)
    lab.shop.kubectl.done("scale", "deployment", NAME, "--replicas=4")
    lab.ended(run)
    assert spec_of(lab.shop, "deployment")["replicas"] == 4
    assert marked(lab.shop) == []
    assert "/spec/replicas" in lab.body(run)["status"]["kept"][0]


def test_a_running_release_and_a_freeze_refuse_it(lab: Lab, as_user: AsUser) -> None:
    lab.shop.apply(experiment("lose-a-pod", KILL, ONE))
    lab.shop.start("2")
    until("the canary", lambda: lab.shop.get("deployment", f"{NAME}-canary"))
    assert lab.ended(lab.run("lose-a-pod")) == ("Skipped", "ReleaseInProgress")
    until("the end", lambda: lab.shop.ending(lab.shop.releases()[0]["metadata"]["name"]), 60)
    freeze = {
        "apiVersion": "feem.dev/v1alpha1",
        "kind": "ChangeWindow",
        "metadata": {"name": f"freeze-{uuid.uuid4().hex[:6]}"},
        "spec": {
            "type": "Freeze",
            "reason": "year-end close",
            "timeZone": "UTC",
            "recurrence": {"cron": "* * * * *", "durationSeconds": 120},
            "scope": {"namespaces": [lab.shop.kubectl.namespace]},
        },
    }
    admin = as_user("admin")
    admin.done("create", manifest=freeze)
    try:
        run = lab.run("lose-a-pod")
        assert lab.ended(run) == ("Skipped", "ChangeFreeze")
        assert "year-end close" in lab.message(run)
    finally:
        admin("delete", "changewindow", str(freeze["metadata"]["name"]))  # type: ignore[index]


def test_a_freeze_that_begins_ends_a_run(lab: Lab, as_user: AsUser) -> None:
    lab.shop.apply(experiment("fewer-pods", SCALE, LONG))
    run = lab.run("fewer-pods")
    lab.placed(run)
    name = f"freeze-{uuid.uuid4().hex[:6]}"
    spec = {
        "type": "Freeze",
        "reason": "a fraud case",
        "timeZone": "UTC",
        "recurrence": {"cron": "* * * * *", "durationSeconds": 120},
        "scope": {"namespaces": [lab.shop.kubectl.namespace]},
    }
    admin = as_user("admin")
    admin.done(
        "create",
        manifest={"apiVersion": "feem.dev/v1alpha1", "kind": "ChangeWindow", "metadata": {"name": name}, "spec": spec},
    )
    try:
        until("back", lambda: spec_of(lab.shop, "deployment")["replicas"] == 3, 10)
        assert lab.ended(run) == ("Aborted", "ChangeFreeze")
    finally:
        admin("delete", "changewindow", name)


def test_a_service_that_does_badly_or_unseen_is_left_alone(lab: Lab, metrics: MetricsServer) -> None:
    lab.shop.apply(experiment("lose-a-pod", KILL, ONE))
    metrics.silent = True
    assert lab.ended(lab.run("lose-a-pod")) == ("Skipped", "MetricsStale")
    metrics.silent = False
    metrics.weather = Weather(service_bad=0.2)
    time.sleep(5)
    assert lab.ended(lab.run("lose-a-pod")) == ("Skipped", "NotSteady")


def test_metrics_that_are_lost_end_the_fault(lab: Lab, metrics: MetricsServer) -> None:
    lab.shop.apply(experiment("fewer-pods", SCALE, LONG))
    run = lab.run("fewer-pods")
    lab.placed(run)
    metrics.silent = True
    until("back", lambda: spec_of(lab.shop, "deployment")["replicas"] == 3, 90)
    metrics.silent = False
    assert lab.ended(run) == ("Aborted", "MetricsLost")


def test_a_deleted_run_or_namespace_leaves_nothing(lab: Lab) -> None:
    lab.shop.apply(experiment("fewer-pods", SCALE, LONG))
    run = lab.run("fewer-pods")
    lab.placed(run)
    lab.shop.kubectl.done("delete", "chaosrun", run, "--timeout=20s")
    assert spec_of(lab.shop, "deployment")["replicas"] == 3
    assert marked(lab.shop) == []
    again = lab.run("fewer-pods")
    lab.placed(again)
    lab.shop.kubectl.done("delete", "namespace", lab.shop.kubectl.namespace, "--timeout=60s")


def test_a_replaced_deployment_is_not_touched(lab: Lab) -> None:
    lab.shop.apply(experiment("fewer-pods", SCALE, LONG))
    run = lab.run("fewer-pods")
    lab.placed(run)
    lab.shop.kubectl.done("delete", "deployment", NAME, "--wait=true")
    lab.shop.apply(deployment(replicas=2))
    assert lab.ended(run)[0] == "Aborted"
    assert spec_of(lab.shop, "deployment")["replicas"] == 2


def test_the_schedule_makes_runs_and_history_forgets_them(lab: Lab) -> None:
    schedule = {"cron": "* * * * *", "timeZone": "Europe/Berlin"}
    lab.shop.apply(experiment("lose-a-pod", KILL, ONE, schedule=schedule, history={"passed": 1, "others": 1}))
    until(
        "the next one",
        lambda: ((lab.shop.get("chaosexperiment", "lose-a-pod") or {}).get("status") or {}).get("nextRunAt"),
    )

    def run() -> str | None:
        items = lab.shop.kubectl.read("chaosruns")["items"]
        return str(items[0]["metadata"]["name"]) if items else None

    name = until("a run", run, 90)
    assert lab.ended(name) == ("Passed", "HypothesisHeld"), lab.message(name)
    assert lab.body(name)["spec"]["scheduledFor"]


def test_an_api_server_that_restarts_meanwhile_changes_nothing(lab: Lab, cluster: e2e.cluster.Cluster) -> None:
    if cluster.backend != "local":
        pytest.skip("only the local backend restarts its API server")
    lab.shop.apply(experiment("fewer-pods", SCALE, {"pods": 1, "durationSeconds": 20}))
    run = lab.run("fewer-pods")
    lab.placed(run)
    e2e.cluster.component_restart(cluster, "kube-apiserver")
    assert lab.ended(run, 150) == ("Passed", "HypothesisHeld"), lab.message(run)
    assert spec_of(lab.shop, "deployment")["replicas"] == 3
    assert marked(lab.shop) == []
