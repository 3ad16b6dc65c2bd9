"""Whoever dies in the middle of appending to a directory leaves the log as it was, or with the whole entry."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from feem.adapters.audit.directory import DirectoryRecords
from feem.core.audit.entry import entry_bytes
from tests.stores.chain import all_since, chain, check_chain, follow
from tests.stores.crashes import append_and_die, append_until_killed
from tests.stores.layout import files, leaf, there, tree_hash
from tests.stores.test_directory import note
from tests.stores.writer import context, start

CALLS = 60
"""More calls that change the disk than any append here makes."""


async def whole(root: Path) -> int:
    """Fail unless the directory's log is whole and so are its files; returns the size."""
    records = DirectoryRecords(root)
    entries = await all_since(records)
    check_chain(entries)
    stored = await records.head()
    assert (None if stored is None else stored.record) == (entries[-1] if entries else None)
    wanted = files([entry_bytes(entry) for entry in entries])
    found = there(root)
    assert {name: found.get(name) for name in wanted} == wanted
    return len(entries)


@pytest.mark.parametrize(("size", "count"), [(0, 1), (255, 1), (256, 1), (250, 300)])
async def test_death_at_every_call(tmp_path: Path, size: int, count: int) -> None:
    """The calls of one append, one after the other: the next append covers up what each death has left."""
    records = DirectoryRecords(tmp_path)
    await records.extend(0, [entry_bytes(entry) for entry in chain(size)])
    now, died, done = size, 0, 0
    for call in range(1, CALLS):
        process = await asyncio.to_thread(run_to_its_end, str(tmp_path), count, call)
        before, now = now, await whole(tmp_path)
        assert now in (before, before + count)
        if now != before:
            done += 1
        if process == 0:
            assert now == before + count
            break
        assert process == -signal.SIGKILL
        died += 1
    else:
        pytest.fail(f"an append makes more than {CALLS} calls: try more")
    assert died >= 8
    assert done >= 1
    *_, last = await all_since(records)
    await records.extend(now, [entry_bytes(entry) for entry in chain(300, last)])
    assert await whole(tmp_path) == now + 300


def run_to_its_end(root: str, count: int, call: int) -> int | None:
    process = start(append_and_die, root, count, call)
    process.join(60)
    return process.exitcode


async def test_killed_at_any_moment(tmp_path: Path) -> None:
    """What was said to be durable is there; a checkpoint published in between keeps its tiles."""
    chance = random.Random(6)  # noqa: S311 - moments, not secrets
    said = -1
    for _ in range(25):
        hears, says = context().Pipe(duplex=False)
        process = start(append_until_killed, str(tmp_path), says)
        says.close()
        if await asyncio.to_thread(hears.poll, 30):
            await asyncio.to_thread(time.sleep, chance.uniform(0, 0.04))
        process.kill()
        process.join(30)
        said = max([said, *drained(hears)])
        assert process.exitcode == -signal.SIGKILL
        size = await whole(tmp_path)
        assert said < size <= said + 2  # one may have been written without being said
    assert said > 20


def drained(hears: Connection) -> list[int]:
    found: list[int] = []
    try:
        while True:
            found.append(hears.recv())
    except EOFError:
        return found


async def test_a_death_beyond_the_checkpoint_leaves_its_tiles(tmp_path: Path) -> None:
    """A batch that was half written has left wider tiles of another history: a later checkpoint does not publish them."""
    records = DirectoryRecords(tmp_path)
    entries = list(chain(200))
    data = [entry_bytes(entry) for entry in entries]
    await records.extend(0, data[:10])
    lost = await asyncio.to_thread(lose_a_batch, str(tmp_path))
    assert lost == -signal.SIGKILL
    assert "tile/entries/000.p/60" in there(tmp_path)
    other = [entry_bytes(entry) for entry in chain(60, follow(entries[9], "what came instead"))]
    first = entry_bytes(follow(entries[9], "what came instead"))
    await records.extend(10, [first, *other])
    now = [*data[:10], first, *other]
    await records.publish(note(60, tree_hash([leaf(entry) for entry in now[:60]])), "")
    found = there(tmp_path)
    assert files(now[:60]).items() <= found.items()


def lose_a_batch(root: str) -> int | None:
    process = start(append_and_die, root, 50, 8)
    process.join(60)
    return process.exitcode
