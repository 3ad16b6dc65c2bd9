"""PostgreSQL with its own accidents: backends and servers that die, hang or fill up, roles with few rights, other hands in the tables."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from feem.adapters.audit.postgres import PostgresRecords
from feem.core.audit.entry import entry_bytes
from feem.ports import Unavailable
from tests.stores.chain import all_since, chain, check_chain, follow, put
from tests.stores.crashes import stop_within_the_transaction
from tests.stores.mounts import enlarge, small
from tests.stores.places import PostgresPlace
from tests.stores.server import Server, started
from tests.stores.writer import context, start, write_alone

pytestmark = pytest.mark.integration
PAGE = Path(__file__).parents[2] / "docs" / "audit-stores.md"
ENTRIES = list(chain(40))
_names = (f"postgres{number}" for number in itertools.count())


@pytest.fixture
async def place(server: Server) -> AsyncIterator[PostgresPlace]:
    found = PostgresPlace(server, next(_names))
    yield found
    await found.close()


@pytest.fixture
def fragile() -> Iterator[Server]:
    """A server that a test may crash."""
    found = started()
    yield found
    found.remove()


@pytest.fixture
async def other(place: PostgresPlace) -> AsyncIterator[psycopg.AsyncConnection[tuple[object, ...]]]:
    """Somebody else's connection, with a transaction of its own."""
    async with await psycopg.AsyncConnection.connect(place.server.dsn(place.database)) as connection:
        yield connection
        await connection.rollback()


def backend(server: Server, database: str) -> int:
    """The process that serves FEEM."""
    ((pid,),) = server.do(
        f"SELECT pid FROM pg_stat_activity WHERE application_name = 'feem-audit' AND datname = '{database}'"  # noqa: S608
    )
    assert isinstance(pid, int)
    return pid


async def test_a_connection_that_is_ended_is_made_again(place: PostgresPlace) -> None:
    records = await place.open()
    for entry in ENTRIES[:5]:
        await records.put(entry, entry.index)
        place.server.do(f"SELECT pg_terminate_backend({backend(place.server, place.database)}, 5000)")
    assert await all_since(records) == ENTRIES[:5]


async def test_the_connection_ends_within_the_transaction(
    place: PostgresPlace, other: psycopg.AsyncConnection[tuple[object, ...]]
) -> None:
    """The entry is inserted and waits for the head's row; then the line is cut: nothing of it stays."""
    records = await place.open()
    await put(records, ENTRIES[:2])
    await other.execute("SELECT FROM feem.audit_head FOR UPDATE")
    putting = asyncio.create_task(records.put(ENTRIES[2], 2))
    await waiting(place)
    place.server.do(f"SELECT pg_terminate_backend({backend(place.server, place.database)}, 5000)")
    with pytest.raises(Unavailable, match=r"audit store PostgreSQL .*terminating connection"):
        await putting
    await other.rollback()
    assert await all_since(records) == ENTRIES[:2]
    await records.put(ENTRIES[2], 2)


async def test_a_head_that_is_held_is_not_waited_for_without_end(
    place: PostgresPlace, other: psycopg.AsyncConnection[tuple[object, ...]]
) -> None:
    await put(await place.open(), ENTRIES[:1])
    await other.execute("SELECT FROM feem.audit_head FOR UPDATE")
    hasty = PostgresRecords(place.server.dsn(place.database), timeout=1)
    with pytest.raises(Unavailable, match=r"lock timeout; another operator holds the log's head"):
        await hasty.put(ENTRIES[1], 1)
    await other.rollback()
    await hasty.put(ENTRIES[1], 1)
    await hasty.close()


async def test_a_stopped_writer_loses_the_head(place: PostgresPlace) -> None:
    """An operator that is paused within its transaction is hung up on, and finds another's entry when it wakes."""
    hears, says = context().Pipe(duplex=False)
    process = start(stop_within_the_transaction, place.server.dsn(place.database), says)
    assert await asyncio.to_thread(hears.recv) == "stopped"
    assert process.pid is not None
    try:
        new = follow(follow(None), "the new leader's", epoch=1)
        async with asyncio.timeout(5):
            await (await place.open()).put(new, 1)
    finally:
        os.kill(process.pid, signal.SIGCONT)
    assert await asyncio.to_thread(hears.recv) == "Unavailable"
    assert await asyncio.to_thread(hears.recv) == "Taken"
    await asyncio.to_thread(process.join, 30)
    assert await (await place.open()).read(1) == new


async def test_a_server_that_hangs_is_left(place: PostgresPlace) -> None:
    """A stopped backend answers no request to cancel either: the line is cut."""
    records = PostgresRecords(place.server.dsn(place.database), timeout=1.5)
    await put(records, ENTRIES[:2])
    pid = backend(place.server, place.database)
    os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        with pytest.raises(Unavailable):
            await records.put(ENTRIES[2], 2)
        assert time.monotonic() - began < 5
        assert await records.read(1) == ENTRIES[1]  # by a new connection
    finally:
        os.kill(pid, signal.SIGCONT)
    await asyncio.sleep(0.2)
    head = await records.head()
    assert head is not None
    if head.record == ENTRIES[1]:  # the stopped backend may have finished what it was sent
        await records.put(ENTRIES[2], 2)
    assert await all_since(records) == ENTRIES[:3]
    await records.close()


async def test_crashes_of_the_server_while_two_write(fragile: Server) -> None:
    """Kill -9 of a backend and of the whole server: what was said to be durable is there, without a gap."""
    place = PostgresPlace(fragile, "crashing")
    records = await place.open()
    await records.head()
    said = -1
    for round_ in range(6):
        hears, says = context().Pipe(duplex=False)
        assert place.opening is not None
        processes = [start(write_alone, place.opening, 100_000, f"{name} {round_}", says) for name in ("one", "two")]
        says.close()
        assert await asyncio.to_thread(hears.poll, 30)
        await asyncio.sleep(0.1 + round_ * 0.03)
        if round_ % 2:
            assert fragile.process is not None
            fragile.stop(signal.SIGQUIT)
            fragile.start()
        else:
            os.kill(await busy(fragile), signal.SIGKILL)  # the server takes all backends down and recovers
        for process in processes:
            await asyncio.to_thread(process.join, 30)
            assert process.exitcode == 1  # Unavailable ended it
        try:
            while True:
                said = max(said, hears.recv())
        except EOFError:
            pass
        await asyncio.to_thread(fragile.wait)
        entries = await all_since(records)
        check_chain(entries)
        assert said < len(entries) <= said + 3
    assert said > 20


async def test_a_full_volume(fragile: Server, tmp_path: Path) -> None:
    """The entries' tablespace on a volume of one MiB: refused with PostgreSQL's own words, and whole."""
    if fragile.user is None:
        pytest.skip("mounting a small volume needs root")
    place = PostgresPlace(fragile, "filling")
    records = await place.open()
    await records.head()
    folder = fragile.root / "volume"
    folder.mkdir()
    with small(folder, "1m", fragile.user):
        fragile.do(f"CREATE TABLESPACE small LOCATION '{folder}'")
        fragile.do("ALTER TABLE feem.audit_entry SET TABLESPACE small", "filling")
        entry, problem = follow(None), ""
        while not problem:
            try:
                await records.put(entry, entry.index)
            except Unavailable as full:
                problem = str(full)
            else:
                entry = follow(entry, os.urandom(1500).hex())
        assert "No space left on device; add space to its volume; nothing was written" in problem
        entries = await all_since(records)
        assert len(entries) == entry.index > 50
        enlarge(folder, "8m")
        await records.put(entry, entry.index)
        check_chain(await all_since(records))
        await records.close()
        fragile.do("ALTER TABLE feem.audit_entry SET TABLESPACE pg_default", "filling")
        fragile.do("DROP TABLESPACE small")


async def test_a_role_with_few_rights(place: PostgresPlace) -> None:
    """The operator's role may add entries and move the head, and can neither change nor remove what is written.

    Tables and rights are made as the documentation tells an administrator to.
    """
    tables, rights = re.findall(r"```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    place.server.do(tables, place.database)
    place.server.do("CREATE ROLE writer LOGIN", place.database)
    for right in rights.replace("TO feem;", "TO writer;").splitlines():
        if "only where retention" not in right:
            place.server.do(right, place.database)
    dsn = psycopg.conninfo.make_conninfo(place.server.dsn(place.database), user="writer")
    records = PostgresRecords(dsn, "feem.dev/audit/feem-system")
    await put(records, ENTRIES[:3])
    assert await all_since(records) == ENTRIES[:3]
    with pytest.raises(Unavailable, match=r"permission denied.*grant FEEM's role what docs/audit-stores\.md lists"):
        await records.prune(1)
    with psycopg.connect(dsn, autocommit=True) as connection:
        for statement in (
            "UPDATE feem.audit_entry SET data = ''",
            "DELETE FROM feem.audit_entry",
            "TRUNCATE feem.audit_entry",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
    other = PostgresRecords(dsn, "another-log")
    with pytest.raises(Unavailable, match="permission denied for table audit_head"):
        await other.head()
    await other.close()
    await records.close()
    place.server.do("DROP OWNED BY writer", place.database)
    place.server.do("DROP ROLE writer")


async def test_two_logs_in_one_database(place: PostgresPlace) -> None:
    one = await place.open()
    two = PostgresRecords(place.server.dsn(place.database), "second")
    await put(one, ENTRIES[:3])
    await put(two, ENTRIES[:1])
    assert await all_since(one) == ENTRIES[:3]
    assert await all_since(two) == ENTRIES[:1]
    await two.close()


async def test_operators_that_start_together_make_the_tables_once(place: PostgresPlace) -> None:
    hands = [await place.open() for _ in range(8)]
    assert await asyncio.gather(*(hand.head() for hand in hands)) == [None] * 8


DAMAGE: list[tuple[str, str, Callable[[PostgresRecords], Awaitable[object]]]] = [
    ("UPDATE feem.audit_head SET digest = 'sha256:0'", "entry 4 digests to", lambda records: records.head()),
    (
        "UPDATE feem.audit_head SET size = 4, digest = '$3'",
        "entry 4 stands beyond what feem.audit_head counts",
        lambda records: records.put(follow(ENTRIES[3], "again"), 4),
    ),
    (
        "UPDATE feem.audit_entry SET data = '{}' WHERE index = 3",
        "entry 3 is no audit record",
        lambda records: records.read(3),
    ),
    ("DELETE FROM feem.audit_entry WHERE index = 4", "entry 4 is missing", lambda records: records.head()),
    ("TRUNCATE feem.audit_head CASCADE", "feem.audit_head is gone", lambda records: records.put(ENTRIES[5], 5)),
]


@pytest.mark.parametrize(("statement", "refusal", "attempt"), DAMAGE)
async def test_other_hands_in_the_tables_are_named(
    place: PostgresPlace, statement: str, refusal: str, attempt: Callable[[PostgresRecords], Awaitable[object]]
) -> None:
    records = await place.open()
    await put(records, ENTRIES[:5])
    await place.back_up()
    place.server.do(statement.replace("$3", ENTRIES[3].digest), place.database)
    with pytest.raises(Unavailable, match=refusal):
        await attempt(records)
    await place.restore()
    await records.put(ENTRIES[5], 5)


async def test_what_stands_in_the_table_is_the_published_entry(place: PostgresPlace) -> None:
    await put(await place.open(), ENTRIES[:1])
    assert place.server.do("SELECT data FROM feem.audit_entry", place.database) == [(entry_bytes(ENTRIES[0]),)]


async def test_a_weak_promise_is_made_strong(place: PostgresPlace) -> None:
    for given, wanted in (("off", "on"), ("local", "on"), ("remote_apply", "remote_apply")):
        place.server.do(f"ALTER DATABASE {place.database} SET synchronous_commit = {given}")
        records = await place.open()
        await records.head()

        async def ask(connection: psycopg.AsyncConnection[tuple[object, ...]]) -> object:
            return (await (await connection.execute("SHOW synchronous_commit")).fetchone() or ("",))[0]

        assert await records._session.do(ask) == wanted


async def test_a_server_that_may_forget_is_refused(fragile: Server) -> None:
    fragile.do("ALTER SYSTEM SET fsync = off")
    fragile.do("SELECT pg_reload_conf()")
    await asyncio.sleep(0.3)
    records = PostgresRecords(fragile.dsn())
    with pytest.raises(Unavailable, match="fsync=off"):
        await records.head()


async def test_errors_tell_no_password(server: Server) -> None:
    for dsn, said in (
        ("host=/nowhere dbname=audit user=feem password=tr0ub4dor", "PostgreSQL /nowhere/audit: .*see whether it runs"),
        ("tr0ub4dor", "its connection string cannot be read"),
        (
            server.dsn("missing", password="tr0ub4dor"),  # noqa: S106 - of nobody
            'database "missing" does not exist; see whether it runs, has the database',
        ),
    ):
        with pytest.raises(Unavailable, match=said) as raised:
            await PostgresRecords(dsn).head()
        assert "tr0ub4dor" not in str(raised.value)


async def test_a_new_password_is_read_for_the_next_connection(place: PostgresPlace) -> None:
    asked: list[int] = []

    def dsn() -> str:
        asked.append(1)
        return place.server.dsn(place.database)

    records = PostgresRecords(dsn)
    await put(records, ENTRIES[:1])
    before = len(asked)
    place.server.do(f"SELECT pg_terminate_backend({backend(place.server, place.database)}, 5000)")
    await put(records, ENTRIES[1:2])
    assert len(asked) > before
    await records.close()


async def busy(server: Server) -> int:
    """Return a backend that is at work for FEEM at this moment."""
    for _ in range(500):
        found = server.do("SELECT pid FROM pg_stat_activity WHERE application_name = 'feem-audit' AND state <> 'idle'")
        if found:
            return int(str(found[0][0]))
    pytest.fail("nobody writes")


async def waiting(place: PostgresPlace) -> None:
    """Wait until FEEM's backend waits for a lock."""
    for _ in range(100):
        if place.server.do(
            "SELECT 1 FROM pg_stat_activity WHERE application_name = 'feem-audit' AND wait_event_type = 'Lock'"
        ):
            return
        await asyncio.sleep(0.02)
    pytest.fail("nobody waits for the head")
