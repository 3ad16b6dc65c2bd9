"""One question to the credit bureau."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

from credit_check.records import BureauError, Record, understand

if TYPE_CHECKING:
    from credit_check.metrics import Metrics
    from credit_check.settings import Settings

LARGEST_ANSWER = 64 * 1024


class Bureau:
    """Asks the bureau, each time on a TCP connection of its own.

    A partition must be felt at once: a NetworkPolicy does not cut the connections that stand everywhere, so a pool of
    them would answer on through an outage, and end it late. A new connection also meets another replica, by chance.
    """

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._host, self._port, self._metrics = settings.bureau_host, settings.bureau_port, metrics

    async def ask(self, applicant: str) -> Record:
        """Return an applicant's record; waits for as long as the caller does, and counts how it ended.

        Raises BureauError when the bureau refuses, breaks off, or says something else.
        """
        try:
            record = understand(await self._get(f"/record?id={quote(applicant, safe='')}"), applicant)
        except (asyncio.CancelledError, TimeoutError) as problem:
            # somebody's patience is over: ours, that of whoever asked us, or the kernel's with its packets
            self._metrics.called("timeout")
            if isinstance(problem, TimeoutError):
                raise BureauError("the bureau does not answer") from problem
            raise
        except (OSError, EOFError, BureauError) as problem:
            self._metrics.called("error")
            raise BureauError(f"{type(problem).__name__}: {problem}") from problem
        self._metrics.called("ok")
        return record

    async def _get(self, target: str) -> bytes:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            # in HTTP/1.0 the end of the connection is the end of the answer
            writer.write(f"GET {target} HTTP/1.0\r\nHost: {self._host}\r\nAccept: application/json\r\n\r\n".encode())
            answer = await reader.read(LARGEST_ANSWER)
            while more := await reader.read(LARGEST_ANSWER):
                answer += more
                if len(answer) > LARGEST_ANSWER:
                    raise BureauError("the bureau's answer is too long")
        finally:
            writer.close()
        head, end, body = answer.partition(b"\r\n\r\n")
        status = head.split(b" ", 2)[1:2]
        if not end or status != [str(HTTPStatus.OK.value).encode()]:
            raise BureauError(f"the bureau answered {head[:80]!r}")
        return body
