"""Ask for credit reports at a fixed rate and tell what the clients saw.

Every request becomes one JSON line in `--out` as it ends, so that a test can read the file while the load runs:
`{"at": unix seconds, "status": 200, "version": "1.0", "error": null, "seconds": 0.012, "record": "clean", "pod": "..."}`.
Each one leaves at its time whether the earlier ones have ended or not: a service that hangs gets no fewer requests, as
it would from clients that wait for each other. Nothing but the given URL is asked. The applicants are invented.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import signal
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

UNKNOWN = "none"  # the version of an answer that carries no X-Version, or of no answer at all
MOST_RATE, MOST_SECONDS, MOST_COUNT, MOST_OPEN = 200.0, 3600.0, 100_000, 1_000


@dataclass(frozen=True)
class Load:
    """What to send: requests a second, for so many seconds and so many requests at most; `applicants` come again."""

    url: str
    host: str = ""
    rate: float = 30.0
    seconds: float = 60.0
    count: int = MOST_COUNT
    timeout: float = 10.0
    applicants: int = 300
    seed: int = 1

    def check(self) -> None:
        """Raise ValueError for a load outside the bounds of this program, or a URL that is not plain HTTP."""
        target = urlsplit(self.url)
        if target.scheme != "http" or not target.hostname:
            raise ValueError(f"{self.url!r}: give an http:// URL, such as http://127.0.0.1:30080/credit-report")
        for name, value, most in (
            ("rate", self.rate, MOST_RATE),
            ("seconds", self.seconds, MOST_SECONDS),
            ("count", self.count, MOST_COUNT),
            ("open at once, rate times timeout", self.rate * self.timeout, MOST_OPEN),
            ("applicants", self.applicants, MOST_COUNT),
        ):
            if not 0 < value <= most:
                raise ValueError(f"{name}: must be above 0 and at most {most:g}, got {value:g}")


@dataclass(frozen=True)
class Response:
    """What one client saw; status 0 with an error text when there was no whole answer. `at` is when, Unix time, s."""

    at: float
    status: int
    version: str
    error: str | None
    seconds: float
    record: str = ""
    pod: str = UNKNOWN

    @property
    def failed(self) -> bool:
        """A valid application without a report is a failure, whatever the reason."""
        return not 200 <= self.status < 300


async def ask(load: Load, body: bytes) -> Response:
    """Ask for one report on a connection of its own; raises nothing, a failure is a response too."""
    began, head = time.perf_counter(), dict[str, str]()
    status, content, error = 0, b"", None
    try:
        async with asyncio.timeout(load.timeout):
            status, head, content = await _exchange(load, body)
    except (OSError, EOFError, ValueError) as problem:
        error = f"{type(problem).__name__}: {problem}".rstrip(": ")
    seconds = round(time.perf_counter() - began, 4)
    version, pod = head.get("x-version", UNKNOWN), head.get("x-pod", UNKNOWN)
    return Response(round(time.time(), 4), status, version, error, seconds, _record(content), pod)


async def _exchange(load: Load, body: bytes) -> tuple[int, dict[str, str], bytes]:
    target = urlsplit(load.url)
    lines = [
        f"POST {target.path or '/'} HTTP/1.1",
        f"Host: {load.host or target.netloc}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    reader, writer = await asyncio.open_connection(target.hostname, target.port or 80)
    try:
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        first, *fields = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        head = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
        content = await reader.readexactly(int(head.get("content-length", "0")))
    finally:
        writer.close()
    return int(first.split(" ", 2)[1]), head, content


def _record(content: bytes) -> str:
    try:
        document = json.loads(content)
    except ValueError:
        return ""
    return str(document.get("record", "")) if isinstance(document, dict) else ""


async def run(load: Load, record: Callable[[Response], None], stop: asyncio.Event | None = None) -> Counter[str]:
    """Send the load, hand each response to `record`, and count them by status; ends early when `stop` is set."""
    load.check()
    stop = stop or asyncio.Event()
    chance, begin, seen = random.Random(load.seed), time.perf_counter(), Counter[str]()

    async def one(number: int, applicant: int) -> None:
        application = {"application_id": f"synthetic-{load.seed}-{number}", "applicant_id": f"person-{applicant}"}
        response = await ask(load, json.dumps(application).encode())
        seen[str(response.status)] += 1
        record(response)

    async with asyncio.TaskGroup() as group:
        for number in range(min(load.count, int(load.rate * load.seconds))):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), max(0.0, begin + number / load.rate - time.perf_counter()))
            if stop.is_set():
                break
            group.create_task(one(number, chance.randrange(load.applicants)))
    return seen


async def _command(load: Load, out: Path) -> Counter[str]:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with out.open("w", buffering=1) as file:
        return await run(load, lambda response: print(json.dumps(asdict(response)), file=file), stop)


def main(arguments: list[str] | None = None) -> int:
    """Run the load; exit code 0 when every request got a report, else 1 (a load that cannot be sent: 2)."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("url", help="such as http://127.0.0.1:30080/credit-report")
    parser.add_argument("--host", default="", help="Host header, such as credit-check.lending.example")
    parser.add_argument("--rate", type=float, default=Load.rate, help="requests a second (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=Load.seconds, help="how long (default %(default)s)")
    parser.add_argument("--count", type=int, default=Load.count, help="requests at most (default %(default)s)")
    parser.add_argument("--timeout", type=float, default=Load.timeout, help="of one request, s (default %(default)s)")
    parser.add_argument("--applicants", type=int, default=Load.applicants, help="people that ask (default %(default)s)")
    parser.add_argument("--seed", type=int, default=Load.seed, help="which order (default %(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="file for one JSON line a request")
    given: dict[str, Any] = vars(parser.parse_args(arguments))
    out = given.pop("out")
    load = Load(**given)
    try:
        load.check()
    except ValueError as error:
        print(f"the load cannot be sent: {error}", file=sys.stderr)
        return 2
    seen = asyncio.run(_command(load, out))
    print(json.dumps({"requests": seen.total(), "by_status": seen}), flush=True)
    return 0 if all(status.startswith("2") for status in seen) else 1


if __name__ == "__main__":
    sys.exit(main())
