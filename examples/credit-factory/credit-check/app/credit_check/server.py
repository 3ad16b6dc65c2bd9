"""HTTP around the report: one task a connection, which its client's leaving ends, and a drain that no client notices.

It is asyncio and not a thread a connection because requests of the trusting version hang: by hundreds in an outage of
the bureau, and each is to end with its client.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from http import HTTPStatus
from typing import Any

from credit_check import wire
from credit_check.counting import OVERDUE_SECONDS, Overdue
from credit_check.metrics import CONTENT_TYPE, Metrics
from credit_check.records import BureauError
from credit_check.report import reporter
from credit_check.settings import Settings

PATH = "/credit-report"
READ_SECONDS = 30.0
LONGEST_NAME = 128
UNCOUNTED = frozenset({"/healthz", "/readyz", "/metrics"})


class ReportServer:
    """Serves one version; `drain` ends it without a failed request as long as the caller stops sending in time."""

    def __init__(self, settings: Settings, *, overdue_seconds: float = OVERDUE_SECONDS) -> None:
        self.settings = settings
        self.metrics = Metrics(settings.version)
        self._reporter = reporter(settings, self.metrics)
        self._overdue_seconds = overdue_seconds
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[Any]] = set()
        self._draining = False

    async def start(self) -> int:
        """Listen; returns the port."""
        settings = self.settings
        self._server = await asyncio.start_server(
            self._accept, settings.address, settings.port, family=socket.AF_INET, backlog=256
        )
        return int(self._server.sockets[0].getsockname()[1])

    async def drain(self) -> None:
        """Fail readiness at once, serve for the drain time, wait a little for what still runs, then stop.

        New connections are still accepted during that time: gateways and kube-proxy learn of the change later than
        this process does.
        """
        self._draining = True
        await asyncio.sleep(self.settings.drain_seconds)
        await self.stop(5)

    async def stop(self, seconds: float = 0) -> None:
        """Accept nothing more, and give what runs so long to end."""
        if self._server is not None:
            self._server.close()
        if self._open:
            _, hanging = await asyncio.wait(self._open, timeout=seconds)
            for task in hanging:
                task.cancel()
            await asyncio.gather(*hanging, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._connection(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(ConnectionError):  # a client that is gone is not an error of this service
                answer = await self._serve(reader)
                if answer is not None:
                    writer.write(answer.encoded({"X-Version": self.settings.version, "X-Pod": self.settings.pod}))
                    await writer.drain()
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader) -> wire.Answer | None:
        """Read a request and give its answer; None when nobody waits for one."""
        try:
            async with asyncio.timeout(READ_SECONDS):
                request = await wire.read(reader)
        except TimeoutError:
            return None
        except wire.BadRequestError as error:
            self.metrics.answered("other", "other", HTTPStatus.BAD_REQUEST)
            return wire.problem(HTTPStatus.BAD_REQUEST, str(error))
        if request is None:
            return None
        if (request.method, request.path) == ("POST", PATH):
            return await self._counted_report(request.body, reader)
        answer = self._other(request)
        if request.path not in UNCOUNTED:
            method = request.method if request.method in {"GET", "POST"} else "other"
            self.metrics.answered(method, PATH if request.path == PATH else "other", answer.status)
        return answer

    async def _counted_report(self, body: bytes, reader: asyncio.StreamReader) -> wire.Answer | None:
        with Overdue(self.metrics, PATH, self._overdue_seconds) as count:
            work, left = asyncio.create_task(self._report(body)), asyncio.create_task(_client_left(reader))
            try:
                await asyncio.wait({work, left}, return_when=asyncio.FIRST_COMPLETED)
                if left.done():  # also when the report is ready by now: it reaches nobody
                    count.given_up()
                    return None
                answer = work.result()
                count.answered(answer.status)
                return answer
            finally:
                work.cancel()
                left.cancel()

    async def _report(self, body: bytes) -> wire.Answer:
        try:
            given = json.loads(body)
        except ValueError as error:
            return wire.problem(HTTPStatus.BAD_REQUEST, f"the body is not JSON: {error}")
        application, applicant = _name(given, "application_id"), _name(given, "applicant_id")
        if not application or not applicant:
            text = f"application_id and applicant_id: must be texts of 1..{LONGEST_NAME} printable characters"
            return wire.problem(HTTPStatus.UNPROCESSABLE_ENTITY, text)
        try:
            report = await self._reporter.report(applicant)
        except BureauError as error:
            return wire.problem(HTTPStatus.INTERNAL_SERVER_ERROR, f"no report: {error}")
        self.metrics.reported(report.record)
        content = {
            "application_id": application,
            "record": report.record,
            "refer": report.refer,
            "source": report.source,
            "kept_as": report.name,
            "version": self.settings.version,
        }
        return wire.document(HTTPStatus.OK, content)

    def _other(self, request: wire.Request) -> wire.Answer:
        """Answer probes, scrapes and mistakes. Readiness does not ask the bureau: its outage would take all pods away."""
        if request.method == "GET" and request.path == "/healthz":
            return wire.text(HTTPStatus.OK, "alive")
        if request.method == "GET" and request.path == "/readyz":
            if self._draining:
                return wire.text(HTTPStatus.SERVICE_UNAVAILABLE, "draining")
            return wire.text(HTTPStatus.OK, "ready")
        if request.method == "GET" and request.path == "/metrics":
            return wire.Answer(HTTPStatus.OK, CONTENT_TYPE, self.metrics.exposition())
        if request.path == PATH:
            return wire.problem(HTTPStatus.METHOD_NOT_ALLOWED, f"{PATH} takes POST with a JSON body")
        text = f"{request.path}: no such resource; this service answers POST {PATH}"
        return wire.problem(HTTPStatus.NOT_FOUND, text)


def _name(given: Any, field: str) -> str:
    """Return a name from the body, empty when it cannot be one."""
    value = given.get(field) if isinstance(given, dict) else None
    return value if isinstance(value, str) and len(value) <= LONGEST_NAME and value.isprintable() else ""


async def _client_left(reader: asyncio.StreamReader) -> None:
    """Return when the client has closed its side: it has sent its one request, so that means it gave up."""
    with contextlib.suppress(ConnectionError):
        while await reader.read(1024):
            pass
