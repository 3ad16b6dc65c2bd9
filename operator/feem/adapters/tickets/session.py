"""What every HTTP session to a ticket system has: no proxies, no redirects, and an answer that is small, timely and JSON."""

from __future__ import annotations

import io
import json
import time
from typing import Any

import requests

from feem.adapters.tickets.access import Access
from feem.adapters.tickets.problem import late, malformed, moved

MOST_BYTES = 256 * 1024
"""The largest answer that is read; a ticket with one field is less than one kilobyte."""


def prepare(session: requests.Session, access: Access) -> None:
    """Set a session up for one look-up. What is wrong with an answer is raised as Unanswered while it is received."""
    deadline = time.monotonic() + access.timeout

    def received(response: requests.Response, **_: Any) -> None:
        if response.is_redirect:
            raise moved(access, response.status_code)
        body = _body(response, access, deadline)
        response.raw = io.BytesIO(body)
        if response.ok and not _is_object(body):
            raise malformed(access, "something else than a JSON object")

    session.trust_env = False
    session.verify = str(access.ca_file) if access.ca_file else True
    session.hooks["response"] = [received]


def _body(response: requests.Response, access: Access, deadline: float) -> bytes:
    """Read the body piece by piece: a server that never comes to an end must not hold the thread, or fill the memory."""
    body = bytearray()
    while piece := response.raw.read1(8192, decode_content=True):  # at most one wait, unlike `read` and `stream`
        body += piece
        if len(body) > MOST_BYTES:
            response.close()
            raise malformed(access, f"more than {MOST_BYTES // 1024} KiB")
        if time.monotonic() > deadline:
            response.close()
            raise late(access)
    response.raw.release_conn()
    return bytes(body)


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        return False
