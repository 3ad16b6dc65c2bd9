from __future__ import annotations

import pytest

from feem.cli import allow as allow_module
from feem.cli import decide as decide_module
from feem.cli import evidence as evidence_module
from feem.cli import get as get_module
from feem.cli import watch as watch_module
from feem.cli import windows as windows_module
from feem.cli.audit import export as audit_export
from feem.cli.audit import listing as audit_listing
from feem.cli.audit import prove as audit_prove
from feem.cli.audit import verify as audit_verify
from tests.cli.fake import FakeCluster
from tests.view import bodies as at


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    """A cluster with one baking release, answering every command."""
    fake = FakeCluster()
    release = at.release(
        conditions=at.running("Baking", "step 2/3 at 50% bakes until 09:30:24 UTC"),
        step=2,
        weight=50,
        progress="2/3 at 50%",
        stepStartedAt=at.stamp(36),
        verdicts=[at.verdict("Pass")],
    )
    fake.add("releases.feem.dev", release)
    fake.add("managedservices.feem.dev", at.service())
    fake.add("deployments.apps", at.deployment())
    fake.add("httproutes.gateway.networking.k8s.io", at.route(50))
    for module in (
        allow_module,
        audit_listing,
        audit_export,
        audit_prove,
        audit_verify,
        decide_module,
        evidence_module,
        get_module,
        watch_module,
        windows_module,
    ):
        monkeypatch.setattr(module, "connect", lambda *_: fake)
    return fake
