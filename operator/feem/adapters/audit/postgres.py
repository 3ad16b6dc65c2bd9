"""The port `Records` over PostgreSQL: one row is the head of the log, and appending locks it."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator

import psycopg

from feem.adapters.audit.session import Connection, Dsn, Session
from feem.adapters.audit.tiles import record_of
from feem.api.audit import AuditSpec
from feem.core.audit.entry import entry_bytes
from feem.core.tlog.tile import MAX_ENTRY
from feem.ports import Stored, Taken, Unavailable

TIMEOUT = 10.0
"""Seconds for one piece of work, also the longest that a stopped operator can hold the head."""
PAGE = 256
PRUNED_AT_ONCE = 5_000

_TABLES = (
    """
    CREATE TABLE IF NOT EXISTS feem.audit_head (
        log text PRIMARY KEY,
        size bigint NOT NULL CHECK (size >= 0),
        epoch bigint NOT NULL,
        digest text NOT NULL,
        open_from bigint
    )""",
    """
    CREATE TABLE IF NOT EXISTS feem.audit_entry (
        log text NOT NULL REFERENCES feem.audit_head,
        index bigint NOT NULL CHECK (index >= 0),
        data bytea NOT NULL CHECK (octet_length(data) <= 65535),
        PRIMARY KEY (log, index)
    )""",
)
_LOCK = 0x6665656D  # `feem`: two operators that start together create the tables one after the other


class PostgresRecords:
    """One log in a database. Its number is counted in the head's row, never by a SEQUENCE, which a rollback leaves with a gap."""

    def __init__(self, dsn: str | Dsn, log: str = "feem", *, timeout: float = TIMEOUT) -> None:
        self._log = log
        given: Dsn = dsn if callable(dsn) else lambda: dsn
        self._session = Session(given, self._prepare, timeout=timeout)

    async def close(self) -> None:
        """Close the connection."""
        await self._session.close()

    async def head(self) -> Stored | None:
        """Return the last entry; see `feem.ports.Records`."""

        async def ask(connection: Connection) -> tuple[int, str, int | None, bytes | None]:
            cursor = await connection.execute(
                "SELECT head.size, head.digest, head.open_from, entry.data FROM feem.audit_head AS head"
                " LEFT JOIN feem.audit_entry AS entry ON entry.log = head.log AND entry.index = head.size - 1"
                " WHERE head.log = %s",
                (self._log,),
            )
            return await cursor.fetchone() or (0, "", None, None)

        size, digest, open_from, data = await self._session.do(ask)
        if size == 0:
            return None
        if data is None:
            raise self._damaged(f"entry {size - 1} is missing, which feem.audit_head calls the last")
        record = self._parsed(bytes(data), size - 1)
        if record.digest != digest:
            raise self._damaged(f"entry {size - 1} digests to {record.digest}, feem.audit_head says {digest}")
        return Stored(record, open_from)

    async def read(self, index: int) -> AuditSpec | None:
        """Return the entry at an index."""

        async def ask(connection: Connection) -> tuple[bytes] | None:
            cursor = await connection.execute(
                "SELECT data FROM feem.audit_entry WHERE log = %s AND index = %s", (self._log, index)
            )
            return await cursor.fetchone()

        row = await self._session.do(ask)
        return None if row is None else self._parsed(bytes(row[0]), index)

    async def put(self, record: AuditSpec, open_from: int) -> None:
        """Add the next entry in one transaction; raises as the port says, and ValueError for an entry of more than 65,535 bytes."""
        data = entry_bytes(record)
        if len(data) > MAX_ENTRY:
            raise ValueError(f"an entry has at most {MAX_ENTRY} bytes, not {len(data)}")

        async def act(connection: Connection) -> None:
            async with connection.transaction():
                await self._admit(connection, record)
                await self._write(connection, record, data, open_from)

        await self._session.do(act)

    async def since(self, first: int, until: int | None = None) -> AsyncIterator[AuditSpec]:
        """Return the entries from an index on, 256 at a time in memory."""
        size = await self._session.do(self._size)
        end = size if until is None else min(size, until)
        while first < end:
            rows = await self._session.do(functools.partial(self._page, first=first, end=end))
            for index, data in rows:
                yield self._parsed(bytes(data), index)
            first = end if len(rows) < PAGE else rows[-1][0] + 1

    async def prune(self, before: int) -> int:
        """Remove entries below an index, never the last one."""
        gone = 0
        bound = min(before, await self._session.do(self._size) - 1)
        while True:
            count = await self._session.do(functools.partial(self._remove, before=bound))
            gone += count
            if count < PRUNED_AT_ONCE:
                return gone

    async def _admit(self, connection: Connection, record: AuditSpec) -> None:
        """Lock the head, and raise unless this is the entry after it."""
        cursor = await connection.execute(
            "SELECT size, epoch, digest FROM feem.audit_head WHERE log = %s FOR UPDATE", (self._log,)
        )
        row = await cursor.fetchone()
        if row is None:
            raise self._damaged("its row of feem.audit_head is gone")
        size, epoch, digest = row
        if record.index < size:
            raise Taken(f"audit store {self._session.name} has entry {record.index}, and {size} in all")
        if record.epoch < epoch:
            raise Taken(f"audit store {self._session.name}: epoch {epoch} has written, {record.epoch} is over")
        if record.index > size or record.previous != digest:
            raise Unavailable(
                f"audit store {self._session.name}: entry {record.index} does not follow the last of {size}: "
                "an older backup was restored; put the newest back, then restart the operator"
            )

    async def _write(self, connection: Connection, record: AuditSpec, data: bytes, open_from: int) -> None:
        try:
            await connection.execute(
                "INSERT INTO feem.audit_entry (log, index, data) VALUES (%s, %s, %s)", (self._log, record.index, data)
            )
        except psycopg.errors.UniqueViolation as there:
            raise self._damaged(f"entry {record.index} stands beyond what feem.audit_head counts") from there
        await connection.execute(
            "UPDATE feem.audit_head SET size = %s, epoch = %s, digest = %s, open_from = %s WHERE log = %s",
            (record.index + 1, record.epoch, record.digest, open_from, self._log),
        )

    async def _size(self, connection: Connection) -> int:
        cursor = await connection.execute("SELECT size FROM feem.audit_head WHERE log = %s", (self._log,))
        row = await cursor.fetchone()
        return 0 if row is None else int(row[0])

    async def _page(self, connection: Connection, first: int, end: int) -> list[tuple[int, bytes]]:
        cursor = await connection.execute(
            "SELECT index, data FROM feem.audit_entry WHERE log = %s AND index >= %s AND index < %s ORDER BY index LIMIT %s",
            (self._log, first, end, PAGE),
        )
        return await cursor.fetchall()

    async def _remove(self, connection: Connection, before: int) -> int:
        """Remove a batch, oldest first: one long statement would run into its timeout."""
        cursor = await connection.execute(
            "DELETE FROM feem.audit_entry WHERE log = %s AND index < %s AND index < %s"
            " + (SELECT min(index) FROM feem.audit_entry WHERE log = %s)",
            (self._log, before, PRUNED_AT_ONCE, self._log),
        )
        return cursor.rowcount

    async def _prepare(self, connection: Connection) -> None:
        """Create what is missing; a role that may not create tables finds those made for it."""
        cursor = await connection.execute("SELECT to_regclass('feem.audit_head'), to_regclass('feem.audit_entry')")
        if None in (await cursor.fetchone() or (None,)):
            async with connection.transaction():
                await self._make_tables(connection)
        cursor = await connection.execute("SELECT 1 FROM feem.audit_head WHERE log = %s", (self._log,))
        if await cursor.fetchone() is None:
            await connection.execute(
                "INSERT INTO feem.audit_head (log, size, epoch, digest) VALUES (%s, 0, 0, '') ON CONFLICT DO NOTHING",
                (self._log,),
            )

    async def _make_tables(self, connection: Connection) -> None:
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        cursor = await connection.execute("SELECT to_regnamespace('feem')")
        if await cursor.fetchone() == (None,):  # asked first: IF NOT EXISTS wants the right to make one all the same
            await connection.execute("CREATE SCHEMA feem")
        for statement in _TABLES:
            await connection.execute(statement)

    def _parsed(self, data: bytes, index: int) -> AuditSpec:
        try:
            return record_of(data, index)
        except ValueError as problem:
            raise self._damaged(str(problem)) from problem

    def _damaged(self, how: str) -> Unavailable:
        return Unavailable(
            f"audit store {self._session.name}: log {self._log!r} is not whole: {how}; "
            "somebody else changed it: restore the newest backup"
        )
