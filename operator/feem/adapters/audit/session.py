"""One connection to PostgreSQL that is made when it is needed, never waits for ever, and says plainly what went wrong."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import socket
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow

from feem.ports import Unavailable

T = TypeVar("T")
Connection = psycopg.AsyncConnection[TupleRow]
Dsn = Callable[[], str]
"""Asked for each new connection, so that a password may change."""

_SETTINGS = (
    # A stronger promise of the server's owner (remote_apply) stays as it is; weaker ones are not what `durable` means.
    "SELECT set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit') IN ('off', 'local', 'remote_write')"
    " THEN 'on' ELSE current_setting('synchronous_commit') END, false),"
    " set_config('statement_timeout', %s, false), set_config('lock_timeout', %s, false),"
    " set_config('idle_in_transaction_session_timeout', %s, false), current_setting('fsync')"
)
_NEXT_STEPS = {
    "53100": "add space to its volume; nothing was written",
    "53200": "give it more memory",
    "53300": "raise max_connections, or give FEEM's role a share of its own",
    "42501": "grant FEEM's role what docs/audit-stores.md lists",
    "42P01": "let FEEM's role create tables once, or create them as docs/audit-stores.md says",
    "25006": "connect to the primary: add target_session_attrs=read-write to the connection string",
    "55P03": "another operator holds the log's head: look at pg_stat_activity",
    "57014": "look at pg_stat_activity for what is in the way",
}
_UNREACHED = "see whether it runs, has the database, and admits FEEM's role"


class Session:
    """The connection; work is done one piece after another."""

    def __init__(self, dsn: Dsn, prepare: Callable[[Connection], Awaitable[None]], *, timeout: float) -> None:
        self._dsn, self._prepare, self._timeout = dsn, prepare, timeout
        self._connection: Connection | None = None
        self._turn = asyncio.Lock()

    async def do(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do a piece of work. Raises Unavailable; a connection that made trouble is not used again."""
        async with self._turn:
            try:
                connection = await self._connected()
                with _bounded(connection, self._timeout):
                    return await work(connection)
            except psycopg.Error as problem:
                await self._drop()
                raise self.unavailable(problem) from problem
            except asyncio.CancelledError:
                await self._drop()
                raise

    async def close(self) -> None:
        """Close the connection; the next piece of work makes a new one."""
        async with self._turn:
            await self._drop()

    def unavailable(self, problem: psycopg.Error) -> Unavailable:
        """Return a database error as the port says it: the object, the reason, the next step."""
        said = problem.diag.message_primary or " ".join(str(problem).split()) or type(problem).__name__
        step = _NEXT_STEPS.get(problem.sqlstate or "", "see its log" if problem.sqlstate else _UNREACHED)
        return Unavailable(f"audit store {self.name}: {said}; {step}")

    @property
    def name(self) -> str:
        """The database without its secrets: host and name."""
        try:
            known = conninfo_to_dict(self._dsn())
        except (psycopg.ProgrammingError, OSError):
            return "PostgreSQL"
        return f"PostgreSQL {known.get('host', 'localhost')}/{known.get('dbname', '')}"

    async def _connected(self) -> Connection:
        if self._connection is not None and not _was_left(self._connection):
            return self._connection
        await self._drop()
        connection = await self._connect()
        try:
            with _bounded(connection, self._timeout):
                await self._set_up(connection)
        except BaseException:
            await connection.close()
            raise
        self._connection = connection
        return connection

    async def _connect(self) -> Connection:
        seconds = max(2, round(self._timeout / 2))
        try:
            dsn = self._dsn()
            conninfo_to_dict(dsn)
        except psycopg.ProgrammingError:
            raise Unavailable(
                "audit store PostgreSQL: its connection string cannot be read; write it as "
                "`host=… dbname=… user=…` or as a postgresql:// URL"
            ) from None  # the parser quotes pieces of the string, which has a password in it
        except OSError as problem:
            raise Unavailable(
                f"audit store PostgreSQL: its connection string cannot be read: {problem}; mount its Secret"
            ) from problem
        return await psycopg.AsyncConnection.connect(
            dsn, autocommit=True, prepare_threshold=None, connect_timeout=seconds, application_name="feem-audit"
        )

    async def _set_up(self, connection: Connection) -> None:
        milliseconds = round(self._timeout * 1000)
        waits = (str(milliseconds * 8 // 10), str(milliseconds // 2), str(milliseconds))
        row = await (await connection.execute(_SETTINGS, waits)).fetchone()
        if row is None or row[-1] != "on":
            raise Unavailable(
                f"audit store {self.name}: it runs with fsync=off and may lose what it confirmed; set fsync=on"
            )
        await connection.set_isolation_level(psycopg.IsolationLevel.READ_COMMITTED)
        await self._prepare(connection)

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(psycopg.Error):
                await connection.close()


@contextlib.contextmanager
def _bounded(connection: Connection, seconds: float) -> Iterator[None]:
    """Cut the line when work takes longer: a server that hangs answers no request to cancel either."""
    cut = asyncio.get_running_loop().call_later(seconds, _cut, connection)
    try:
        yield
    finally:
        cut.cancel()


def _cut(connection: Connection) -> None:
    with contextlib.suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


def _was_left(connection: Connection) -> bool:
    """Whether the server has hung up on an idle connection, as it does when it restarts: then there is something to read."""
    try:
        line = select.poll()
        line.register(connection.fileno(), select.POLLIN)
        return bool(line.poll(0))
    except (OSError, psycopg.Error):
        return True
