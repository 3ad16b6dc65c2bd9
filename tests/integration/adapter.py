"""The adapters as the operator uses them: one client, a local copy kept true by the informer, and what was sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from e2e.cluster import Cluster, user_kubeconfig
from e2e.cluster.stack.rendering import gateway_crds
from feem.adapters.kubernetes.client import Client, Limits
from feem.adapters.kubernetes.cluster import KubernetesCluster
from feem.adapters.kubernetes.informer import Informer
from feem.adapters.kubernetes.store import Store
from tests.integration.conftest import GROUP, OPERATOR
from tests.integration.kubectl import Kubectl

PATIENT = Limits(timeout=60, connect_timeout=30)
"""Of clients in tests that are not about time: no answer within the operator's own 10 s tells of a busy machine only."""
WRITES = ("create", "update", "patch", "delete")


@dataclass
class Adapter:
    """`sent` are the requests so far, as (verb, resource, code)."""

    client: Client
    store: Store
    cluster: KubernetesCluster
    informer: Informer
    sent: list[tuple[str, str, str]] = field(default_factory=list)

    def writes(self) -> list[tuple[str, str, str]]:
        """Return the writes since this was last asked."""
        found = [each for each in self.sent if each[0] in WRITES]
        self.sent.clear()
        return found

    async def until(self, true: Callable[[], Any], what: str = "the local copy shows it") -> None:
        """Wait for the informer."""
        try:
            async with asyncio.timeout(20):
                while not true():  # noqa: ASYNC110 - the copy has no event to wait for
                    await asyncio.sleep(0.02)
        except TimeoutError as late:
            raise AssertionError(f"not within 20 s: {what}") from late


def operator_kubeconfig(cluster: Cluster) -> Path:
    """Return a kubeconfig of the operator's own user name, with all rights, so that only admission says no."""
    return user_kubeconfig(cluster, OPERATOR, (GROUP,))


def ensure_gateway_api(cluster: Cluster, admin: Kubectl) -> None:
    """Make HTTPRoutes known, as the stack's gateway would."""
    if admin("get", "crd", "httproutes.gateway.networking.k8s.io").code != 0:
        admin.done("apply", "--server-side", "--force-conflicts", f"--filename={gateway_crds(cluster.cache, print)}")
    admin.done("wait", "--for=condition=Established", "--timeout=30s", "crd/httproutes.gateway.networking.k8s.io")


@asynccontextmanager
async def adapter(kubeconfig: Path, changed: Callable[..., None] | None = None) -> AsyncIterator[Adapter]:
    """Connect, fill the local copy, and keep it true until the end."""
    async with await Client.connect(str(kubeconfig), limits=PATIENT) as client:
        store = Store()
        informer = Informer(client, store, changed or (lambda *_: None))
        found = Adapter(client, store, KubernetesCluster(client, store), informer)
        client.observe = lambda verb, resource, code, _: found.sent.append((verb, resource, str(code)))
        async with informer, asyncio.timeout(120):
            await informer.synced()
            yield found
