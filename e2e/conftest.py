"""The cluster of the end-to-end tests: everything real, the operator installed as a pod through the chart, the example served.

FEEM_E2E_CLUSTER names a running cluster to use; without it `feem-e2e` is brought up, and left running for the next time.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import e2e.cluster
from e2e.cluster.context import Cluster
from e2e.kit.compliance import name_profile
from e2e.kit.example import NAME, Example, condition
from e2e.kit.install import install_operator
from e2e.kit.kubectl import Kubectl, wait_until
from e2e.kit.traffic import Traffic

BEGAN = time.monotonic()


def say(line: str) -> None:
    """Print one progress line."""
    print(f"{time.monotonic() - BEGAN:7.1f} s  {line}", flush=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs the whole stack."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The whole stack, with the operator and the example in it."""
    found = e2e.cluster.up(os.environ.get("FEEM_E2E_CLUSTER", "feem-e2e"), "full", "auto", say)
    install_operator(found, say)
    return found


@pytest.fixture(scope="session")
def kubectl(cluster: Cluster) -> Kubectl:
    """The administrator's kubectl in the example's namespace."""
    return Kubectl.of(cluster)


@pytest.fixture(scope="session")
def deployed(cluster: Cluster, kubectl: Kubectl) -> Example:
    """The example, deployed once."""
    example = Example(kubectl)
    example.deploy(cluster, say)
    name_profile(example, None)
    return example


@pytest.fixture
def example(deployed: Example) -> Example:
    """The example at rest: governed, version 1.0 or 2.0 stable, nothing held, no release open.

    Promotions are not watched, which saves each test half a minute; those about the watch ask for it.
    """
    settle(deployed)
    deployed.watch_for(0)
    return deployed


@pytest.fixture
def traffic(cluster: Cluster, example: Example, tmp_path: Path) -> Iterator[Traffic]:  # noqa: ARG001 - served first
    """Clients at 100 requests a second, for as long as the test runs."""
    with Traffic(cluster, tmp_path / "traffic.jsonl") as running:
        wait_until("the first answers", lambda: len(running.answers()) > 50, 20)
        yield running


@pytest.fixture(scope="session")
def tell() -> Callable[[str], None]:
    """Print a progress line."""
    return say


def settle(example: Example) -> None:
    """Bring the example back to rest, whatever the last test left: held changes are dropped, open releases end."""
    deployment = example.kubectl.get("deployment", NAME)
    assert deployment is not None
    live = example.stable_image()
    held = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    if live and held != live:
        example.set_version(live.rpartition(":")[2])
    wait_until("the example coming to rest", lambda: at_rest(example), 120)


def at_rest(example: Example) -> bool:
    """No open release, nothing held, no canary."""
    deployment = example.kubectl.get("deployment", NAME) or {}
    releases = example.kubectl.list("releases.feem.dev")
    ended = all((item.get("status") or {}).get("completedAt") for item in releases)
    canary = example.kubectl.get("deployment", f"{NAME}-canary")
    governed = condition(example.kubectl.get("managedservice", NAME), "Ready").get("reason") == "Governed"
    return ended and canary is None and governed and not deployment["spec"].get("paused")
