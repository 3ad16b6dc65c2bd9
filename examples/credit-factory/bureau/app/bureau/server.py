"""`GET /record?id=...`: one invented record for each id, always the same one."""

from __future__ import annotations

import hashlib
import json
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

ADVERSE_PERCENT = 8.0
LONGEST_ID = 128


def record(identity: str) -> dict[str, object]:
    """Make up a person's record: by digest, so that every replica says the same. One in twelve has adverse records."""
    number = int.from_bytes(hashlib.blake2b(identity.encode(), digest_size=8).digest()) / 2**64 * 100
    adverse = 1 + int(number < ADVERSE_PERCENT / 4) if number < ADVERSE_PERCENT else 0
    return {"id": identity, "adverse_records": adverse, "synthetic": True}


class BureauServer(ThreadingHTTPServer):
    """One replica."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address: str, port: int) -> None:
        super().__init__((address, port), BureauHandler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent when a peer is gone: banks hang up when they have waited long enough."""


class BureauHandler(BaseHTTPRequestHandler):
    """Answers one request a connection, as HTTP/1.0 does: its clients never rest on a connection that stands."""

    protocol_version = "HTTP/1.0"
    wbufsize = 32 * 1024  # headers and body leave in one segment
    timeout = 30

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Write nothing for each request."""

    def do_GET(self) -> None:
        """Answer records and probes."""
        url = urlsplit(self.path)
        identity = parse_qs(url.query).get("id", [""])[0]
        if url.path == "/healthz":
            self._send(HTTPStatus.OK, {"alive": True})
        elif url.path != "/record":
            self._send(HTTPStatus.NOT_FOUND, {"error": f"{url.path}: no such resource; the bureau answers GET /record"})
        elif not 0 < len(identity) <= LONGEST_ID:
            self._send(HTTPStatus.BAD_REQUEST, {"error": f"id: must have 1..{LONGEST_ID} characters"})
        else:
            self._send(HTTPStatus.OK, record(identity))

    def _send(self, status: HTTPStatus, content: dict[str, object]) -> None:
        body = json.dumps(content).encode() + b"\n"
        self.send_response_only(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
