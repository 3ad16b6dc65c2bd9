"""Many pods that count requests, for a Prometheus to scrape: `python -m bench.evidence.exporter PORT`."""

from __future__ import annotations

import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

EDGES = ("0.05", "0.1", "0.2", "0.3", "0.5", "1.0", "2.5", "+Inf")
RATE = 20.0
"""Requests a second and pod."""
DECISIONS = (("approved", 0.55), ("referred", 0.25), ("rejected", 0.20))
BORN = time.time()


def page(now: float) -> bytes:
    """Return what one pod exposes: requests by code, a histogram of durations, decisions."""
    seen = int((now - BORN) * RATE) + 1000
    bad = seen // 1000
    lines = ["# TYPE http_requests_total counter"]
    lines += [f'http_requests_total{{code="200"}} {seen - bad}', f'http_requests_total{{code="500"}} {bad}']
    lines.append("# TYPE http_request_duration_seconds histogram")
    shares = (0.3, 0.6, 0.9, 0.95, 0.995, 0.999, 1.0, 1.0)
    lines += [
        f'http_request_duration_seconds_bucket{{le="{edge}"}} {int(seen * share)}'
        for edge, share in zip(EDGES, shares, strict=True)
    ]
    lines += [f"http_request_duration_seconds_count {seen}", f"http_request_duration_seconds_sum {seen / 10}"]
    lines.append("# TYPE credit_decisions_total counter")
    lines += [f'credit_decisions_total{{decision="{name}"}} {int(seen * share)}' for name, share in DECISIONS]
    return ("\n".join(lines) + "\n").encode()


class Pods(BaseHTTPRequestHandler):
    """Answers for every pod alike."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer a scrape."""
        body = page(time.time())
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class calls it so
        """Say nothing."""


def main() -> None:
    """Serve on loopback until ended."""
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Pods).serve_forever()


if __name__ == "__main__":
    main()
