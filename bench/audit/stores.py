"""How fast one leader appends to each store, one durable entry after another."""

from __future__ import annotations

import asyncio
import subprocess
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bench.admission.policies import ROOT
from bench.audit.log import OPERATOR, statements
from bench.evidence.section import Check, Section
from e2e import cluster as clusters
from e2e.cluster import binaries
from feem.adapters.audit.directory import DirectoryRecords
from feem.adapters.audit.postgres import PostgresRecords
from feem.adapters.kubernetes.client import Client
from feem.adapters.kubernetes.records import KubernetesRecords
from feem.ports import Entry, Records
from feem.runtime.ledger import RecordLedger, lowest_free_epoch
from tests.stores.server import started

NAME = "feem-bench"
APPENDS = 1_500
Say = Callable[[str], None]


class WallClock:
    """The time of this machine."""

    def now(self) -> datetime:
        """Return it."""
        return datetime.now(UTC)


def stores(say: Say, *, cluster: bool) -> Section:
    """Append to a directory, to PostgreSQL and to a real API server."""
    found = {}
    with tempfile.TemporaryDirectory(prefix="feem-bench-store-") as folder:
        say(f"{APPENDS:,} entries are appended to a directory, one by one")
        found["directory of tiles"] = asyncio.run(_append(DirectoryRecords(Path(folder) / "log")))
    say(f"{APPENDS:,} entries are appended to PostgreSQL")
    running = started()
    try:
        found["PostgreSQL"] = asyncio.run(_postgres(running.dsn()))
    finally:
        running.remove()
    if cluster:
        found["API server (AuditRecords)"] = _cluster(say)
    rows = tuple(
        (name, f"{APPENDS / took:,.0f}", f"{took / APPENDS * 1000:.1f} ms", f"{cpu / APPENDS * 1000:.2f} ms")
        for name, (took, cpu) in found.items()
    )
    return Section(
        "stores",
        f"{APPENDS:,} entries appended one after another, each durable before the next",
        columns=("store", "entries a second", "each", "our CPU"),
        rows=rows,
        checks=(Check("every store took every entry, without a gap", f"{len(found)} stores", True),),
        figures={name: {"seconds": round(took, 3), "cpuSeconds": round(cpu, 3)} for name, (took, cpu) in found.items()},
    )


async def _append(records: Records) -> tuple[float, float]:
    epoch = await lowest_free_epoch(records)
    ledger = await RecordLedger.open(records, WallClock(), epoch=epoch, actor=OPERATOR)
    start = 0 if ledger.head is None else ledger.head.index + 1
    began, cpu = time.perf_counter(), time.process_time()
    for said in statements(APPENDS):
        intent = None if said.intent is None else start + said.intent
        await ledger.append(
            Entry(said.action, said.part, said.subject, said.reason, said.message, said.effects, said.evidence, intent)
        )
    took, spent = time.perf_counter() - began, time.process_time() - cpu
    if ledger.head is None or ledger.head.index != start + APPENDS - 1:
        raise OSError(f"the log ends at {ledger.head}, not after {APPENDS} entries")
    return took, spent


async def _postgres(dsn: str) -> tuple[float, float]:
    records = PostgresRecords(dsn)
    try:
        return await _append(records)
    finally:
        await records.close()


def _cluster(say: Say) -> tuple[float, float]:
    if clusters.find(NAME):
        clusters.down(NAME, say)
    try:
        found = clusters.up(NAME, "api", "local", say)
        say(f"{APPENDS:,} entries are appended to the API server")
        _define(found)
        return asyncio.run(_on(found))
    finally:
        clusters.down(NAME, say)


def _define(found: clusters.Cluster) -> None:
    kubectl = binaries.ensure(["kubectl"], found.cache, print)["kubectl"]
    definition = ROOT / "crds" / "auditrecords.feem.dev.yaml"
    for words in (
        ("apply", "--server-side", "-f", str(definition)),
        ("wait", "--for=condition=Established", "-f", str(definition)),
    ):
        command = [str(kubectl), f"--kubeconfig={found.kubeconfig}", *words]
        subprocess.run(command, check=True, capture_output=True)


async def _on(found: clusters.Cluster) -> tuple[float, float]:
    async with await Client.connect(str(found.kubeconfig)) as client:
        return await _append(KubernetesRecords(client))
