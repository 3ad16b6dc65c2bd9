"""Counts each request once, also one that never ends."""

from __future__ import annotations

import asyncio
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

    from credit_check.metrics import Metrics

OVERDUE_SECONDS = 2.5
"""The edge of a bucket, and longer than the gateway waits."""


class Overdue:
    """Counts one report request by whatever comes first: its answer, its client's leaving, or its being overdue.

    Without this a request that hangs would be in no figure while it hangs, and an outage would look like silence. It
    ends nothing: who waits may wait on, and an answer that comes after all is sent, but the request stays bad.
    """

    def __init__(self, metrics: Metrics, path: str, after: float = OVERDUE_SECONDS) -> None:
        self._metrics, self._path, self._after = metrics, path, after
        self._began, self._counted = time.perf_counter(), False
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        self._timer = asyncio.get_running_loop().call_later(self._after, self.given_up)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.answered(HTTPStatus.INTERNAL_SERVER_ERROR)  # only what ended without an answer is not counted by now

    def given_up(self) -> None:
        """Count the request as one without an answer."""
        self.answered(HTTPStatus.GATEWAY_TIMEOUT)

    def answered(self, code: int) -> None:
        """Count the request, unless it was counted already."""
        if not self._counted:
            self._counted = True
            self._metrics.answered("POST", self._path, code)
            self._metrics.took(time.perf_counter() - self._began)
