"""The audit log on the real API server: a chain that only grows, whoever dies and whoever competes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from e2e.cluster import Cluster
from feem.adapters.kubernetes.client import Client
from feem.adapters.kubernetes.records import AHEAD, KubernetesRecords
from feem.api.audit import AuditSpec, Part, Subject
from feem.core.audit.record import name_of
from feem.core.audit.verify import Report, verify
from feem.ports import Body, Entry, Fenced, Refused, Unavailable
from feem.runtime.clock import SystemClock
from feem.runtime.ledger import RecordLedger, lowest_free_epoch
from tests.integration.adapter import PATIENT, operator_kubeconfig
from tests.integration.conftest import OPERATOR
from tests.integration.kubectl import Kubectl

pytestmark = pytest.mark.integration
SUBJECT = Subject(kind="Release", namespace="lending", name="ledger-test", uid="u")
AsUser = Callable[[str], Kubectl]


@pytest.fixture
def kubeconfig(cluster: Cluster) -> Path:
    return operator_kubeconfig(cluster)


@pytest.fixture
async def client(kubeconfig: Path) -> AsyncIterator[Client]:
    async with await Client.connect(str(kubeconfig), limits=PATIENT) as found:
        yield found


async def found_since(client: Client, index: int) -> Report:
    """Verify the log from an entry on: the cluster is used by other tests too, some of which forge entries."""
    bodies = await asyncio.gather(*(KubernetesRecords(client).read(each) for each in range(index, index + 200)))
    return verify([(name_of(body.index), body.wire()) for body in bodies if body is not None])


def next_index(ledger: RecordLedger) -> int:
    return 0 if ledger.head is None else ledger.head.index + 1


async def opened(client: Client) -> RecordLedger:
    """A new leader's ledger; what earlier tests left open is closed first."""
    epoch = await lowest_free_epoch(KubernetesRecords(client))
    ledger = await RecordLedger.open(KubernetesRecords(client), SystemClock(), epoch=epoch, actor=OPERATOR)
    for left in ledger.open_intents(SUBJECT):
        await ledger.append(outcome(left, "Abandoned"))
    return ledger


def intent(message: str = "to 10%") -> Entry:
    return Entry(
        "SetWeight", Part.INTENT, SUBJECT, "Step", message, ("set weight 10", "and more"), "sha256:" + "a" * 64
    )


def outcome(of: AuditSpec, reason: str = "Done") -> Entry:
    return Entry(of.action, Part.OUTCOME, of.subject, reason, intent=of.index)


async def test_what_is_stored_verifies(client: Client) -> None:
    ledger = await opened(client)
    first = await ledger.append(intent("Überweisung \\ \u2028 “x”"))
    await ledger.append(outcome(first))
    assert await KubernetesRecords(client).read(first.index) == first
    found = await found_since(client, first.index)
    assert found.ok, found.first_bad
    assert found.entries == 2
    assert found.head == (ledger.head.digest if ledger.head else "")


async def test_a_successor_goes_on_where_the_log_ends(client: Client) -> None:
    old = await opened(client)
    left = await old.append(intent())
    epoch = await lowest_free_epoch(KubernetesRecords(client))
    new = await RecordLedger.open(KubernetesRecords(client), SystemClock(), epoch=epoch, actor=OPERATOR)
    assert list(new.open_intents(SUBJECT)) == [left]
    await new.append(outcome(left, "Recovered"))
    with pytest.raises(Fenced):
        await old.append(intent())


async def test_two_leaders_never_write_one_index_twice(client: Client) -> None:
    low = await opened(client)
    start = next_index(low)
    high = await RecordLedger.open(
        KubernetesRecords(client),
        SystemClock(),
        epoch=await lowest_free_epoch(KubernetesRecords(client)) + 1,
        actor=OPERATOR,
    )
    ended = asyncio.Event()

    async def write(ledger: RecordLedger, pause: float = 0.0) -> int:
        count = 0
        try:
            while count < 30:
                await ledger.append(Entry("Seen", Part.FACT, SUBJECT))
                count += 1
                await asyncio.sleep(pause)
        except Fenced:
            ended.set()
        return count

    # Who loses a race reads before it tries again, so without a pause the lower one could win thirty times in a row.
    written = await asyncio.gather(write(low, 0.05), write(high))
    assert ended.is_set()
    assert written[1] == 30
    assert (await found_since(client, start)).ok


async def test_a_lost_answer_is_not_written_twice(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = await opened(client)
    start, whole = next_index(ledger), client.create

    async def loses(*args: Any) -> Body:
        await whole(*args)
        monkeypatch.setattr(client, "create", whole)
        raise Unavailable("the answer is lost")

    monkeypatch.setattr(client, "create", loses)
    with pytest.raises(Unavailable):
        await ledger.append(intent("once"))
    again = await ledger.append(intent("once"))
    assert ledger.head == again
    await ledger.append(outcome(again))
    assert (await found_since(client, start)).ok


async def test_only_the_operator_writes_and_nobody_changes(client: Client, as_user: AsUser) -> None:
    ledger = await opened(client)
    written = await ledger.append(Entry("Seen", Part.FACT, SUBJECT))
    record = f"auditrecord/{name_of(written.index)}"
    for user in (as_user("admin"), as_user(OPERATOR)):
        user.refused("delete", record)
        user.refused("patch", record, "--type=merge", '--patch={"spec":{"message":"nothing to see"}}')
    manifest = as_user("admin").read("auditrecord", name_of(written.index))
    index = written.index + 1
    forged = {**manifest, "metadata": {"name": name_of(index)}, "spec": {**manifest["spec"], "index": index}}
    as_user("admin").refused("create", manifest=forged)
    async with await Client.connect(str(as_user("admin").kubeconfig)) as other:
        rival = await RecordLedger.open(KubernetesRecords(other), SystemClock(), epoch=written.epoch + 1, actor="admin")
        with pytest.raises(Refused):
            await rival.append(intent())


async def test_finding_the_head_does_not_read_the_log(client: Client) -> None:
    ledger = await opened(client)
    for _ in range(20):
        await ledger.append(Entry("Seen", Part.FACT, SUBJECT))
    asked: list[tuple[str, str]] = []
    client.observe = lambda verb, resource, *_: asked.append((verb, resource))
    began = time.perf_counter()
    new = await RecordLedger.open(
        KubernetesRecords(client), SystemClock(), epoch=ledger.head.epoch + 1 if ledger.head else 0, actor=OPERATOR
    )
    assert time.perf_counter() - began < 5
    assert new.head == ledger.head
    assert len(asked) <= AHEAD + 3
