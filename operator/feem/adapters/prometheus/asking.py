"""Asks one Prometheus from async code: bounded in number and time, and never the same thing twice at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from feem.adapters.prometheus.answer import Unanswered, series_of, values_of
from feem.adapters.prometheus.connection import Connection
from feem.core.evidence.samples import Series

Observe = Callable[[str], None]
"""Called once for each query sent: ok, empty, timeout or error."""
Read = Callable[[Any, str], tuple[Series, ...]]


@dataclass(frozen=True)
class Question:
    """A query, its moment (Unix seconds; None for the server's now), and how its answer is read."""

    query: str
    at: float | None
    read: Read


class Asker:
    """Runs blocking queries in threads, because prometheus-api-client is synchronous.

    At most `concurrency` run at once; one that is already under way is not sent twice. `patience` (seconds) holds for
    waiting and answer together.
    """

    def __init__(self, connection: Connection, *, concurrency: int, patience: float, observe: Observe) -> None:
        self._connection = connection
        self._patience = patience
        self._observe = observe
        self._threads = ThreadPoolExecutor(concurrency, "prometheus")
        self._under_way: dict[Question, asyncio.Task[tuple[Series, ...]]] = {}

    async def samples(self, query: str, at: float) -> tuple[Series, ...]:
        """Ask for the samples of a range selector; raises Unanswered."""
        return await self._once(Question(query, at, series_of))

    async def values(self, query: str, at: float | None = None) -> tuple[Series, ...]:
        """Ask for values at one moment, one sample a series; raises Unanswered."""
        return await self._once(Question(query, at, values_of))

    def close(self) -> None:
        """Give threads and connections back; queries that wait are dropped."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._connection.close()

    async def _once(self, question: Question) -> tuple[Series, ...]:
        """Ask, or join who is asking the same; that one asker is cancelled does not harm the others."""
        task = self._under_way.get(question)
        if task is None:
            task = asyncio.create_task(self._ask(question))
            self._under_way[question] = task
            task.add_done_callback(lambda done: self._finish(question, done))
        return await asyncio.shield(task)

    async def _ask(self, question: Question) -> tuple[Series, ...]:
        """Ask in a thread; raises Unanswered. A query whose turn does not come in time is not sent any more."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._patience):
                found = await loop.run_in_executor(self._threads, self._answer, question)
        except Unanswered as problem:
            self._observe(problem.outcome)
            raise
        except TimeoutError:
            self._observe("timeout")
            raise self._connection.late() from None
        self._observe("ok" if found else "empty")
        return found

    def _answer(self, question: Question) -> tuple[Series, ...]:
        """Ask and read, in a thread; raises Unanswered."""
        return question.read(self._connection.ask(question.query, question.at), self._connection.server)

    def _finish(self, question: Question, done: asyncio.Task[tuple[Series, ...]]) -> None:
        self._under_way.pop(question, None)
        if not done.cancelled():
            done.exception()  # whoever asked may be gone; looking at it keeps asyncio from reporting it as forgotten
