"""HTTP around the decision: keep-alive, one thread a connection, and a drain that no client notices."""

from __future__ import annotations

import json
import socket
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from limit_scoring.metrics import CONTENT_TYPE, Metrics
from limit_scoring.scoring import InvalidApplicationError, decide, parse

if TYPE_CHECKING:
    from limit_scoring.settings import Settings

JSON = "application/json"
LARGEST_BODY = 64 * 1024
UNCOUNTED = frozenset({"/healthz", "/readyz", "/metrics"})
Answer = tuple[HTTPStatus, str, bytes]


class ScoringServer(ThreadingHTTPServer):
    """Serves one version; `drain` ends it without a failed request as long as the caller stops sending in time."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.metrics = Metrics(settings.version)
        self.draining = threading.Event()
        self.turned = threading.Event()
        self._busy = 0
        self._idle = threading.Condition()
        super().__init__((settings.address, settings.port), ScoringHandler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent when a peer is gone, since an aborted keep-alive connection is not an error of this service."""

    def enter(self) -> None:
        """Count a request in, so that the drain waits for it."""
        with self._idle:
            self._busy += 1

    def leave(self) -> None:
        """Count a request out."""
        with self._idle:
            self._busy -= 1
            self._idle.notify_all()

    def drain(self) -> None:
        """Fail readiness at once, serve for the drain time while closing connections politely, then stop.

        New connections are still accepted during that time: gateways and kube-proxy learn of the change later than
        this process does.
        """
        self.draining.set()
        time.sleep(self.settings.drain_seconds)
        self.shutdown()
        with self._idle:
            self._idle.wait_for(lambda: self._busy == 0, timeout=5 + self.settings.delay_ms / 1000)
        self.server_close()


class ScoringHandler(BaseHTTPRequestHandler):
    """Answers one connection's requests in turn."""

    server: ScoringServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 32 * 1024  # headers and body leave in one segment
    timeout = 120

    def setup(self) -> None:
        """Turn on TCP keep-alive, so that a connection whose peer vanished does not hold a thread for ever."""
        super().setup()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Write nothing for each request: at release time the counters tell more than a log line would."""

    def do_GET(self) -> None:
        """Answer probes and scrapes."""
        self._serve("GET")

    def do_POST(self) -> None:
        """Answer decisions."""
        self._serve("POST")

    def _serve(self, method: str) -> None:
        self.server.enter()
        try:
            path = self.path.partition("?")[0]
            status, content_type, body = self._get(path) if method == "GET" else self._post(path)
            if path not in UNCOUNTED:
                known = path if path == "/decision" else "other"
                self.server.metrics.answered(method, known, status)
            self._send(status, content_type, body)
        finally:
            self.server.leave()

    def _get(self, path: str) -> Answer:
        if path == "/healthz":
            return HTTPStatus.OK, "text/plain", b"alive\n"
        if path == "/readyz":
            if self.server.draining.is_set():
                return HTTPStatus.SERVICE_UNAVAILABLE, "text/plain", b"draining\n"
            return HTTPStatus.OK, "text/plain", b"ready\n"
        if path == "/metrics":
            return HTTPStatus.OK, CONTENT_TYPE, self.server.metrics.exposition()
        if path == "/decision":
            return _problem(HTTPStatus.METHOD_NOT_ALLOWED, "/decision takes POST with a JSON body")
        return _problem(HTTPStatus.NOT_FOUND, f"{path}: no such resource; this service answers POST /decision")

    def _post(self, path: str) -> Answer:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > LARGEST_BODY:
            self.close_connection = True  # the unread body would be taken for the next request
            return _problem(HTTPStatus.BAD_REQUEST, f"Content-Length must be 0..{LARGEST_BODY}, got {length!r}")
        body = self.rfile.read(int(length))
        if path != "/decision":
            return _problem(HTTPStatus.NOT_FOUND, f"{path}: no such resource; this service answers POST /decision")
        started = time.perf_counter()
        answer = self._decision(body)
        self.server.metrics.took(time.perf_counter() - started)
        return answer

    def _decision(self, body: bytes) -> Answer:
        settings = self.server.settings
        try:
            application = parse(json.loads(body))
        except json.JSONDecodeError as error:
            return _problem(HTTPStatus.BAD_REQUEST, f"the body is not JSON: {error}")
        except InvalidApplicationError as error:
            return _problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
        settings.linger()
        if settings.fails(application.application_id, turned=self.server.turned.is_set()):
            return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, "scoring failed: feature vector is incomplete")
        decision = decide(application, inverted=settings.behaviour == "inverted")
        self.server.metrics.decided(decision)
        document = {
            "application_id": application.application_id,
            "decision": decision.outcome,
            "limit_cny": decision.limit_cny,
            "score": decision.score,
            "version": settings.version,
        }
        return HTTPStatus.OK, JSON, json.dumps(document).encode() + b"\n"

    def _send(self, status: HTTPStatus, content_type: str, body: bytes) -> None:
        self.send_response_only(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Version", self.server.settings.version)
        self.send_header("X-Pod", self.server.settings.pod)
        if self.server.draining.is_set() or self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()


def _problem(status: HTTPStatus, text: str) -> Answer:
    return status, JSON, json.dumps({"error": text}).encode() + b"\n"
