"""Two operators that both believe to lead write one log of a real API server: no gap, no duplicate, no fork."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
import uuid
from collections import Counter
from pathlib import Path

import pytest

from e2e.cluster.context import Cluster
from feem.adapters.kubernetes.client import Client
from feem.adapters.kubernetes.records import KubernetesRecords
from feem.api.audit import AuditSpec, Part
from feem.core.audit.record import name_of
from feem.core.audit.verify import Walk
from feem.ports import Entry
from feem.runtime.clock import SystemClock
from feem.runtime.ledger import RecordLedger, lowest_free_epoch
from tests.integration.adapter import PATIENT, operator_kubeconfig
from tests.integration.operator import Operator, until
from tests.integration.rival import OPERATOR, SUBJECT

pytestmark = pytest.mark.integration
SECONDS = float(os.environ.get("FEEM_WRITERS_SECONDS", "60"))


async def test_two_operators_write_one_log(cluster: Cluster) -> None:
    config = operator_kubeconfig(cluster)
    async with await Client.connect(str(config), limits=PATIENT) as client:
        records = KubernetesRecords(client)
        start = (
            await RecordLedger.open(records, SystemClock(), epoch=await lowest_free_epoch(records), actor=OPERATOR)
        ).head
        first = 0 if start is None else start.index + 1
        rivals = [
            subprocess.Popen(  # noqa: ASYNC220 - they are the point of the test
                [sys.executable, "-m", "tests.integration.rival", str(config), str(SECONDS), name],
                stdout=subprocess.PIPE,
                text=True,
            )
            for name in ("one", "two")
        ]
        counts = [json.loads(rival.communicate(timeout=SECONDS + 60)[0]) for rival in rivals]
        last = await RecordLedger.open(records, SystemClock(), epoch=await lowest_free_epoch(records), actor=OPERATOR)
        for left in last.open_intents(SUBJECT):
            entry = Entry(left.action, Part.OUTCOME, SUBJECT, "Abandoned", "the end", intent=left.index)
            counts[0]["appends"] += (await last.append(entry)).epoch == last.epoch
        walk, kept = Walk(), []
        async for record in records.since(first):
            walk.step(name_of(record.index), record.wire())
            kept.append(record)
    print(f"in {SECONDS:.0f} s: {counts}, {len(kept)} entries from {first} on")
    report = walk.report()
    assert report.ok, report.first_bad
    assert not report.open_intents
    assert [record.index for record in kept] == list(range(first, first + len(kept)))
    assert all(count["appends"] > 0 for count in counts)
    assert sum(count["fenced"] for count in counts) > 0, "they never met"
    assert len(kept) == sum(count["appends"] for count in counts)
    outcomes = Counter(record.intent for record in kept if record.part is Part.OUTCOME)
    assert set(outcomes) == {record.index for record in kept if record.part is Part.INTENT}
    assert set(outcomes.values()) == {1}


def test_a_paused_leader_that_wakes_up_writes_nothing(cluster: Cluster, tmp_path: Path) -> None:
    """Stopped like a machine that hangs for longer than its Lease; another one leads meanwhile."""
    config, lease = operator_kubeconfig(cluster), f"rivals-{uuid.uuid4().hex[:6]}"
    old, new = (Operator(config, "http://127.0.0.1:9", tmp_path / f"{name}.log", lease) for name in ("old", "new"))
    rest = _newest(config)
    old.start()
    try:
        until("the first leader", lambda: _newest(config).epoch > rest.epoch or None)
        before = _newest(config)
        old.pause()
        new.start()
        until("the second leader", lambda: _newest(config).epoch > before.epoch or None)
        old.resume()
        time.sleep(6)
        assert new.running
        entries = _since(config, before.index)
    finally:
        old.stop()
        new.stop()
    epochs = [entry.epoch for entry in entries]
    assert epochs == sorted(epochs)
    taken = [entry for entry in entries if entry.action == "LeaderChanged" and entry.epoch > before.epoch]
    assert taken, "the second one says that it leads"
    after = [entry for entry in entries if entry.index >= taken[0].index]
    assert all(entry.epoch >= taken[0].epoch for entry in after), "the old one wrote after it was replaced"


def _since(config: Path, first: int) -> list[AuditSpec]:
    async def read() -> list[AuditSpec]:
        async with await Client.connect(str(config), limits=PATIENT) as client:
            return [record async for record in KubernetesRecords(client).since(first)]

    return asyncio.run(read())


def _newest(config: Path) -> AuditSpec:
    async def read() -> AuditSpec:
        async with await Client.connect(str(config), limits=PATIENT) as client:
            stored = await KubernetesRecords(client).head()
            assert stored is not None
            return stored.record

    return asyncio.run(read())
