"""What every section gets: the seed, the size of the run and the processes to share the work among."""

from __future__ import annotations

import os
import sys
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, as_completed
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

Job = TypeVar("Job")
Result = TypeVar("Result")

SEED = 20240607
PROCESSES = 2
FULL_TIMES = 5
SAY_EVERY = 5.0


@dataclass(frozen=True)
class Bench:
    """One run of the benchmark."""

    executor: Executor
    full: bool = False
    started: float = field(default_factory=time.monotonic)

    def runs(self, usual: int) -> int:
        """Return how many runs to simulate; `FULL=1` makes five times as many."""
        return usual * FULL_TIMES if self.full else usual

    def say(self, line: str) -> None:
        """Show progress on standard error."""
        print(f"{time.monotonic() - self.started:7.1f} s  {line}", file=sys.stderr, flush=True)

    def each(self, what: str, work: Callable[[Job], Result], jobs: Iterable[Job]) -> list[Result]:
        """Do the jobs in the other processes; results come in the order of the jobs."""
        futures = {self.executor.submit(work, job): at for at, job in enumerate(jobs)}
        results: dict[int, Result] = {}
        said = -SAY_EVERY
        for future in as_completed(futures):
            results[futures[future]] = future.result()
            if time.monotonic() - said >= SAY_EVERY or len(results) == len(futures):
                said = time.monotonic()
                self.say(f"{what}: {len(results)} of {len(futures)}")
        return [results[at] for at in range(len(futures))]


def generator(*name: object) -> np.random.Generator:
    """Return a random generator that depends on the seed and the name only, not on who works when."""
    return np.random.default_rng([SEED, zlib.crc32(repr(name).encode())])


def parts(runs: int, size: int) -> Sequence[int]:
    """Cut a number of runs in parts of at most `size`."""
    return [size] * (runs // size) + ([runs % size] if runs % size else [])


def full_wanted() -> bool:
    """Say whether the long form is asked for."""
    return os.environ.get("FULL", "") not in ("", "0")
