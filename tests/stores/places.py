"""The stores that the contract is asked of, each with what a test needs besides: further hands on it, a backup, many entries."""

from __future__ import annotations

import copy
import shutil
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import psycopg

from feem.adapters.audit.directory import DirectoryRecords
from feem.adapters.audit.postgres import PostgresRecords
from feem.adapters.kubernetes.client import Client, with_type
from feem.adapters.kubernetes.records import KubernetesRecords
from feem.adapters.kubernetes.resources import RECORDS
from feem.api.audit import AuditSpec
from feem.core.audit.entry import entry_bytes
from feem.core.audit.record import name_of
from feem.ports import Body, Records
from tests.adapters.fake import FakeClient
from tests.stores.server import Server
from tests.stores.writer import Opening


class Place(ABC):
    """Somewhere that a log is kept."""

    opening: Opening | None = None
    """How another process opens it; None: it cannot."""
    orders = True
    """Whether the store itself refuses gaps and old epochs, beside what the ledger above it does."""
    prunes = True
    shared = False
    """Whether others write there, too: then nothing is removed or put back."""

    @abstractmethod
    async def open(self) -> Records:
        """Return another hand on the store, as another process would have it."""

    async def close(self) -> None:
        return None

    async def fill(self, entries: Sequence[AuditSpec]) -> None:
        """Add many entries to an empty store, faster than one by one."""
        raise NotImplementedError

    async def back_up(self) -> None:
        """Keep a copy of the store as it is."""
        raise NotImplementedError

    async def restore(self) -> None:
        """Put the copy in the store's place."""
        raise NotImplementedError


class DirectoryPlace(Place):
    prunes = False

    def __init__(self, root: Path) -> None:
        self.path, self._copy = root / "audit", root / "backup"
        self.opening = ("directory", str(self.path))

    async def open(self) -> DirectoryRecords:
        return DirectoryRecords(self.path)

    async def fill(self, entries: Sequence[AuditSpec]) -> None:
        await (await self.open()).extend(0, [entry_bytes(entry) for entry in entries])

    async def back_up(self) -> None:
        shutil.copytree(self.path, self._copy)

    async def restore(self) -> None:
        shutil.rmtree(self.path)
        shutil.copytree(self._copy, self.path)


class PostgresPlace(Place):
    def __init__(self, server: Server, database: str) -> None:
        self.server, self.database = server, database
        self.server.do(f"CREATE DATABASE {database}")
        self.opening = ("postgres", server.dsn(database))
        self._opened: list[PostgresRecords] = []
        self._backup = b""

    async def open(self) -> PostgresRecords:
        self._opened.append(PostgresRecords(self.server.dsn(self.database)))
        return self._opened[-1]

    async def close(self) -> None:
        for records in self._opened:
            await records.close()
        self.server.do(f"DROP DATABASE {self.database} WITH (FORCE)")

    async def fill(self, entries: Sequence[AuditSpec]) -> None:
        await (await self.open()).head()  # makes the tables
        last = entries[-1]
        with psycopg.connect(self.server.dsn(self.database)) as connection, connection.cursor() as cursor:
            with cursor.copy("COPY feem.audit_entry (log, index, data) FROM STDIN") as copying:
                for entry in entries:
                    copying.write_row(("feem", entry.index, entry_bytes(entry)))
            cursor.execute("UPDATE feem.audit_head SET size = %s, digest = %s", (len(entries), last.digest))

    async def back_up(self) -> None:
        self._backup = self.server.run(
            "pg_dump", "--clean", "--if-exists", f"--dbname={self.server.dsn(self.database)}"
        )

    async def restore(self) -> None:
        file = self.server.root / f"{self.database}.sql"
        file.write_bytes(self._backup)
        file.chmod(0o644)
        self.server.run("psql", "--quiet", "--set=ON_ERROR_STOP=1", f"--file={file}", self.server.dsn(self.database))


class DeletingClient(FakeClient):
    """The client in memory, for pruning."""

    async def delete(self, resource: str, namespace: str, name: str, *, uid: str) -> None:
        def act() -> None:
            found = self.objects.get((resource, namespace, name))
            if found is not None and found["metadata"]["uid"] == uid:
                del self.objects[resource, namespace, name]

        await self._ask("delete", name, act)

    def _store(self, resource: str, namespace: str, body: Body) -> Body:
        name = body["metadata"]["name"]
        return super()._store(resource, namespace, {**body, "metadata": {"uid": f"uid-{name}", **body["metadata"]}})


class MemoryPlace(Place):
    """The store beside the cluster's objects, over a simulated API server."""

    orders = False

    def __init__(self) -> None:
        self.fake = DeletingClient()
        self._copy: dict[tuple[str, str, str], Body] = {}

    async def open(self) -> KubernetesRecords:
        return KubernetesRecords(self.fake.client)

    async def fill(self, entries: Sequence[AuditSpec]) -> None:
        for entry in entries:
            body = with_type(RECORDS, {"metadata": {"name": name_of(entry.index)}, "spec": entry.wire()})
            await self.fake.create(RECORDS, "", body)

    async def back_up(self) -> None:
        self._copy = copy.deepcopy(self.fake.objects)

    async def restore(self) -> None:
        self.fake.objects = copy.deepcopy(self._copy)


class ClusterPlace(Place):
    """The store beside the cluster's objects, on a real API server that other tests use, too."""

    orders = False
    shared = True

    def __init__(self, kubeconfig: Path) -> None:
        self._kubeconfig = kubeconfig
        self._clients: list[Client] = []

    async def open(self) -> KubernetesRecords:
        self._clients.append(await Client.connect(str(self._kubeconfig)))
        return KubernetesRecords(self._clients[-1])

    async def close(self) -> None:
        for client in self._clients:
            await client.close()
