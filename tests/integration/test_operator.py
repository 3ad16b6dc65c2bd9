"""The operator on a real API server: pods are simulated, Prometheus is a stand-in, everything else is what it is."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import e2e.cluster
from e2e.cluster.stack.rendering import gateway_crds
from tests.integration.conftest import OPERATOR, AsUser
from tests.integration.kubectl import Kubectl
from tests.integration.metrics_server import SCRAPE, MetricsServer
from tests.integration.operator import NAME, Operator, Shop, deployment, managed, objective, route, service, until

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def metrics() -> Iterator[MetricsServer]:
    server = MetricsServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def operator(
    cluster: e2e.cluster.Cluster, as_user: AsUser, metrics: MetricsServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Operator]:
    as_user("admin").done(
        "apply", "--server-side", "--force-conflicts", f"--filename={gateway_crds(cluster.cache, print)}"
    )
    kubeconfig = as_user(OPERATOR).kubeconfig
    log = tmp_path_factory.mktemp("operator") / "operator.log"
    running = Operator(kubeconfig, metrics.url, log, f"test-{uuid.uuid4().hex[:6]}")
    running.start()
    yield running
    running.stop()


@pytest.fixture
def shop(operator: Operator, metrics: MetricsServer, as_user: AsUser) -> Iterator[Shop]:
    metrics.bad_share, metrics.silent = 0.0, False
    name = f"shop-{uuid.uuid4().hex[:8]}"
    admin = as_user("admin")
    admin.done("create", "namespace", name)
    yield Shop(Kubectl(admin.program, admin.kubeconfig, name))
    admin("delete", "managedservices", "--all", f"--namespace={name}", "--wait=false")
    admin("delete", "namespace", name, "--wait=false")


@pytest.fixture
def governed(shop: Shop) -> Shop:
    shop.apply(deployment(), service(), route(), objective(), managed())
    until("governed", lambda: shop.reason() == "Governed")
    return shop


def spec_of(shop: Shop, kind: str) -> Any:
    return (shop.get(kind) or {})["spec"]


def test_a_good_release_is_promoted(governed: Shop) -> None:
    before = {kind: spec_of(governed, kind) for kind in ("service", "httproute")}
    name = governed.start("2")
    assert until("the end", lambda: governed.ending(name), 60) == "Promoted"
    after = spec_of(governed, "deployment")
    assert "paused" not in after
    assert after["template"]["spec"]["containers"][0]["image"] == "scoring:2"
    assert {kind: spec_of(governed, kind) for kind in before} == before
    assert governed.get("deployment", f"{NAME}-canary") is None
    assert governed.get("service", f"{NAME}-canary") is None


def test_a_bad_release_goes_back(governed: Shop, metrics: MetricsServer) -> None:
    metrics.bad_share = 0.05
    time.sleep(SCRAPE)  # else the sample that the canary's events are counted from is older than their badness
    name = governed.start("3")
    assert until("the end", lambda: governed.ending(name), 60) == "RolledBack"
    assert "canary 5.0% bad" in governed.condition("release.feem.dev", "Succeeded", name)["message"]
    assert spec_of(governed, "deployment")["paused"] is True
    assert governed.reason("Held", "release.feem.dev", name) == "Held"
    time.sleep(2)
    assert len(governed.releases()) == 1, "a change that was rolled back is not tried again by itself"


def test_a_rolled_back_change_is_tried_again_on_request(governed: Shop, metrics: MetricsServer) -> None:
    metrics.bad_share = 0.05
    first = governed.start("3")
    assert until("the end", lambda: governed.ending(first), 60) == "RolledBack"
    metrics.bad_share = 0.0
    spec = {"release": first, "verb": "Retry", "reason": "the dependency is back", "by": "admin"}
    manifest = {"apiVersion": "feem.dev/v1alpha1", "kind": "Decision", "metadata": {"name": "again"}, "spec": spec}
    governed.kubectl.done("create", manifest=manifest)
    second = f"{first}-r2"
    assert until("the second try", lambda: governed.ending(second), 60) == "Promoted"
    assert governed.reason("Held", "release.feem.dev", first) == "Retried"


def test_without_metrics_it_holds_then_goes_on(governed: Shop, metrics: MetricsServer) -> None:
    metrics.silent = True
    name = governed.start("2")
    until("the hold", lambda: governed.reason("Progressing", "release.feem.dev", name) == "Inconclusive", 40)
    time.sleep(3)
    assert (governed.get("release.feem.dev", name) or {})["status"]["step"] == 1
    metrics.silent = False
    assert until("the end", lambda: governed.ending(name), 60) == "Promoted"


def test_a_newer_change_supersedes_and_the_stable_one_cancels(governed: Shop) -> None:
    first = governed.start("2")
    second = governed.start("3")
    assert until("the end of the first", lambda: governed.ending(first)) == "Superseded"
    governed.set_image("1")
    assert until("the end of the second", lambda: governed.ending(second)) == "Cancelled"
    until("the resumed Deployment", lambda: "paused" not in spec_of(governed, "deployment"))
    assert governed.reason("Held", "release.feem.dev", second) == "Reverted"


def test_a_deleted_service_gives_everything_back(governed: Shop) -> None:
    governed.kubectl.done("delete", "managedservice", NAME, "--timeout=30s")
    body = governed.get("deployment") or {}
    assert "paused" not in body["spec"]
    assert not [key for key in body["metadata"]["labels"] if key.startswith("feem.dev/")]


def test_a_settled_service_is_left_alone(cluster: e2e.cluster.Cluster, governed: Shop, operator: Operator) -> None:
    name = governed.start("2")
    assert until("the end", lambda: governed.ending(name), 60) == "Promoted"
    time.sleep(2)
    operator.kill()
    operator.start()
    until("the new leader", lambda: operator.log.count("leading") >= 2, 30)
    time.sleep(2)
    mark = f"touched-{uuid.uuid4().hex[:6]}"
    for kind in ("deployment", "service", "httproute", "managedservice"):
        governed.kubectl.done("label", kind, NAME, f"{mark}=now")
    time.sleep(4)
    assert cluster.audit_log is not None
    lines = [
        json.loads(line) for line in cluster.audit_log.read_text().splitlines() if governed.kubectl.namespace in line
    ]
    first = next(index for index, line in enumerate(lines) if mark in json.dumps(line) or line["verb"] == "patch")
    touched = [index for index, line in enumerate(lines) if line["user"]["username"] == "admin"]
    assert first >= 0
    after = [line for line in lines[touched[-4] :] if line["user"]["username"] == OPERATOR]
    writes = [line for line in after if line["objectRef"]["resource"] != "events"]
    assert writes == []


WRONG: dict[str, tuple[Callable[[Shop], None], str, str]] = {
    "deployment missing": (lambda s: s.apply(service(), route(), objective(), managed()), "DeploymentNotFound", NAME),
    "deployment with strategy Recreate": (
        lambda s: s.apply(deployment(strategy={"type": "Recreate"}), service(), route(), objective(), managed()),
        "StrategyRecreate",
        "RollingUpdate",
    ),
    "deployment paused by its owner": (
        lambda s: s.apply(deployment(paused=True), service(), route(), objective(), managed()),
        "DeploymentNotSettled",
        "kubectl rollout resume",
    ),
    "service missing": (lambda s: s.apply(deployment(), route(), objective(), managed()), "ServiceNotFound", NAME),
    "service without ports": (
        lambda s: s.apply(deployment(), service(clusterIP="None", ports=[]), route(), objective(), managed()),
        "ServiceWithoutPorts",
        "no ports",
    ),
    "service selects other pods": (
        lambda s: s.apply(deployment(), service(selector={"app": "other"}), route(), objective(), managed()),
        "ServiceDoesNotSelectPods",
        "other",
    ),
    "route missing": (lambda s: s.apply(deployment(), service(), objective(), managed()), "HTTPRouteNotFound", NAME),
    "route to another service": (
        lambda s: s.apply(deployment(), service(), route(backend="other"), objective(), managed()),
        "RouteDoesNotUseService",
        NAME,
    ),
    "plan missing": (
        lambda s: s.apply(deployment(), service(), route(), objective(), managed(plan=None, planRef="careful")),
        "PlanNotFound",
        "careful",
    ),
    "objective missing": (
        lambda s: s.apply(deployment(), service(), route(), managed()),
        "ObjectiveNotFound",
        "answers",
    ),
    "objective that is no PromQL": (
        lambda s: s.apply(deployment(), service(), route(), objective(bad="sum(rate(events_total[5m])"), managed()),
        "ObjectiveNotAccepted",
        "spec.indicator.ratio.bad",
    ),
    "objective over two counters": (
        lambda s: s.apply(deployment(), service(), route(), objective(bad="a_total / b_total"), managed()),
        "ObjectiveNotAccepted",
        "a_total",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_references_are_said(shop: Shop, case: str) -> None:
    make, reason, quoted = WRONG[case]
    make(shop)
    until(reason, lambda: shop.reason() == reason, 15)
    assert quoted in shop.condition("managedservice", "Ready")["message"]
    body = shop.get("deployment")
    assert body is None or "feem.dev/governed" not in body["metadata"]["labels"]


def test_two_services_on_one_deployment(governed: Shop) -> None:
    governed.apply(managed("second"))
    until("the refusal", lambda: governed.reason(name="second") == "GovernedTwice")
    assert NAME in governed.condition("managedservice", "Ready", "second")["message"]
    assert governed.reason() == "Governed"


def test_it_finds_its_way_once_all_is_there(shop: Shop) -> None:
    shop.apply(managed())
    until("the first problem", lambda: shop.reason() == "DeploymentNotFound")
    shop.apply(deployment(), service(), route(), objective())
    until("governed", lambda: shop.reason() == "Governed")


def test_killed_while_it_releases(governed: Shop, operator: Operator) -> None:
    name, seen = governed.start("2"), set[str]()
    deadline = time.monotonic() + 150
    while governed.ending(name) is None:
        assert time.monotonic() < deadline, f"no end; killed in {sorted(seen)}"
        status = (governed.get("release.feem.dev", name) or {}).get("status") or {}
        moment = f"{governed.reason('Progressing', 'release.feem.dev', name)} {status.get('progress', '')}"
        if moment.strip() and moment not in seen:
            seen.add(moment)
            operator.kill()
            operator.start()
        time.sleep(0.05)
    assert governed.ending(name) == "Promoted"
    assert len(seen) >= 4


@pytest.fixture(scope="module", autouse=True)
def show_log_of_failures(request: pytest.FixtureRequest, operator: Operator) -> Iterator[None]:
    failed = request.session.testsfailed
    yield
    if request.session.testsfailed > failed:
        print(Path(operator._log).read_text()[-6000:])
