"""A real API server adds its defaults to what is shipped: none of them may look like a weakening. Nothing is kept there."""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

import e2e.cluster
from e2e.cluster import binaries
from feem.core.guard.intact import weaker
from tests.guard.test_intact import SHIPPED, Body, as_read, each, ids
from tests.integration.kubectl import Kubectl

pytestmark = pytest.mark.integration

NARROWED: dict[str, dict[str, Any]] = {
    "Binding": {"matchResources": {"namespaceSelector": {"matchLabels": {"exempt": ""}}}},
    "": {"matchConditions": [{"name": "not-there", "expression": "request.namespace != 'lending'"}]},
}


@pytest.fixture(scope="module")
def admin() -> Kubectl:
    found = e2e.cluster.up(os.environ.get("FEEM_TEST_CLUSTER", "feem-test"), "api", "auto", print)
    return Kubectl(Path(binaries.ensure(["kubectl"], found.cache, print)["kubectl"]), found.kubeconfig)


def read_back(admin: Kubectl, body: Body) -> Body:
    """Return what the API server would keep of a body, under a name that is free."""
    probe = {**body, "metadata": {"name": f"intact-{body['metadata']['name']}"}}
    answer = admin("create", "--dry-run=server", "--output=json", manifest=probe)
    assert answer.code == 0, answer.told
    read: Body = yaml.safe_load(answer.out)
    return {**read, "metadata": {**read["metadata"], "name": body["metadata"]["name"]}}


@each
def test_its_defaults_are_no_weakening(admin: Kubectl, shipped: Body) -> None:
    live = read_back(admin, shipped)
    assert weaker([shipped], lambda *_: live) == ()
    assert live["spec"] == as_read(shipped)["spec"], "what the tables of test_intact take for an API server's answer"


@each
def test_what_it_accepts_as_narrower_is_found(admin: Kubectl, shipped: Body) -> None:
    narrowed = copy.deepcopy(shipped)
    for key, more in NARROWED["Binding" if shipped["kind"].endswith("Binding") else ""].items():
        narrowed["spec"][key] = [*narrowed["spec"].get(key, []), *more] if isinstance(more, list) else more
    live = read_back(admin, narrowed)
    (sentence,) = weaker([shipped], lambda *_: live)
    assert sentence.startswith(f"{shipped['kind']} {shipped['metadata']['name']}: match")


def test_all_that_is_shipped_was_asked() -> None:
    assert len({ids(body) for body in SHIPPED}) == len(SHIPPED)
