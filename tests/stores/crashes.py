"""Writers that die in the middle of appending: at a chosen call to the file system, its data half lost, or at any moment."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import stat
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from feem.adapters.audit.directory import DirectoryRecords
from feem.adapters.audit.postgres import PostgresRecords
from feem.adapters.audit.session import Connection as Session
from feem.api.audit import AuditSpec
from feem.core.audit.entry import entry_bytes
from feem.ports import Taken, Unavailable
from tests.stores.chain import chain, follow


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_at(call: int) -> None:
    """Kill this process at its n-th call that changes the disk; what a file got since its last fsync is half lost then."""
    left = call

    def counted(whole: Callable[..., Any]) -> Callable[..., Any]:
        def act(*arguments: Any, **more: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                if whole is fsync and stat.S_ISREG(os.fstat(arguments[0]).st_mode):
                    os.ftruncate(arguments[0], os.fstat(arguments[0]).st_size // 2)
                die()
            return whole(*arguments, **more)

        return act

    fsync = os.fsync
    os.fsync = counted(fsync)
    for name in ("replace", "unlink", "rmdir", "mkdir"):
        setattr(Path, name, counted(getattr(Path, name)))


def append_and_die(root: str, count: int, call: int) -> None:
    """Add entries at once, or die on the way."""

    async def run() -> None:
        records = DirectoryRecords(root)
        stored = await records.head()
        head = None if stored is None else stored.record
        index = 0 if head is None else head.index + 1
        die_at(call)
        if count == 1:
            await records.put(follow(head), index)
        else:
            await records.extend(index, [entry_bytes(entry) for entry in chain(count, head)])

    asyncio.run(run())


def append_until_killed(root: str, said: Connection) -> None:
    """Say the index of each entry once it is durable."""

    async def run() -> None:
        records = DirectoryRecords(root)
        stored = await records.head()
        head = None if stored is None else stored.record
        while True:
            head = follow(head)
            await records.put(head, head.index)
            said.send(head.index)

    asyncio.run(run())


def append_with_little_room(root: str, bytes_: int, said: Connection) -> None:
    """Append with a limit on file sizes; says what went wrong first."""

    async def run() -> None:
        records = DirectoryRecords(root)
        stored = await records.head()
        head = None if stored is None else stored.record
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, bytes_))
        try:
            while True:
                record = follow(head)
                await records.put(record, record.index)
                head = record
        except Unavailable as problem:
            said.send((0 if head is None else head.index + 1, str(problem)))

    asyncio.run(run())


def stop_within_the_transaction(dsn: str, said: Connection) -> None:
    """Stop this process while it holds the head; once it goes on, say what becomes of its entry, and of a second try."""

    async def run() -> None:
        records = PostgresRecords(dsn, timeout=1)
        await records.put(follow(None), 0)
        admit = records._admit

        async def stops(connection: Session, record: AuditSpec) -> None:
            await admit(connection, record)
            said.send("stopped")
            os.kill(os.getpid(), signal.SIGSTOP)

        records._admit = stops  # type: ignore[method-assign]
        mine = follow(follow(None), "the old leader's")
        for _ in range(2):
            try:
                await records.put(mine, 1)
            except (Taken, Unavailable) as problem:
                said.send(type(problem).__name__)
            records._admit = admit  # type: ignore[method-assign]
        await records.close()

    asyncio.run(run())
