"""The reconcile loop: workers take keys from the queue and hand them to their controller."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from feem.ports import Conflict, Fenced, Refused, Unavailable
from feem.runtime.queue import Queue

log = structlog.get_logger("feem.runtime")


@dataclass(frozen=True)
class Key:
    """One object to reconcile: `kind` picks the controller."""

    kind: str
    namespace: str
    name: str


Reconcile = Callable[[Key], Awaitable[float | None]]
"""Brings one object closer to what it should be; returns seconds until the next visit, or None."""


def by_name(visit: Callable[[str, str], Awaitable[float | None]]) -> Reconcile:
    """Let a controller that takes namespace and name visit keys."""

    async def visited(key: Key) -> float | None:
        return await visit(key.namespace, key.name)

    return visited


class LoopFigures(Protocol):
    """What the loop tells about itself."""

    def reconciled(self, outcome: str, seconds: float) -> None:
        """One visit ended: outcome is ok, retry, refused or error."""
        ...


class Loop:
    """Runs `workers` workers until it is cancelled or fenced."""

    def __init__(
        self, queue: Queue[Key], controllers: dict[str, Reconcile], figures: LoopFigures, workers: int
    ) -> None:
        self._queue, self._controllers, self._figures, self._workers = queue, controllers, figures, workers

    async def run(self) -> None:
        """Work until cancelled. Raises Fenced when another operator leads."""
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._workers):
                    group.create_task(self._work())
        except BaseExceptionGroup as ended:
            fenced = ended.subgroup(Fenced)
            if fenced is None:
                raise
            raise Fenced(str(fenced.exceptions[0])) from ended

    async def _work(self) -> None:
        while True:
            key = await self._queue.get()
            try:
                await self._visit(key)
            finally:
                self._queue.done(key)

    async def _visit(self, key: Key) -> None:
        clock = asyncio.get_running_loop()
        began, outcome = clock.time(), "error"
        try:
            after = await self._controllers[key.kind](key)
            outcome = "ok"
            self._queue.forget(key)
            if after is not None:
                self._queue.add_after(key, after)
        except (Conflict, Unavailable) as problem:
            outcome = "retry"
            delay = self._queue.retry(key)
            log.info("visit repeated", **_said(key), problem=str(problem), after_seconds=delay)
        except Refused as problem:
            outcome = "refused"
            delay = self._queue.retry(key)
            log.warning("the API server refused", **_said(key), problem=str(problem), after_seconds=delay)
        except Fenced:
            raise
        except Exception:
            delay = self._queue.retry(key)
            log.exception("a bug: this visit failed; the others go on", **_said(key), after_seconds=delay)
        finally:
            self._figures.reconciled(outcome, clock.time() - began)


def _said(key: Key) -> dict[str, str]:
    return {"kind": key.kind, "namespace": key.namespace, "name": key.name}
