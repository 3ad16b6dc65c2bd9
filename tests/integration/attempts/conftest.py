"""One cluster, one operator with the chart's own rights, and as many services as there are attempts."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import e2e.cluster
from e2e.cluster.stack.rendering import gateway_crds
from tests.chart import helm
from tests.integration.attempts.bank import QUICK, Bank, belongings
from tests.integration.attempts.profiles import PIPELINE, strict
from tests.integration.attempts.records import ServerLog
from tests.integration.attempts.staff import Staff
from tests.integration.attempts.table import Table
from tests.integration.attempts.verdict import Verdict
from tests.integration.conftest import AsUser
from tests.integration.kubectl import Kubectl, Manifest
from tests.integration.metrics_server import MetricsServer
from tests.integration.operator import until
from tests.integration.people import People, install_roles

OpenBank = Callable[..., Bank]
Judge = Callable[..., Verdict]
OPERATORS_OWN = ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")


@pytest.fixture(scope="package")
def admin(cluster: e2e.cluster.Cluster, as_user: AsUser) -> Kubectl:
    """A cluster-admin, who has put FEEM's roles in force as the chart gives them."""
    admin = as_user("platform-admin")
    admin.done("apply", "--server-side", "--force-conflicts", f"--filename={gateway_crds(cluster.cache, print)}")
    install_roles(admin)
    admin("create", "namespace", "feem-system")
    rights = [body for kind in OPERATORS_OWN for body in helm.of_kind(helm.render(), kind)]
    admin.within("feem-system").done("apply", manifest={"apiVersion": "v1", "kind": "List", "items": rights})
    admin.done("delete", "changewindows", "--all")
    return admin


@pytest.fixture(scope="module")
def staff(cluster: e2e.cluster.Cluster, admin: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staff]:
    """The operator's process, and how to start it with another clock; it ends with the module, for other tests have their own."""
    metrics = MetricsServer()
    running = Staff(cluster, metrics.url, tmp_path_factory.mktemp("operator") / "operator.log")
    running.start()
    yield running
    running.stop()
    metrics.close()


@pytest.fixture(scope="package")
def table() -> Iterator[Table]:
    """All rows; printed, and written if asked for, when the last attempt is over."""
    made = Table()
    yield made
    made.print()


@pytest.fixture
def profile(admin: Kubectl, staff: Staff) -> Iterator[Callable[..., str]]:
    """Make a profile for one test; returns its name once the operator has accepted it."""
    made: list[str] = []

    def make(*gates: Manifest, **spec: Any) -> str:
        name = f"strict-{uuid.uuid4().hex[:6]}"
        admin.done("apply", manifest=strict(name, *gates, **spec))
        made.append(name)
        accepted(admin, name)
        return name

    yield make
    for name in made:
        admin("delete", "complianceprofile", name, "--wait=false")


def accepted(admin: Kubectl, name: str) -> None:
    """Wait until the operator has accepted a profile."""
    wait = ("wait", "--for=condition=Accepted", "--timeout=20s", "complianceprofile", name)
    until(f"profile {name} accepted", lambda: admin(*wait).code == 0)


@pytest.fixture(scope="module")
def everyday(admin: Kubectl, staff: Staff) -> Iterator[str]:
    """The profile of those attempts that need none of their own."""
    name = f"strict-{uuid.uuid4().hex[:6]}"
    admin.done("apply", manifest=strict(name, pipelines=[PIPELINE]))
    accepted(admin, name)
    yield name
    admin("delete", "complianceprofile", name, "--wait=false")


@pytest.fixture
def open_bank(cluster: e2e.cluster.Cluster, admin: Kubectl, staff: Staff, everyday: str) -> Iterator[OpenBank]:
    """Open a namespace with a governed service."""
    made: list[str] = []
    staff.alive()

    def make(profile: str = everyday, steps: Any = QUICK, **annotations: str) -> Bank:
        namespace = f"lending-{uuid.uuid4().hex[:8]}"
        made.append(namespace)
        notes = {"feem.dev/ticket": "PAY-1"} | {f"feem.dev/{key}": value for key, value in annotations.items()}
        here = admin.within(namespace)
        here.done("apply", manifest=belongings(namespace, profile, steps, notes))
        bank = Bank(People(cluster, here, namespace))
        until("governed", lambda: bank.shop.reason() == "Governed")
        until("its first pods", lambda: bank.production().reached == {"scoring:1"})
        return bank

    yield make
    for namespace in made:
        admin("delete", "namespace", namespace, "--wait=false")


@pytest.fixture
def judge(cluster: e2e.cluster.Cluster, table: Table) -> Judge:
    """Begin an attempt: what users are served now is what they have to be served afterwards."""

    def begin(bank: Bank, attempted: str = "scoring:2") -> Verdict:
        return Verdict(bank, table, ServerLog.from_now(cluster.audit_log), bank.production(), attempted)

    return begin


@pytest.fixture(scope="module", autouse=True)
def show_log_of_failures(request: pytest.FixtureRequest, staff: Staff) -> Iterator[None]:
    failed = request.session.testsfailed
    yield
    if request.session.testsfailed > failed:
        print(Path(staff.log).read_text()[-6000:])
