"""A stand-in for Prometheus on loopback: counters that grow by the clock, for whatever pods a query names."""

from __future__ import annotations

import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

SCRAPE = 2.0
"""Seconds between two samples."""


class MetricsServer:
    """`bad_share` of the canary's events are bad, none of stable's; with `silent` there is no answer but 503."""

    def __init__(self) -> None:
        self.bad_share, self.silent, self.rate = 0.0, False, 200.0
        self._began = time.time() - 3600
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.answer(self, urlsplit(self.path).query)

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def close(self) -> None:
        self._http.shutdown()

    def answer(self, handler: BaseHTTPRequestHandler, words: str) -> None:
        query = parse_qs(words).get("query", [""])[0]
        if self.silent:
            handler.send_error(503)
            return
        text = json.dumps(
            {"status": "success", "data": {"resultType": "matrix", "result": self._series(query)}}
        ).encode()
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)

    def _series(self, query: str) -> list[dict[str, Any]]:
        names = re.search(r'pod=~"([^"]*)"', query)
        span = float((re.search(r"\[(\d+)s\]", query) or ["", "60"])[1])
        bad = "code=~" in query
        sets = [
            one.removesuffix("-.*").replace("\\\\", "").replace("\\", "")
            for one in re.split(r"\|", names[1] if names else "")
        ]
        return [self._one(name.strip("()"), span, bad=bad) for name in sets]

    def _one(self, replica_set: str, span: float, *, bad: bool) -> dict[str, Any]:
        share = (self.bad_share if "-canary-" in replica_set else 0.0) if bad else 1.0
        now = time.time()
        first = int((now - span) / SCRAPE) + 1
        times = [index * SCRAPE for index in range(first, int(now / SCRAPE) + 1)]
        values = [[at, str((at - self._began) * self.rate * share)] for at in times]
        return {"metric": {"__name__": "events_total", "pod": f"{replica_set}-x1"}, "values": values}
