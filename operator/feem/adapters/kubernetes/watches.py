"""kopf as the informer: it lists, watches and reconnects; it never writes.

It runs in a thread and an event loop of its own, because at its end kopf cancels every task of its loop, and because parsing
a large listing must not delay the renewal of our lease.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

import kopf
from kubernetes.aio.client.configuration import Configuration

from feem.adapters.kubernetes.connection import watch_credentials
from feem.adapters.kubernetes.resources import ResourceType
from feem.ports import Body

log = logging.getLogger(__name__)

RESTART_AFTER = 1.0
"""Seconds between the end of one run of kopf and the next; kopf itself has retried for most of a minute by then."""

Listed = Callable[[str, Body], None]
"""Called with a resource and the state of an object."""
Event = Callable[[str, str | None, Body], None]
"""Called with a resource, the kind of event (None: from a listing) and the object's state; only once all listings are complete."""


class Watches:
    """Watches `types` until stopped. The callbacks are called in the thread of the watches; `interrupted` after a run of kopf ended."""

    def __init__(
        self,
        types: Sequence[ResourceType],
        credentials: Callable[[], Configuration],
        *,
        listed: Listed,
        event: Event,
        interrupted: Callable[[], None],
    ) -> None:
        self._types = types
        self._credentials = credentials
        self._listed = listed
        self._event = event
        self._interrupted = interrupted
        self._thread = threading.Thread(target=self._run, name="informer", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._ready = threading.Event()
        self.problem = ""
        """What ended the last run of kopf; empty while it runs."""

    def start(self) -> None:
        """Start the thread; returns at once."""
        self._thread.start()

    async def stop(self) -> None:
        """End all watches and wait for the thread, some tenths of a second."""
        if not self._thread.is_alive():
            return
        await asyncio.to_thread(self._ready.wait, 5)
        if self._loop is not None and self._stopping is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
        await asyncio.to_thread(self._thread.join, 15)
        if self._thread.is_alive():
            log.warning("the watches did not end within 15 s; the process ends without them")

    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def _run(self) -> None:
        asyncio.run(self._forever())

    async def _forever(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        self._ready.set()
        while not self._stopping.is_set():
            self.problem = ""
            try:
                await kopf.operator(
                    registry=self._registry(),
                    settings=_settings(),
                    clusterwide=True,
                    standalone=True,
                    stop_flag=self._stopping,
                )
            except Exception as ended:  # noqa: BLE001 - kopf ends with whatever met it; the watches must go on
                self.problem = f"{type(ended).__name__}: {ended}"
                log.warning("the watches ended, they start again: %s", self.problem)
                self._interrupted()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RESTART_AFTER):
                    await self._stopping.wait()

    def _registry(self) -> kopf.OperatorRegistry:
        registry = kopf.OperatorRegistry()

        @kopf.on.login(registry=registry)
        async def login(**_: Any) -> kopf.ConnectionInfo:
            return await watch_credentials(self._credentials())

        for each in self._types:
            self._watch(registry, each)
        return registry

    def _watch(self, registry: kopf.OperatorRegistry, watched: ResourceType) -> None:
        """Register both handlers of one resource.

        kopf calls the index for every object of every listing before it calls any event handler of any resource, which is how
        the first event tells that the local copy is complete.
        """

        @kopf.index(watched.group, watched.version, watched.plural, id=f"index-{watched.name}", registry=registry)
        async def index(body: kopf.Body, **_: Any) -> None:
            self._listed(watched.name, dict(body))

        @kopf.on.event(watched.group, watched.version, watched.plural, id=f"event-{watched.name}", registry=registry)
        async def event(event: kopf.RawEvent, **_: Any) -> None:
            self._event(watched.name, event["type"], dict(event["object"]))


class _NoDiffs(kopf.DiffBaseStorage):
    """Nothing here asks what changed between two states, so none is computed or kept."""

    def build(self, **_: Any) -> kopf.BodyEssence:
        return kopf.BodyEssence()

    def fetch(self, **_: Any) -> kopf.BodyEssence | None:
        return None

    def store(self, **_: Any) -> None:
        return None


def _settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.persistence.diffbase_storage = _NoDiffs()
    settings.watching.connect_timeout = 5.0
    settings.watching.chunk_size = 100
    settings.networking.request_timeout = 60.0
    settings.networking.error_backoffs = (0.1, 0.3, 1, 1, 2, 2, 3, 3, 5, 5, 5, 5, 5)
    settings.queueing.idle_timeout = 1.0
    settings.queueing.exit_timeout = 0.5
    settings.process.ultimate_exiting_timeout = None
    return settings


def quieten() -> None:
    """Leave kopf's own words to what somebody should act on: of a failing request the first try and the last, not the dozen between.

    Running in a thread, it would also always say that it ignores signals.
    """
    logging.getLogger("kopf").setLevel(logging.WARNING)
    logging.getLogger("kopf._core.reactor.running").setLevel(logging.ERROR)
    for name in ("kopf._cogs.clients.watching", "kopf._core.reactor.observation"):
        logger = logging.getLogger(name)
        if _says_news not in logger.filters:
            logger.addFilter(_says_news)


def _says_news(record: logging.LogRecord) -> bool:
    text = record.getMessage()
    return "will retry" not in text or "attempt #1/" in text
