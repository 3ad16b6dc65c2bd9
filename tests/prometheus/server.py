"""A real HTTP server on loopback that answers the way a Prometheus does, well and badly."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: bytes = b""
    delay: float = 0.0


def success(*series: dict[str, Any], **more: Any) -> Reply:
    data = {"resultType": "matrix", "result": list(series)}
    return Reply(body=json.dumps({"status": "success", "data": data, **more}).encode())


def vector(*values: dict[str, Any], **more: Any) -> Reply:
    data = {"resultType": "vector", "result": list(values)}
    return Reply(body=json.dumps({"status": "success", "data": data, **more}).encode())


def value(number: str, **labels: str) -> dict[str, Any]:
    return {"metric": labels, "value": [1_030.5, number]}


def error(status: int, kind: str, message: str) -> Reply:
    return Reply(status, json.dumps({"status": "error", "errorType": kind, "error": message}).encode())


def one(pod: str, *values: tuple[float, str], **labels: str) -> dict[str, Any]:
    return {"metric": {"__name__": "x_total", "pod": pod, **labels}, "values": [list(pair) for pair in values]}


@dataclass
class Seen:
    """One request as it came in."""

    path: str
    parameters: dict[str, str]
    authorization: str | None


Answer = Callable[[dict[str, str]], Reply]


@dataclass
class Stub:
    """The server and what it saw."""

    url: str
    answer: Answer
    seen: list[Seen] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reply(self, request: Seen) -> Reply:
        with self.lock:
            self.seen.append(request)
            self.at_once += 1
            self.most_at_once = max(self.at_once, self.most_at_once)
        reply = self.answer(request.parameters)
        time.sleep(reply.delay)
        with self.lock:
            self.at_once -= 1
        return reply


@contextmanager
def serving(answer: Answer) -> Iterator[Stub]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            seen = Seen(parts.path, dict(parse_qsl(parts.query)), self.headers.get("Authorization"))
            reply = stub.reply(seen)
            try:
                self.send_response(reply.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Keep the tests' output to the tests."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        stub = Stub(f"http://127.0.0.1:{server.server_address[1]}", answer)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield stub
        finally:
            server.shutdown()
            thread.join()
