"""A cluster with another gateway than Envoy Gateway: no BackendTrafficPolicies are known there."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import e2e.cluster
from feem.api.fault import AbortBy, BlastRadius, Fault, HttpAbort, HttpLatency
from feem.core.chaos.planning import plan_fault
from feem.core.chaos.scene import Unfit
from tests.integration.chaos.cases import BY_NAME, SOME
from tests.integration.chaos.conftest import TRAFFIC_CRD, Accounts, define_gateway
from tests.integration.chaos.reaping import Reaper, soon
from tests.integration.chaos.stage import Stage
from tests.integration.kubectl import Kubectl

pytestmark = pytest.mark.integration

PORTABLE = "httpAbort by InvalidBackend"


@pytest.fixture(scope="module", autouse=True)
def without_envoy(cluster: e2e.cluster.Cluster, admin: Kubectl) -> Iterator[None]:
    admin.done("delete", TRAFFIC_CRD, "--timeout=60s")
    yield
    define_gateway(cluster, admin)


@pytest.mark.parametrize("case", [PORTABLE], indirect=True, scope="module")
async def test_an_abort_goes_the_portable_way_and_leaves_nothing(stage: Stage) -> None:
    assert (await stage.scene()).traffic_policies is None
    auto = replace(stage.case, fault=Fault(http_abort=HttpAbort(status=500, by=AbortBy.AUTO)))
    played = replace(stage, case=auto)
    attempt = await played.plan("portable", str(uuid.uuid4()), soon(600))
    assert [edit.target.resource for edit in attempt.edits] == ["httproutes.gateway.networking.k8s.io"]
    await played.inject(attempt)
    await played.undo(attempt)
    assert (await played.left(attempt)).residue == ()
    await played.is_as_before()


@pytest.mark.parametrize("case", [PORTABLE], indirect=True, scope="module")
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(http_latency=HttpLatency(milliseconds=300)), "nothing else delays requests"),
        (Fault(http_abort=HttpAbort(status=503)), "give status 500"),
    ],
    ids=["latency", "another status"],
)
async def test_what_needs_envoy_gateway_is_refused_with_a_next_step(stage: Stage, fault: Fault, said: str) -> None:
    radius: BlastRadius = SOME
    scene = await replace(stage, case=replace(BY_NAME[PORTABLE], fault=fault)).scene()
    planned = plan_fault(fault, radius, scene, str(uuid.uuid4()))
    assert isinstance(planned, Unfit)
    assert planned.reason == "GatewayCannot"
    assert said in planned.message


@pytest.mark.parametrize("case", [PORTABLE], indirect=True, scope="module")
async def test_the_reaper_works_there_too(stage: Stage, accounts: Accounts, tmp_path: Path) -> None:
    attempt = await stage.plan("portable", str(uuid.uuid4()), soon(-1))
    await stage.inject(attempt)
    reaper = Reaper(accounts.reaper, tmp_path / "reaper.log")
    reaper.start()
    try:

        async def taken_back() -> bool:
            return not (await stage.left(attempt)).residue

        await stage.until(taken_back, "it is taken back")
        await stage.is_as_before()
        assert reaper.ask("/readyz")[0] == 200
    finally:
        reaper.kill()
