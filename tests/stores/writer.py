"""What writers do that have a process of their own; started by a fork server, which has read the modules already."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.synchronize import Barrier
from typing import Any

from feem.adapters.audit.directory import DirectoryRecords
from feem.adapters.audit.postgres import PostgresRecords
from feem.api.audit import AuditSpec
from feem.ports import Records, Taken
from tests.stores.chain import follow

PAUSE = 0.01
"""Seconds at most."""

Opening = tuple[str, str]
"""Kind of the store, and its path or connection string."""


def context() -> ForkServerContext:
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload([__name__])
    return found


def start(target: Any, *arguments: object) -> ForkServerProcess:
    process = context().Process(target=target, args=arguments, daemon=True)
    process.start()
    return process


@asynccontextmanager
async def opened(opening: Opening) -> AsyncIterator[Records]:
    kind, where = opening
    if kind == "directory":
        yield DirectoryRecords(where)
        return
    records = PostgresRecords(where)
    try:
        yield records
    finally:
        await records.close()


async def write(records: Records, count: int, name: str, said: Connection | None = None) -> Sequence[AuditSpec]:
    """Put `count` entries of one's own between those of others; each is said once it is durable.

    Who has won pauses for a moment: a loser reads before it tries again, and would come too late each time.
    """
    chance = random.Random(name)  # noqa: S311 - pauses, not secrets
    stored = await records.head()
    head = None if stored is None else stored.record
    mine: list[AuditSpec] = []
    while len(mine) < count:
        record = follow(head, f"{name} {len(mine)}", epoch=0 if head is None else head.epoch)
        try:
            await records.put(record, record.index)
        except Taken:
            head = await _caught_up(records, record.index)
            continue
        head = record
        mine.append(record)
        if said is not None:
            said.send(record.index)
        await asyncio.sleep(chance.uniform(0, PAUSE))
    return mine


async def _caught_up(records: Records, index: int) -> AuditSpec:
    """Return the last entry, from one that is known to be there on."""
    head = await records.read(index)
    assert head is not None
    while (there := await records.read(head.index + 1)) is not None:
        head = there
    return head


def write_alone(opening: Opening, count: int, name: str, said: Connection | None = None) -> None:
    """Write in a process of one's own."""

    async def run() -> None:
        async with opened(opening) as records:
            await write(records, count, name, said)

    asyncio.run(run())


def write_at_once(opening: Opening, count: int, name: str, ready: Barrier) -> None:
    """Write in a process of one's own, from the moment that the others are ready."""

    async def run() -> None:
        async with opened(opening) as records:
            await records.head()
            ready.wait(60)
            await write(records, count, name)

    asyncio.run(run())
