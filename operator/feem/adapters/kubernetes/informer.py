"""Keeps the local copy true: watches feed it, and a listing of names makes good for deletions that no watch saw."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from typing import Self

from feem.adapters.kubernetes.client import Client
from feem.adapters.kubernetes.errors import NotFound
from feem.adapters.kubernetes.resources import WATCHED, type_of
from feem.adapters.kubernetes.store import Store
from feem.adapters.kubernetes.watches import Watches, quieten
from feem.ports import Body, Conflict, Refused, Unavailable

log = logging.getLogger(__name__)

NAMES_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
SETTLE = 0.5
"""Seconds from the first sign of a new listing to our own, so that one listing answers for a burst of signs."""
RETRY = 5.0
"""Seconds until a listing that failed is tried again."""

Changed = Callable[[str, Body, bool], None]
"""Called for every event with the resource, the object, and whether it is deleted."""


class Informer:
    """Feeds `store` and calls `changed` in the event loop it was started in, first when all initial listings are complete.

    `sweep_seconds` is how often names are compared without any sign that something was missed.
    """

    def __init__(
        self,
        client: Client,
        store: Store,
        changed: Changed,
        *,
        resources: Sequence[str] = WATCHED,
        sweep_seconds: float = 600.0,
    ) -> None:
        self._client = client
        self._store = store
        self._changed = changed
        self._resources = tuple(resources)
        self._sweep_seconds = sweep_seconds
        self._synced = asyncio.Event()
        self._suspects: set[str] = set()
        self._suspicion = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sweeper: asyncio.Task[None] | None = None
        types = [type_of(resource) for resource in self._resources]
        self._watches = Watches(
            types,
            lambda: client.configuration,
            listed=lambda *known: self._hand_over(self._take, *known),
            event=lambda *seen: self._hand_over(self._tell, *seen),
            interrupted=lambda: self._hand_over(self._suspect, self._resources),
        )

    async def start(self) -> None:
        """Start watching; returns at once, see `synced`."""
        quieten()
        self._loop = asyncio.get_running_loop()
        self._watches.start()
        self._sweeper = asyncio.create_task(self._sweep_forever(), name="sweeper")

    async def stop(self) -> None:
        """End all watches."""
        self._loop = None
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.wait([self._sweeper])
        await self._watches.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def synced(self) -> None:
        """Wait until the local copy holds everything there was at the start."""
        await self._synced.wait()

    @property
    def problem(self) -> str:
        """Why nothing is watched at the moment; empty when all is well."""
        if self._loop is not None and not self._watches.is_alive():
            return "the informer's thread has ended"
        if self._sweeper is not None and self._sweeper.done():
            return "the comparison of names has ended"
        return self._watches.problem

    def _hand_over(self, call: Callable[..., None], *args: object) -> None:
        """Move a call from the watches' thread to ours, keeping the order."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(call, *args)

    def _take(self, resource: str, body: Body) -> None:
        self._store.put(resource, body)

    def _tell(self, resource: str, kind: str | None, body: Body) -> None:
        if self._loop is None:
            return
        if kind == "DELETED":
            self._store.delete(resource, body)
        elif kind is None and self._synced.is_set():
            self._suspect([resource])
        self._synced.set()
        self._changed(resource, body, kind == "DELETED")

    def _suspect(self, resources: Collection[str]) -> None:
        self._suspects.update(resources)
        self._suspicion.set()

    async def _sweep_forever(self) -> None:
        """A listing in mid-life means that a watch was interrupted for long: what died meanwhile has sent no event."""
        await self._synced.wait()
        while True:
            try:
                async with asyncio.timeout(self._sweep_seconds):
                    await self._suspicion.wait()
                await asyncio.sleep(SETTLE)
            except TimeoutError:
                self._suspects.update(self._resources)
            suspects, self._suspects = self._suspects, set()
            self._suspicion.clear()
            try:
                for resource in sorted(suspects):
                    await self._sweep(resource)
                    suspects.discard(resource)
            except (Unavailable, Conflict, Refused) as problem:
                log.warning("deletions may have been missed, names are compared again in %g s: %s", RETRY, problem)
                if self._loop is not None:
                    self._loop.call_later(RETRY, self._suspect, suspects)

    async def _sweep(self, resource: str) -> None:
        try:
            uids, listed_at = await self._names(resource)
        except NotFound:
            return
        for body in self._store.retain(resource, uids, listed_at):
            log.info("%s %s is gone, which no watch told", resource, body["metadata"]["name"])
            self._changed(resource, body, True)

    async def _names(self, resource: str) -> tuple[set[str], int]:
        uids, listed_at = set[str](), 0
        async for page in self._client.pages(resource, accept=NAMES_ONLY):
            listed_at = listed_at or int(page["metadata"]["resourceVersion"])
            uids.update(item["metadata"]["uid"] for item in page.get("items") or ())
        return uids, listed_at
