"""A log that begins at its first entry: on a cluster that is kept, earlier tests have written, forged and deleted entries."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

from e2e.cluster.context import Cluster
from feem.adapters.kubernetes.auditlog import KubernetesAuditLog
from feem.adapters.kubernetes.client import Client
from feem.adapters.kubernetes.records import KubernetesRecords
from feem.api.auditlog import AuditLogStatus
from feem.ports import Refused
from tests.integration.adapter import PATIENT, operator_kubeconfig
from tests.integration.kubectl import Kubectl


async def begin_log_anew(cluster: Cluster, admin: Kubectl) -> None:
    """Say that all entries are published, let the operator's account delete them, and remove what was said. No operator may run."""
    admin("delete", "auditlog", "feem", "--ignore-not-found")
    async with await Client.connect(str(operator_kubeconfig(cluster)), limits=PATIENT) as client:
        records = KubernetesRecords(client)
        head = await records.head()
        if head is None:
            return
        size, now = head.record.index + 1, datetime.now(UTC)
        said = AuditLogStatus(size=size, signed_at=now, published_at=now + timedelta(seconds=1))
        await KubernetesAuditLog(client, "feem.dev/test/forgotten").write(said)
        async with asyncio.timeout(120):
            while await records.head() is not None:
                with contextlib.suppress(Refused):  # the policy sees the new head a moment after it is written
                    await records.prune(size)
                await asyncio.sleep(0.1)
    admin.done("delete", "auditlog", "feem", "--ignore-not-found")
