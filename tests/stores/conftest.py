"""Each test that takes `place` is asked of every store; those that need a server are integration tests."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from feem.api.audit import AuditSpec
from feem.ports import Records
from tests.integration.adapter import operator_kubeconfig
from tests.integration.conftest import cluster
from tests.stores.chain import chain, put
from tests.stores.places import ClusterPlace, DirectoryPlace, MemoryPlace, Place, PostgresPlace
from tests.stores.server import Server, started

__all__ = ["cluster"]

_names = (f"log{number}" for number in itertools.count())
RolledBack = Callable[[Place], Awaitable[tuple[list[AuditSpec], list[AuditSpec]]]]


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server."""
    found = started()
    yield found
    found.remove()


@pytest.fixture(
    params=[
        "directory",
        "simulated",
        pytest.param("postgres", marks=pytest.mark.integration),
        pytest.param("cluster", marks=pytest.mark.integration),
    ]
)
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    """A store, empty unless others use it, too."""
    found: Place
    match request.param:
        case "directory":
            found = DirectoryPlace(tmp_path)
        case "simulated":
            found = MemoryPlace()
        case "postgres":
            found = PostgresPlace(request.getfixturevalue("server"), next(_names))
        case _:
            found = ClusterPlace(operator_kubeconfig(request.getfixturevalue("cluster")))
    yield found
    await found.close()


@pytest.fixture
async def records(place: Place) -> Records:
    """A hand on the store."""
    return await place.open()


@pytest.fixture
def rolled_back() -> RolledBack:
    """Write to a store, restore an old backup of it; returns the entries it has now, and those that are lost."""

    async def roll_back(place: Place) -> tuple[list[AuditSpec], list[AuditSpec]]:
        writer = await place.open()
        entries = list(chain(300))
        await place.fill(entries[:250])
        await put(writer, entries[250:270])
        await place.back_up()
        await put(writer, entries[270:])
        await place.restore()
        return entries[:270], entries[270:]

    return roll_back
