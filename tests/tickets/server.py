"""Ticket systems that speak what the real ones do: Jira's REST API version 2, and an adapter in front of Zentao."""

from __future__ import annotations

import base64
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

TOKEN = "jira-secret-7f3a"  # noqa: S105 - of a server that lives as long as one test
USER = "release-pipeline"

Answer = tuple[int, dict[str, str], bytes]


class Tickets:
    """Both systems; `broken` answers instead of them when it is set."""

    def __init__(self) -> None:
        self.issues = {"PAY-7": "Approved", "PAY-8": "In Review", "PAY/9 x": "Done"}
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.broken: Callable[[], Answer] | None = None
        self.token = TOKEN
        self.delay = 0.0
        self.ended = threading.Event()

    def answer(self, target: str, headers: dict[str, str]) -> Answer:
        self.asked.append(target)
        self.headers.append(headers)
        self.ended.wait(self.delay)
        if self.broken is not None:
            return self.broken()
        allowed = {f"Bearer {self.token}", "Basic " + base64.b64encode(f"{USER}:{self.token}".encode()).decode()}
        if headers.get("authorization") not in allowed:
            return as_json(401, {"errorMessages": ["You do not have the permission to see it"], "errors": {}})
        path = urlsplit(target).path
        head, _, last = path.rpartition("/")
        status = self.issues.get(unquote(last))
        if head == "/jira/rest/api/2/issue":
            return self._jira(unquote(last), status)
        if head == "/zentao/api/stories":
            return as_json(404, {}) if status is None else as_json(200, {"status": status})
        return as_json(200, {"status": "Approved", "key": "the wrong door"})

    def _jira(self, key: str, status: str | None) -> Answer:
        if status is None:
            return as_json(404, {"errorMessages": ["Issue Does Not Exist"], "errors": {}})
        fields = {
            "status": {"self": "/rest/api/2/status/1", "name": status, "id": "1", "statusCategory": {"key": "done"}}
        }
        return as_json(200, {"expand": "names", "id": "10001", "key": key, "fields": fields})


def as_json(code: int, body: Any) -> Answer:
    return code, {"Content-Type": "application/json"}, json.dumps(body).encode()


def page(code: int, text: str = "<html>Service</html>", **headers: str) -> Answer:
    return (
        code,
        {"Content-Type": "text/html", **{key.replace("_", "-"): value for key, value in headers.items()}},
        text.encode(),
    )


class Handler(BaseHTTPRequestHandler):
    tickets: Tickets

    def do_GET(self) -> None:
        code, headers, body = self.tickets.answer(
            self.path, {key.lower(): value for key, value in self.headers.items()}
        )
        self.send_response(code)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        return


class Dribbling(Handler):
    """Sends a byte now and then and never comes to an end; each wait for bytes is short."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        try:
            for _ in range(100):
                self.wfile.write(b" ")
                time.sleep(0.05)
        except OSError:
            return


@contextmanager
def served(tickets: Tickets, handler: type[Handler] = Handler, certificate: Path | None = None) -> Iterator[str]:
    """Serve on a free port of loopback, with TLS when a folder with a certificate is given; yields the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (handler,), {"tickets": tickets}))
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign] # who hangs up on a slow server is not its business
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http{'s' if certificate else ''}://127.0.0.1:{server.server_address[1]}"
    finally:
        tickets.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
