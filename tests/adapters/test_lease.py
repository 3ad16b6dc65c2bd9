"""One leader at a time, also when it cannot renew, dies without a word, or will not stop."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

import pytest

from feem.adapters.kubernetes.lease import Election, LeaseTimes, StillWorking
from feem.ports import Fenced, Unavailable
from tests.adapters.fake import FakeClient

QUICK = LeaseTimes(duration=1.0, renew_deadline=0.5, retry=0.1)
LEASE = ("leases.coordination.k8s.io", "feem-system", "feem")


class Term:
    """Notes when it leads, in monotonic seconds, and under which epoch."""

    def __init__(self) -> None:
        self.epochs: list[int] = []
        self.spans: list[tuple[float, float]] = []
        self.begun = asyncio.Event()
        self.ended = asyncio.Event()

    async def __call__(self, epoch: int) -> None:
        started = time.monotonic()
        self.epochs.append(epoch)
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.spans.append((started, time.monotonic()))
            self.ended.set()


def candidate(
    fake: FakeClient, identity: str, *, floor: int = 0, changed: Callable[[bool], None] | None = None
) -> Election:
    async def lowest() -> int:
        return floor

    return Election(
        fake.client, namespace=LEASE[1], name=LEASE[2], identity=identity, times=QUICK, floor=lowest, changed=changed
    )


async def stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def soon(what: Awaitable[object], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        await what


async def test_the_first_leads_and_the_second_waits() -> None:
    fake, one, two = FakeClient(), Term(), Term()
    first = asyncio.create_task(candidate(fake, "a").run(one))
    await soon(one.begun.wait())
    second = asyncio.create_task(candidate(fake, "b").run(two))
    await asyncio.sleep(1.5)
    assert one.epochs == [0]
    assert two.epochs == []
    await stop(first)
    await soon(two.begun.wait(), 0.5)
    assert two.epochs == [1]
    await stop(second)


async def test_a_leader_that_cannot_renew_stops_before_another_starts() -> None:
    fake, cut, one, two = FakeClient(), FakeClient(), Term(), Term()
    cut.objects = fake.objects
    first = asyncio.create_task(candidate(cut, "a").run(one))
    await soon(one.begun.wait())
    second = asyncio.create_task(candidate(fake, "b").run(two))
    await asyncio.sleep(0.3)

    async def gone(_verb: str, name: str) -> None:
        raise Unavailable(name)

    cut.before = gone
    await soon(two.begun.wait())
    assert one.ended.is_set()
    await stop(second)
    assert one.spans[0][1] < two.spans[0][0]
    assert two.epochs == [1]
    await stop(first)


async def test_a_leader_whose_requests_hang_stops_in_time() -> None:
    fake, one = FakeClient(), Term()
    running = asyncio.create_task(candidate(fake, "a").run(one))
    await soon(one.begun.wait())

    async def hangs(_verb: str, _name: str) -> None:
        await asyncio.sleep(60)

    fake.before = hangs
    began = time.monotonic()
    await soon(one.ended.wait(), 2)
    assert time.monotonic() - began < QUICK.duration
    await stop(running)


async def test_a_successor_of_the_same_name_does_not_wait() -> None:
    fake, one, two = FakeClient(), Term(), Term()
    first = asyncio.create_task(candidate(fake, "pod-1").run(one))
    await soon(one.begun.wait())
    dead = {key: dict(body) for key, body in fake.objects.items()}
    await stop(first)
    fake.objects = dead  # it died before it could release
    second = asyncio.create_task(candidate(fake, "pod-1").run(two))
    await soon(two.begun.wait(), 0.5)
    assert two.epochs == [1]
    await stop(second)


async def test_a_dead_leader_of_another_name_is_waited_for() -> None:
    fake, one, two = FakeClient(), Term(), Term()
    first = asyncio.create_task(candidate(fake, "pod-1").run(one))
    await soon(one.begun.wait())
    dead = {key: dict(body) for key, body in fake.objects.items()}
    await stop(first)
    fake.objects = dead
    began = time.monotonic()
    second = asyncio.create_task(candidate(fake, "pod-2").run(two))
    await soon(two.begun.wait())
    assert time.monotonic() - began >= QUICK.duration
    await stop(second)


async def test_another_holder_ends_leadership() -> None:
    fake, one = FakeClient(), Term()
    running = asyncio.create_task(candidate(fake, "a").run(one))
    await soon(one.begun.wait())
    lease = fake.objects[LEASE]
    lease["spec"]["holderIdentity"] = "thief"
    lease["metadata"]["resourceVersion"] = "1000"
    await soon(one.ended.wait(), 1)
    await stop(running)
    assert fake.objects[LEASE]["spec"]["holderIdentity"] == "thief"


async def test_somebody_who_only_labels_the_lease_ends_nothing() -> None:
    fake, one = FakeClient(), Term()
    running = asyncio.create_task(candidate(fake, "a").run(one))
    await soon(one.begun.wait())
    for number in range(5):
        fake.objects[LEASE]["metadata"]["resourceVersion"] = str(1000 + number)
        await asyncio.sleep(0.15)
    assert not one.ended.is_set()
    await stop(running)


async def test_a_lease_that_was_deleted_does_not_turn_the_epoch_back() -> None:
    fake, one = FakeClient(), Term()
    running = asyncio.create_task(candidate(fake, "a", floor=12).run(one))
    await soon(one.begun.wait())
    assert one.epochs == [12]
    await stop(running)


async def test_the_works_own_end_releases_the_lease_and_is_told() -> None:
    fake = FakeClient()

    async def fenced(_epoch: int) -> None:
        raise Fenced("another operator leads")

    with pytest.raises(Fenced):
        await candidate(fake, "a").run(fenced)
    assert fake.objects[LEASE]["spec"]["holderIdentity"] == ""

    async def done(_epoch: int) -> None:
        return None

    await soon(candidate(fake, "b").run(done), 0.5)


async def test_work_that_goes_on_after_its_end_is_an_error() -> None:
    fake, begun = FakeClient(), asyncio.Event()

    async def stubborn(_epoch: int) -> None:
        begun.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(3)
        await asyncio.sleep(3)

    running = asyncio.create_task(candidate(fake, "a").run(stubborn))
    await begun.wait()
    fake.objects[LEASE]["spec"]["holderIdentity"] = "thief"
    fake.objects[LEASE]["metadata"]["resourceVersion"] = "1000"
    with pytest.raises(StillWorking):
        await asyncio.wait_for(running, 3)


async def test_changes_of_leadership_are_told() -> None:
    fake, one, told = FakeClient(), Term(), list[bool]()
    election = candidate(fake, "a", changed=told.append)
    running = asyncio.create_task(election.run(one))
    await soon(one.begun.wait())
    assert election.leads
    await stop(running)
    assert not election.leads
    assert told == [True, False]


@pytest.mark.parametrize("times", [(1.0, 1.0, 0.1), (1.0, 0.5, 0.5), (0.5, 1.0, 0.1)])
def test_times_that_cannot_work_are_refused(times: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="retry < renew deadline < duration"):
        LeaseTimes(*times)
