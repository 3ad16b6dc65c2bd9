"""The operator process is killed after every single write of a run, and never comes back: the reaper alone leaves nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import e2e.cluster
from e2e.cluster.stack.rendering import gateway_crds
from tests.integration.conftest import OPERATOR, ROOT, AsUser
from tests.integration.kubectl import Kubectl, Manifest
from tests.integration.lab import Lab, experiment, marked
from tests.integration.metrics_server import MetricsServer
from tests.integration.operator import NAME, Operator, Shop, deployment, managed, objective, route, service, until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1200)]
REAPER = "system:serviceaccount:feem-system:feem-reaper"
MOST_WRITES = 40
EFFECT = {"query": "max(cut_off)", "above": "0"}


@dataclass(frozen=True)
class Morgue:
    """Where operators die: a governed service, a metrics server, and the reaper beside it."""

    lab: Lab
    metrics: MetricsServer
    kubeconfig: Path
    folder: Path

    def die(self, write: int) -> str:
        """Start an operator that dies after this write of a run; returns after what, empty when the run was over before."""
        log = self.folder / f"{write}.log"
        environment = {
            **os.environ,
            "FEEM_KUBECONFIG": str(self.kubeconfig),
            "FEEM_PROMETHEUS_URL": self.metrics.url,
            "FEEM_NAMESPACE": "default",
            "FEEM_LEASE_NAME": f"test-{uuid.uuid4().hex[:6]}",
            "FEEM_HTTP_PORT": "0",
            "FEEM_INTERVAL_SECONDS": "1",
            "FEEM_LEASE_SECONDS": "3",
            "FEEM_CHAOS_NAMESPACES": "*",
            "FEEM_TEST_DIE_AFTER": str(write),
        }
        run = self.lab.run("cut-off")
        with log.open("ab") as out:
            words = [sys.executable, "-m", "tests.integration.mortal"]
            process = subprocess.Popen(words, env=environment, stdout=out, stderr=out, cwd=ROOT)
            until("death, or the end of the run", lambda: process.poll() is not None or self.lab.ending(run), 90)
            process.kill()
            process.wait()
        said = [line for line in log.read_text().splitlines() if line.startswith("DIED AFTER ")]
        return said[0].removeprefix("DIED AFTER ") if said else ""

    def forget(self, operator: Kubectl) -> None:
        """Take the run away that nobody will finish."""
        for item in self.lab.shop.kubectl.read("chaosruns")["items"]:
            name, patch = item["metadata"]["name"], '--patch={"metadata":{"finalizers":null}}'
            operator.within(self.lab.shop.kubectl.namespace)("patch", "chaosrun", name, "--type=merge", patch)
            self.lab.shop.kubectl("delete", "chaosrun", name, "--ignore-not-found", "--wait=false")


@pytest.fixture(scope="module")
def morgue(cluster: e2e.cluster.Cluster, as_user: AsUser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Morgue]:
    admin, folder, metrics = as_user("admin"), tmp_path_factory.mktemp("morgue"), MetricsServer()
    admin.done("apply", "--server-side", "--force-conflicts", f"--filename={gateway_crds(cluster.cache, print)}")
    name = f"morgue-{uuid.uuid4().hex[:8]}"
    admin.done("create", "namespace", name)
    shop = Shop(Kubectl(admin.program, admin.kubeconfig, name))
    kubeconfig = as_user(OPERATOR).kubeconfig
    first = Operator(kubeconfig, metrics.url, folder / "first.log", f"test-{uuid.uuid4().hex[:6]}")
    first.start()
    shop.apply(deployment(), service(), route(), objective(), managed())
    until("governed", lambda: shop.reason() == "Governed")
    until("whole", lambda: ((shop.get("deployment") or {}).get("status") or {}).get("availableReplicas") == 3)
    shop.apply(experiment("cut-off", {"networkPartition": {}}, {"pods": 1, "durationSeconds": 5}, effect=EFFECT))
    until("accepted", lambda: shop.reason("Accepted", "chaosexperiment", "cut-off") == "Accepted")
    first.kill()
    environment = {
        **os.environ,
        "FEEM_KUBECONFIG": str(as_user(REAPER).kubeconfig),
        "FEEM_HTTP_PORT": "0",
        "FEEM_REAPER_INTERVAL_SECONDS": "0.5",
    }
    with (folder / "reaper.log").open("ab") as out:
        reaper = subprocess.Popen([sys.executable, "-m", "feem", "reaper"], env=environment, stdout=out, stderr=out)
    yield Morgue(Lab(shop), metrics, kubeconfig, folder)
    reaper.terminate()
    reaper.wait(20)
    metrics.close()
    last = Operator(kubeconfig, metrics.url, folder / "last.log", f"test-{uuid.uuid4().hex[:6]}")
    last.start()  # somebody has to give the Deployment back
    admin("delete", "chaosexperiments,managedservices", "--all", f"--namespace={name}", "--timeout=60s")
    admin("delete", "namespace", name, "--timeout=60s")
    last.stop()


def picture(shop: Shop) -> dict[str, Manifest]:
    """Everything that the fault may touch, without what is of the moment."""
    found = {}
    for kind in ("pods", "deployments", "networkpolicies", "httproutes"):
        for item in shop.kubectl.read(kind)["items"]:
            metadata = item["metadata"]
            kept = {key: metadata.get(key) or {} for key in ("labels", "annotations")}
            found[f"{kind}/{metadata['name']}"] = {**kept, "spec": item["spec"]}
    return found


def test_whenever_the_operator_dies_for_good_the_reaper_leaves_nothing(morgue: Morgue, as_user: AsUser) -> None:
    shop, operator = morgue.lab.shop, as_user(OPERATOR)
    before, rows = picture(shop), list[tuple[int, str, int, str]]()
    for write in range(1, MOST_WRITES + 1):
        morgue.metrics.gauges = {"cut_off": (0.0, 0.0)}
        after = morgue.die(write)
        if not after:
            break
        left, began = marked(shop), time.monotonic()
        until(f"nothing left after {after}", lambda: not marked(shop), 30)
        seconds = f"{time.monotonic() - began:.1f} s" if left else "-"
        rows.append((write, after, len(left), seconds))
        assert picture(shop) == before, after
        morgue.forget(operator)
        until("the run to go", lambda: not shop.kubectl.read("chaosruns")["items"])
    print(f"\n{'killed after write':<70} {'objects with the fault':>22} {'gone after':>10}")
    for write, after, count, seconds in rows:
        print(f"{write:>2} {after:<67} {count:>22} {seconds:>10}")
    print(f"{len(rows)} of {len(rows)} points: no residue")
    assert len(rows) >= 15
    assert sum(count > 0 for _, _, count, _ in rows) >= 4
    assert shop.get("deployment", NAME)
