"""FEEM's accounts with the chart's own rights, Envoy Gateway's definitions, and a namespace for each module and fault."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

import e2e.cluster
from e2e.cluster.stack.rendering import gateway_crds
from feem.adapters.kubernetes.client import Client
from tests.integration.adapter import PATIENT
from tests.integration.chaos.cases import BY_NAME, Case
from tests.integration.chaos.counting import CountingClient
from tests.integration.chaos.rights import kubeconfig_with_role
from tests.integration.chaos.stage import Place, Stage
from tests.integration.chaos.table import Table
from tests.integration.conftest import OPERATOR, REAPER, AsUser
from tests.integration.kubectl import Kubectl

TRAFFIC_CRD = "crd/backendtrafficpolicies.gateway.envoyproxy.io"


@pytest.fixture(scope="package")
def admin(cluster: e2e.cluster.Cluster, as_user: AsUser) -> Kubectl:
    """A cluster-admin, who has made Gateway API and Envoy Gateway's policies known."""
    kubectl = as_user("admin")
    define_gateway(cluster, kubectl)
    return kubectl


def define_gateway(cluster: e2e.cluster.Cluster, admin: Kubectl) -> None:
    """Make HTTPRoutes and BackendTrafficPolicies known, as a cluster with Envoy Gateway does."""
    admin.done("apply", "--server-side", "--force-conflicts", f"--filename={gateway_crds(cluster.cache, print)}")
    admin.done("wait", "--for=condition=Established", "--timeout=60s", TRAFFIC_CRD)


@dataclass(frozen=True)
class Accounts:
    """Kubeconfigs: of the operator and the reaper with the chart's rights, of people with all rights."""

    operator: Path
    reaper: Path
    owner: Path
    admin: Path


@pytest.fixture(scope="package")
def accounts(cluster: e2e.cluster.Cluster, as_user: AsUser, admin: Kubectl) -> Accounts:
    return Accounts(
        kubeconfig_with_role(cluster, admin, OPERATOR, "feem-operator"),
        kubeconfig_with_role(cluster, admin, REAPER, "feem-reaper"),
        as_user("team@bank.example").kubeconfig,
        # somebody whom no policy of FEEM's stops: who edits pods by hand there could be a controller of the cluster
        as_user("system:serviceaccount:kube-system:anybody").kubeconfig,
    )


@pytest.fixture(scope="module")
def case(request: pytest.FixtureRequest) -> Case:
    """The fault; tests of one fault run one after the other, in one namespace."""
    return BY_NAME[request.param]


@pytest.fixture(scope="module")
def place(case: Case, admin: Kubectl) -> Iterator[Place]:
    found = Place()
    yield found
    if found.namespaces:
        admin("delete", "namespace", *found.namespaces, "--wait=false")


@pytest.fixture
async def stage(place: Place, case: Case, accounts: Accounts) -> AsyncIterator[Stage]:
    """The service, whole and untouched."""
    async with AsyncExitStack() as stack:
        feem = await stack.enter_async_context(await CountingClient.connect(str(accounts.operator), limits=PATIENT))
        owner = await stack.enter_async_context(await Client.connect(str(accounts.owner), limits=PATIENT))
        anybody = await stack.enter_async_context(await Client.connect(str(accounts.admin), limits=PATIENT))
        yield await Stage(place, case, feem, owner, anybody).ready()


@pytest.fixture(scope="module")
def table(request: pytest.FixtureRequest) -> Iterator[Table]:
    """All rows, shown when the module is over, whatever is captured."""
    made = Table()
    yield made
    capture = request.config.pluginmanager.getplugin("capturemanager")
    if made.text():
        with capture.global_and_fixture_disabled():
            print(f"\n\n{made.text()}")
