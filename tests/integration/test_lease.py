"""Leadership on the real API server."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from e2e.cluster import Cluster
from feem.adapters.kubernetes.client import Client
from feem.adapters.kubernetes.lease import Election, LeaseTimes
from feem.ports import Body, Unavailable
from tests.integration.adapter import operator_kubeconfig
from tests.integration.kubectl import Kubectl

pytestmark = pytest.mark.integration
TIMES = LeaseTimes(duration=4.0, renew_deadline=2.5, retry=0.4)


@pytest.fixture
def kubeconfig(cluster: Cluster) -> Path:
    return operator_kubeconfig(cluster)


class Candidate:
    """One process's election, with a connection of its own that can be cut."""

    def __init__(self, client: Client, namespace: str, identity: str) -> None:
        self.client = client
        self.election = Election(client, namespace=namespace, name="feem", identity=identity, times=TIMES)
        self.epoch = -1
        self.begun, self.ended = asyncio.Event(), asyncio.Event()
        self.began_at = self.ended_at = 0.0
        self.task: asyncio.Task[None] | None = None

    def stand(self) -> None:
        self.task = asyncio.create_task(self.election.run(self._lead))

    async def _lead(self, epoch: int) -> None:
        self.epoch, self.began_at = epoch, time.monotonic()
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended_at = time.monotonic()
            self.ended.set()

    async def stop(self) -> None:
        if self.task is not None:
            self.task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.task
            self.task = None


@pytest.fixture
async def candidates(
    kubeconfig: Path, namespace: str, as_user: Callable[[str], Kubectl]
) -> AsyncIterator[list[Candidate]]:
    as_user("admin").within(namespace).done("delete", "lease", "--all")
    async with await Client.connect(str(kubeconfig)) as first, await Client.connect(str(kubeconfig)) as second:
        found = [Candidate(first, namespace, "pod-a"), Candidate(second, namespace, "pod-b")]
        yield found
        for candidate in found:
            await candidate.stop()


async def test_a_leader_that_stops_hands_over_at_once(
    candidates: list[Candidate], namespace: str, as_user: Callable[[str], Kubectl]
) -> None:
    one, two = candidates
    one.stand()
    await asyncio.wait_for(one.begun.wait(), 10)
    two.stand()
    await asyncio.sleep(2 * TIMES.retry)
    assert not two.begun.is_set()
    spec = as_user("admin").within(namespace).read("lease", "feem")["spec"]
    assert spec["holderIdentity"].startswith("pod-a_")
    assert (spec["leaseDurationSeconds"], spec["leaseTransitions"]) == (4, 0)
    await one.stop()
    await asyncio.wait_for(two.begun.wait(), 2 * TIMES.retry + 1)
    assert two.epoch == 1
    assert one.ended_at < two.began_at


async def test_a_leader_that_is_cut_off_ends_before_the_next_begins(
    candidates: list[Candidate], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = candidates
    one.stand()
    await asyncio.wait_for(one.begun.wait(), 10)
    two.stand()
    await asyncio.sleep(1)

    async def cut(*_: object, **__: object) -> Body:
        raise Unavailable("the network is gone")

    monkeypatch.setattr(one.client, "send", cut)
    await asyncio.wait_for(two.begun.wait(), TIMES.duration * 3)
    assert one.ended.is_set()
    assert one.ended_at < two.began_at
    assert two.epoch == one.epoch + 1


async def test_a_leader_survives_a_short_silence(candidates: list[Candidate], monkeypatch: pytest.MonkeyPatch) -> None:
    one, _ = candidates
    one.stand()
    await asyncio.wait_for(one.begun.wait(), 10)
    whole = one.client.send

    async def cut(*_: object, **__: object) -> Body:
        raise Unavailable("a moment")

    monkeypatch.setattr(one.client, "send", cut)
    await asyncio.sleep(TIMES.renew_deadline * 0.5)
    monkeypatch.setattr(one.client, "send", whole)
    await asyncio.sleep(TIMES.renew_deadline)
    assert not one.ended.is_set()
