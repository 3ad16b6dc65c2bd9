"""A bureau that does as it is told, the service in this process, and clients that look at every byte."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import parse_qs, urlsplit

from credit_check.server import ReportServer
from credit_check.settings import Settings

Way = Literal["answers", "adverse", "hangs", "fails", "breaks off", "lies", "rambles"]
QUICK = Settings(address="127.0.0.1", port=0, stretch_rounds=10, drain_seconds=0, pod="pod-1")


@dataclass
class FakeBureau:
    """Treats its connections one after the other as `ways` says, and all further ones as the last of them."""

    ways: list[Way] = field(default_factory=lambda: ["answers"])
    asked: list[str] = field(default_factory=list)
    gone: int = 0
    """Connections whose client hung up on a bureau that did not answer."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
        except asyncio.IncompleteReadError:
            writer.close()
            return
        identity = parse_qs(urlsplit(head.split(" ")[1]).query)["id"][0]
        self.asked.append(identity)
        way = self.ways.pop(0) if len(self.ways) > 1 else self.ways[0]
        if way == "hangs":
            with contextlib.suppress(ConnectionError):
                await reader.read()
            self.gone += 1
        else:
            writer.write(_words(way, identity))
        writer.close()


def _words(way: Way, identity: str) -> bytes:
    status = "200 OK"
    record: dict[str, object] = {"id": identity, "adverse_records": int(way == "adverse")}
    if way == "fails":
        status = "503 Service Unavailable"
    elif way == "lies":
        record["id"] = "somebody-else"
    elif way == "rambles":
        record["apology"] = "x" * 200_000
    whole = f"HTTP/1.0 {status}\r\nContent-Type: application/json\r\n\r\n{json.dumps(record)}".encode()
    return whole[:-1] if way == "breaks off" else whole


@dataclass
class Seen:
    """One answer: its status, headers in lower case, body, and how long it took, s."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


class World:
    """The bureau and every server started in a test."""

    def __init__(self) -> None:
        self.bureau = FakeBureau()
        self.bureau_port = 0
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        listening = await asyncio.start_server(self.bureau.serve, "127.0.0.1", 0)
        self._stack.callback(listening.close)
        self.bureau_port = listening.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def start(self, *, port: int = 0, overdue_seconds: float = 2.5, **settings: Any) -> Service:
        """Start a server that asks the bureau, or whatever listens at `port`."""
        given = {"bureau_host": "127.0.0.1", "bureau_port": port or self.bureau_port, **settings}
        server = ReportServer(Settings(**vars(QUICK) | given), overdue_seconds=overdue_seconds)
        service = Service(server, await server.start())
        self._stack.push_async_callback(server.stop)
        return service


@dataclass
class Service:
    """One running server."""

    server: ReportServer
    port: int

    async def report(self, applicant: str = "ada") -> Seen:
        body = json.dumps({"application_id": "a", "applicant_id": applicant}).encode()
        return await self.ask("POST /credit-report", body)

    async def ask(self, line: str, body: bytes = b"", length: str | None = None) -> Seen:
        """Send one request and read until the server closes."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            head = f"{line} HTTP/1.1\r\nHost: here\r\nContent-Length: {length or len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            whole = await asyncio.wait_for(reader.read(-1), 20)
        finally:
            writer.close()
        first, *fields = whole.partition(b"\r\n\r\n")[0].decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
        return Seen(int(first.split()[1]), headers, whole.partition(b"\r\n\r\n")[2], loop.time() - began)

    async def hang(self, applicant: str = "ada") -> asyncio.StreamWriter:
        """Send a request and do not wait for its answer; the client leaves when the writer is closed."""
        body = json.dumps({"application_id": "a", "applicant_id": applicant}).encode()
        _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(f"POST /credit-report HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        return writer

    def value(self, name: str, **labels: str) -> float:
        """Return one series, 0 when it is not there."""
        registry = self.server.metrics.registry
        return registry.get_sample_value(name, {"version": self.server.settings.version, **labels}) or 0.0

    def requests(self, code: str) -> float:
        return self.value("http_requests_total", method="POST", path="/credit-report", code=code)

    def calls(self) -> dict[str, float]:
        """Return the calls of the bureau by result."""
        return {one: self.value("bureau_requests_total", result=one) for one in ("ok", "timeout", "error")}

    async def until(self, code: str, count: float, seconds: float = 5) -> None:
        """Wait until so many requests are counted with this code."""
        await until(lambda: self.requests(code) >= count, seconds)


async def until(true: Callable[[], bool], seconds: float = 5) -> None:
    """Wait until something is true; raises TimeoutError when it does not become so."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - what is waited for knows no event
            await asyncio.sleep(0.01)


@contextlib.contextmanager
def cut_off() -> Iterator[int]:
    """Give a port whose packets vanish, as behind a partition: nobody accepts, and the queue is full."""
    with socket.socket() as listening, contextlib.ExitStack() as stack:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]


def refusing() -> int:
    """Give a port at which nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])
