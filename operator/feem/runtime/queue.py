"""A keyed work queue: one worker a key at a time, duplicates merged, failures backed off, later visits scheduled.

The semantics are those of client-go's rate-limited work queue: a key added while it is being worked on is handed out again
once it is done, never at the same time.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

FIRST_DELAY = 0.1
LONGEST_DELAY = 30.0


@dataclass(order=True)
class _Visit:
    at: float
    number: int
    key: object = field(compare=False)


class Queue(Generic[K]):
    """Keys to reconcile. Times are the running loop's, in seconds."""

    def __init__(self) -> None:
        self._ready: dict[K, float] = {}
        self._working: set[K] = set()
        self._again: set[K] = set()
        self._visits: list[_Visit] = []
        self._earliest: dict[K, float] = {}
        self._failures: dict[K, int] = {}
        self._numbers = itertools.count()
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._ready)

    @property
    def oldest_seconds(self) -> float:
        """How long the key at the front has waited."""
        first = next(iter(self._ready.values()), None)
        return asyncio.get_running_loop().time() - first if first is not None else 0.0

    def add(self, key: K) -> None:
        """Ask for a visit now."""
        if key in self._working:
            self._again.add(key)
        elif key not in self._ready:
            self._ready[key] = asyncio.get_running_loop().time()
            self._changed.set()

    def add_after(self, key: K, seconds: float) -> None:
        """Ask for a visit later. Only the earliest of several is kept."""
        if seconds <= 0:
            self.add(key)
            return
        at = asyncio.get_running_loop().time() + seconds
        if key in self._earliest and self._earliest[key] <= at:
            return
        self._earliest[key] = at
        heapq.heappush(self._visits, _Visit(at, next(self._numbers), key))
        self._changed.set()

    def retry(self, key: K) -> float:
        """Ask for a visit after this key's next back-off; returns the delay."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        delay = float(min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(failures, 12)))
        self.add_after(key, delay)
        return delay

    def forget(self, key: K) -> None:
        """The key went well: its next failure starts at the shortest delay again."""
        self._failures.pop(key, None)

    async def get(self) -> K:
        """Wait for the next key; it must be given back with `done`."""
        while True:
            self._promote_due()
            if self._ready:
                key = next(iter(self._ready))
                del self._ready[key]
                self._working.add(key)
                return key
            self._changed.clear()
            timeout = self._visits[0].at - asyncio.get_running_loop().time() if self._visits else None
            try:
                await asyncio.wait_for(self._changed.wait(), timeout)
            except TimeoutError:
                continue

    def done(self, key: K) -> None:
        """The visit is over; if the key was added meanwhile, it is ready again."""
        self._working.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    def _promote_due(self) -> None:
        now = asyncio.get_running_loop().time()
        while self._visits and self._visits[0].at <= now:
            visit = heapq.heappop(self._visits)
            key: K = visit.key  # type: ignore[assignment]
            if self._earliest.get(key) == visit.at:
                del self._earliest[key]
                self.add(key)
