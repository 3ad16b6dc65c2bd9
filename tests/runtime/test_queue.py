"""The work queue: one visit a key at a time, duplicates merged, later visits in time, failures further and further apart."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest

from feem.runtime.queue import FIRST_DELAY, LONGEST_DELAY, Queue


async def taken(queue: Queue[str], seconds: float = 0.05) -> str | None:
    """The next key, or None when there is none soon."""
    try:
        return await asyncio.wait_for(queue.get(), seconds)
    except TimeoutError:
        return None


async def test_keys_come_out_in_the_order_they_were_added_each_once() -> None:
    queue = Queue[str]()
    for key in ("a", "b", "a", "c", "b"):
        queue.add(key)
    assert len(queue) == 3
    assert [await taken(queue) for _ in range(4)] == ["a", "b", "c", None]


async def test_a_key_that_is_worked_on_waits_until_it_is_done_and_then_comes_once() -> None:
    queue = Queue[str]()
    queue.add("a")
    assert await taken(queue) == "a"
    queue.add("a")
    queue.add("a")
    assert await taken(queue) is None
    queue.done("a")
    assert await taken(queue) == "a"
    queue.done("a")
    assert await taken(queue) is None


async def test_of_several_later_visits_the_earliest_is_made_and_no_other() -> None:
    queue = Queue[str]()
    queue.add_after("a", 0.2)
    queue.add_after("a", 0.02)
    queue.add_after("a", 0.1)
    began = asyncio.get_running_loop().time()
    assert await taken(queue, 1) == "a"
    assert 0.015 <= asyncio.get_running_loop().time() - began < 0.1
    queue.done("a")
    assert await taken(queue, 0.3) is None


async def test_a_visit_at_once_does_not_cancel_the_later_one() -> None:
    queue = Queue[str]()
    queue.add_after("a", 0.05)
    queue.add("a")
    assert await taken(queue) == "a"
    queue.done("a")
    assert await taken(queue, 1) == "a"


async def test_a_later_visit_that_falls_due_during_work_comes_after_it() -> None:
    queue = Queue[str]()
    queue.add("a")
    assert await taken(queue) == "a"
    queue.add_after("a", 0.01)
    assert await taken(queue, 0.05) is None
    queue.done("a")
    assert await taken(queue) == "a"


async def test_no_delay_is_now() -> None:
    queue = Queue[str]()
    queue.add_after("a", 0)
    assert len(queue) == 1


async def test_failures_back_off_and_a_success_forgets_them() -> None:
    queue = Queue[str]()
    delays = [queue.retry("a") for _ in range(12)]
    assert delays[:4] == [FIRST_DELAY, FIRST_DELAY * 2, FIRST_DELAY * 4, FIRST_DELAY * 8]
    assert delays[-1] == LONGEST_DELAY
    assert queue.retry("b") == FIRST_DELAY
    queue.forget("a")
    assert queue.retry("a") == FIRST_DELAY


async def test_a_waiting_worker_hears_of_a_nearer_visit() -> None:
    queue = Queue[str]()
    queue.add_after("late", 30)
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0.01)
    queue.add_after("soon", 0.01)
    assert await asyncio.wait_for(waiting, 1) == "soon"


async def test_a_cancelled_worker_takes_nothing_with_it() -> None:
    queue = Queue[str]()
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    queue.add("a")
    assert await taken(queue) == "a"


async def test_the_age_of_the_oldest_key_is_told() -> None:
    queue = Queue[str]()
    assert queue.oldest_seconds == 0
    queue.add("a")
    await asyncio.sleep(0.02)
    queue.add("b")
    assert 0.015 <= queue.oldest_seconds < 1


@pytest.mark.parametrize("seed", range(5))
async def test_many_workers_never_hold_a_key_together_and_lose_none(seed: int) -> None:
    chance, queue = random.Random(seed), Queue[int]()  # noqa: S311 - a test's own dice
    held, seen, wanted = set[int](), Counter[int](), Counter[int]()

    async def work() -> None:
        while True:
            key = await queue.get()
            assert key not in held, "two workers hold one key"
            held.add(key)
            seen[key] += 1
            await asyncio.sleep(chance.random() / 1000)
            held.discard(key)
            queue.done(key)

    workers = [asyncio.create_task(work()) for _ in range(8)]
    for _ in range(400):
        key = chance.randrange(20)
        wanted[key] += 1
        if chance.random() < 0.3:
            queue.add_after(key, chance.random() / 100)
        else:
            queue.add(key)
        if chance.random() < 0.5:
            await asyncio.sleep(0)
    await asyncio.sleep(0.1)
    assert not any(worker.done() for worker in workers)
    for worker in workers:
        worker.cancel()
    assert set(seen) == set(wanted)
    assert all(seen[key] <= wanted[key] for key in seen)
    assert len(queue) == 0
