"""One keep-alive HTTPS connection of one account, so that a request's time is the API server's and not the handshake's."""

from __future__ import annotations

import http.client
import json
import ssl
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from e2e.cluster import pki

PATIENCE = 30.0
FRESH = 15.0
"""Seconds without a request after which the connection is opened anew: servers close idle ones, now and then in between."""
PLAIN = "application/json"
APPLY = "application/apply-patch+yaml"


@dataclass(frozen=True)
class Account:
    """Who asks: user name and groups, as the client certificate tells them."""

    user: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What came back, and after how many seconds from the first byte sent to the last byte read."""

    status: int
    content: bytes
    warnings: tuple[str, ...]
    seconds: float

    @property
    def fine(self) -> bool:
        """Whether the request was granted."""
        return http.client.OK <= self.status < http.client.MULTIPLE_CHOICES

    def body(self) -> dict[str, Any]:
        """Return the object."""
        found: dict[str, Any] = json.loads(self.content)
        return found

    def text(self) -> str:
        """Return the beginning of the answer, for messages."""
        return f"{self.status}: {self.content[:600].decode(errors='replace')}"


class RefusedError(RuntimeError):
    """The API server refused what the bench needs; the message is its own."""


class Wire:
    """The connection; opened by its first request."""

    def __init__(self, server: str, authority: Path, account: Account) -> None:
        self.account = account
        self._last = time.monotonic()
        parts = urlsplit(server)
        self._connection = http.client.HTTPSConnection(
            parts.hostname or "", parts.port or 443, timeout=PATIENCE, context=_context(authority, account)
        )

    def ask(self, method: str, path: str, content: bytes | None = None, kind: str = PLAIN) -> Answer:
        """Make one request; no answer is a ConnectionError that names it."""
        if time.monotonic() - self._last > FRESH:
            self._connection.close()
        try:
            began = time.perf_counter()
            self._connection.request(method, path, body=content, headers={"Content-Type": kind})
            response = self._connection.getresponse()
            read = response.read()
            seconds = time.perf_counter() - began
        except (OSError, http.client.HTTPException) as silent:
            raise ConnectionError(f"{method} {path} as {self.account.user} was not answered: {silent!r}") from silent
        self._last = time.monotonic()
        return Answer(response.status, read, tuple(response.headers.get_all("Warning") or ()), seconds)

    def done(self, method: str, path: str, body: object = None, kind: str = PLAIN) -> dict[str, Any]:
        """Make a request that has to succeed; raises RefusedError."""
        answer = self.ask(method, path, None if body is None else json.dumps(body).encode(), kind)
        if not answer.fine:
            raise RefusedError(f"{method} {path} as {self.account.user} was refused: {answer.text()}")
        return answer.body()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _context(authority: Path, account: Account) -> ssl.SSLContext:
    """Load a certificate made for the account; the files that the library needs for it are gone afterwards."""
    context = ssl.create_default_context(cafile=str(authority / "ca.crt"))
    certificate, key = pki.issue_user(authority, account.user, account.groups)
    with tempfile.TemporaryDirectory() as folder:
        pair = Path(folder) / "pair.pem"
        pair.touch(0o600)
        pair.write_bytes(certificate + key)
        context.load_cert_chain(str(pair))
    return context


def grouped(account: Account) -> Sequence[str]:
    """Return the groups that the API server sees."""
    return (*account.groups, "system:authenticated")
