"""A test that begins anew with every step, without paying for it in false alarms."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

FIRST_STAKE = 0.8
"""The part of the stake on the test that begins with the release; the rest is divided among those that begin with later steps."""


class Test(Protocol):
    """Anything that gathers evidence."""

    @property
    def log_evidence(self) -> float:
        """The ln of an e-process: it starts at 0."""
        ...


T = TypeVar("T", bound=Test)


class Staged(Generic[T]):
    """The weighted mean of one test a step, each fed from its step's beginning on.

    A canary that is good at 1% of the traffic and bad at 50% would have to win back what it lost in the first steps;
    the test that began with the bad step does not. Weights are settled before the release and a test that has not
    begun stands at 1, so the mean is an e-process as each of them is.
    """

    def __init__(self, make: Callable[[], T], steps: int) -> None:
        self._make, self._later = make, max(0, steps - 1)
        self._step: int | None = None
        self.tests: list[T] = [make()]

    def begin(self, step: int) -> None:
        """Say which step the next events belong to; a step that was not there before begins a test."""
        if self._step is not None and step > self._step and len(self.tests) <= self._later:
            self.tests.append(self._make())
        self._step = step if self._step is None else max(step, self._step)

    @property
    def log_evidence(self) -> float:
        """The ln of the weighted mean."""
        if not self._later:
            return self.tests[0].log_evidence
        share = (1 - FIRST_STAKE) / self._later
        logs = [self.tests[0].log_evidence + math.log(FIRST_STAKE)]
        logs += [test.log_evidence + math.log(share) for test in self.tests[1:]]
        waiting = self._later - (len(self.tests) - 1)
        if waiting:
            logs.append(math.log(share * waiting))
        highest = max(logs)
        return highest + math.log(math.fsum(math.exp(log - highest) for log in logs))
