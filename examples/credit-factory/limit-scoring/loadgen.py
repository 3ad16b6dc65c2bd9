"""Send synthetic credit applications at a fixed rate and tell what the clients saw.

Every response becomes one JSON line in `--out` as it arrives, so that a test can read the file while the load runs:
`{"at": unix seconds, "status": 200, "version": "2.0", "pod": "...", "ms": 3.1, "decision": "approved", "error": null}`.
Standard output gets one line a second and a summary at the end, all JSON. The applications are invented; whichever
version answers, the applicants come from one distribution.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import signal
import statistics
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

UNKNOWN = "none"  # the version of an answer that carries no X-Version, or of no answer at all


@dataclass(frozen=True)
class Load:
    """What to send: requests a second over `seconds`, on at most `connections` keep-alive connections."""

    url: str
    host: str = ""
    rate: float = 50.0
    seconds: float = 60.0
    connections: int = 16
    timeout: float = 10.0
    seed: int = 1


@dataclass(frozen=True)
class Response:
    """What one client saw; status 0 with an error text when there was no whole answer. `at` is Unix time, s.

    `decision` is empty where there was none.
    """

    at: float
    status: int
    version: str
    pod: str
    ms: float
    error: str | None = None
    reconnected: bool = False
    decision: str = ""

    @property
    def failed(self) -> bool:
        """A valid application that did not get a decision is a failure, whatever the reason."""
        return not 200 <= self.status < 300


@dataclass
class Summary:
    """Counts over a whole run; latencies in milliseconds."""

    requests: int = 0
    failures: int = 0
    reconnects: int = 0
    by_version: Counter[str] = field(default_factory=Counter)
    by_status: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    first_failure_at: float | None = None
    latencies_ms: list[float] = field(default_factory=list)

    def add(self, response: Response) -> None:
        """Count one response."""
        self.requests += 1
        self.reconnects += response.reconnected
        self.by_version[response.version] += 1
        self.by_status[str(response.status)] += 1
        self.latencies_ms.append(response.ms)
        if response.error:
            self.errors[response.error] += 1
        if response.failed:
            self.failures += 1
            self.first_failure_at = self.first_failure_at or response.at

    def document(self) -> dict[str, Any]:
        """Give the counts with latency percentiles (p50, p95, p99, highest) instead of every latency."""
        counted = {name: value for name, value in vars(self).items() if name != "latencies_ms"}
        if len(self.latencies_ms) > 1:
            cuts = statistics.quantiles(self.latencies_ms, n=100, method="inclusive")
            chosen = {"p50": cuts[49], "p95": cuts[94], "p99": cuts[98], "max": max(self.latencies_ms)}
            counted["latency_ms"] = {name: round(value, 2) for name, value in chosen.items()}
        counted["failure_share"] = round(self.failures / self.requests, 6) if self.requests else 0.0
        return counted


class NoAnswerError(ConnectionError):
    """The connection ended before the first byte of an answer."""


class Client:
    """One keep-alive connection that behaves as an ordinary HTTP/1.1 client does."""

    def __init__(self, load: Load) -> None:
        target = urlsplit(load.url)
        if target.scheme != "http" or not target.hostname:
            raise ValueError(f"{load.url!r}: give an http:// URL with a host, such as http://127.0.0.1:30080/decision")
        self._address = (target.hostname, target.port or 80)
        self._head = f"POST {target.path or '/'} HTTP/1.1\r\nHost: {load.host or target.netloc}\r\n".encode()
        self._timeout = load.timeout
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, body: bytes) -> Response:
        """Send one application; an idle connection that the server closed meanwhile is replaced once, and said so."""
        started = time.perf_counter()
        head: dict[str, str] = {}
        status, error, reconnected, answer = 0, None, False, b""
        try:
            async with asyncio.timeout(self._timeout):
                reused = self._streams is not None
                try:
                    status, head, answer = await self._exchange(body)
                except NoAnswerError:
                    if not reused:
                        raise
                    reconnected = True
                    status, head, answer = await self._exchange(body)
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as problem:
            self.close()
            error = f"{type(problem).__name__}: {problem}".rstrip(": ")
        if head.get("connection", "").lower() == "close":
            self.close()
        ms = round((time.perf_counter() - started) * 1000, 3)
        seen = head.get("x-version", UNKNOWN), head.get("x-pod", UNKNOWN)
        return Response(round(time.time(), 4), status, *seen, ms, error, reconnected, _decision(answer))

    def close(self) -> None:
        """Close the connection; the next request opens a new one."""
        if self._streams:
            self._streams[1].close()
            self._streams = None

    async def _exchange(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._address)
        reader, writer = self._streams
        try:
            length = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(self._head + length.encode() + body)
            first = await reader.readexactly(1)
        except (ConnectionResetError, BrokenPipeError, asyncio.IncompleteReadError) as problem:
            self.close()
            raise NoAnswerError("the connection was closed before an answer") from problem
        lines = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        head = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
        return int(lines[0].split(" ", 2)[1]), head, await _body(reader, head)


async def _body(reader: asyncio.StreamReader, head: dict[str, str]) -> bytes:
    if "chunked" not in head.get("transfer-encoding", ""):
        return await reader.readexactly(int(head.get("content-length", "0")))
    whole = b""
    while size := int((await reader.readline()).partition(b";")[0], 16):
        whole += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return whole


def _decision(answer: bytes) -> str:
    try:
        document = json.loads(answer)
    except ValueError:
        return ""
    return str(document.get("decision", "")) if isinstance(document, dict) else ""


def applications(seed: int) -> Iterator[bytes]:
    """Yield synthetic applications without end: the same seed gives the same applicants in the same order."""
    chance = random.Random(seed)
    number = 0
    while True:
        number += 1
        income = chance.randrange(5_000, 45_000, 100)
        application = {
            "application_id": f"synthetic-{seed}-{number}",
            "requested_amount_cny": chance.randrange(10_000, 400_000, 1_000),
            "monthly_income_cny": income,
            "monthly_debt_cny": round(income * chance.betavariate(1.5, 5)),
            "employment_months": chance.randrange(0, 120),
            "adverse_records": int(chance.random() < 0.08),
        }
        yield json.dumps(application).encode()


async def run(load: Load, record: Callable[[Response], None], stop: asyncio.Event | None = None) -> Summary:
    """Send the load and hand each response to `record`; end after `load.seconds` or when `stop` is set.

    Requests have fixed times; when every connection is busy they are sent late, never dropped.
    """
    summary, bodies, begin = Summary(), applications(load.seed), time.perf_counter()
    numbers = iter(range(int(load.rate * load.seconds)))

    async def connection() -> None:
        client = Client(load)
        for number in numbers:
            body = next(bodies)
            await _pause(begin + number / load.rate - time.perf_counter(), stop)
            if stop and stop.is_set():
                break
            response = await client.post(body)
            summary.add(response)
            record(response)
        client.close()

    await asyncio.gather(*(connection() for _ in range(load.connections)))
    return summary


async def _pause(seconds: float, stop: asyncio.Event | None) -> None:
    """Sleep; where requests are rare, a stop must not wait for the next one."""
    if stop is None or seconds <= 0:
        await asyncio.sleep(seconds)
        return
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


def read(path: Path) -> list[Response]:
    """Read the responses written so far; a last line that is still being written is left for the next read."""
    whole, _, _ = path.read_text().rpartition("\n")
    return [Response(**json.loads(line)) for line in whole.splitlines()]


def shares(responses: Iterable[Response], since: float = 0.0, until: float = float("inf")) -> dict[str, float]:
    """Give each version's share (0..1) of the answers that arrived in [since, until), in Unix seconds."""
    counts = Counter(response.version for response in responses if since <= response.at < until)
    return {version: count / counts.total() for version, count in counts.items()}


async def _command(load: Load, out: Path | None) -> Summary:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    second: Counter[str] = Counter()
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(out.open("w", buffering=1)) if out else None

        def record(response: Response) -> None:
            second.update([response.version, "failures"] if response.failed else [response.version])
            if file:
                file.write(json.dumps(asdict(response)) + "\n")

        async def tell() -> None:
            while True:
                await asyncio.sleep(1)
                print(json.dumps({"second": int(time.time()), **second}), flush=True)
                second.clear()

        telling = asyncio.create_task(tell())
        try:
            return await run(load, record, stop)
        finally:
            telling.cancel()


def main(arguments: list[str] | None = None) -> int:
    """Run the load; exit code 0 when no request failed, else 1 (a wrong URL: 2)."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("url", help="such as http://127.0.0.1:30080/decision")
    parser.add_argument("--host", default="", help="Host header, such as limit-scoring.lending.example")
    parser.add_argument("--rate", type=float, default=Load.rate, help="requests a second, in all (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=Load.seconds, help="how long (default %(default)s)")
    parser.add_argument("--connections", type=int, default=Load.connections, help="at most (default %(default)s)")
    parser.add_argument("--timeout", type=float, default=Load.timeout, help="of one request, s (default %(default)s)")
    parser.add_argument("--seed", type=int, default=Load.seed, help="which applicants (default %(default)s)")
    parser.add_argument("--out", type=Path, help="file for one JSON line a response, readable while the load runs")
    given = vars(parser.parse_args(arguments))
    out = given.pop("out")
    try:
        summary = asyncio.run(_command(Load(**given), out))
    except ValueError as error:
        print(f"the load cannot be sent: {error}", file=sys.stderr)
        return 2
    print(json.dumps({"summary": summary.document()}), flush=True)
    return 1 if summary.failures else 0


if __name__ == "__main__":
    sys.exit(main())
