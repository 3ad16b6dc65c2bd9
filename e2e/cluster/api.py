"""The few requests bring-up itself makes, with the administrator's certificate and nothing but the standard library."""

from __future__ import annotations

import http.client
import json
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_TIMEOUT = 10.0


class RefusedError(RuntimeError):
    """The server answered with an error; `status` is its HTTP code."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status


@dataclass(frozen=True)
class Door:
    """One HTTPS server and the certificate to show it; `pki` holds `authority`.crt, `client`.crt and `client`.key."""

    server: str
    pki: Path
    authority: str = "ca"
    client: str = "admin"

    def text(self, path: str, method: str = "GET", body: object = None) -> str:
        """Make one request and return the answer's text; errors are OSError (no answer) and RefusedError."""
        context = ssl.create_default_context(cafile=str(self.pki / f"{self.authority}.crt"))
        context.load_cert_chain(str(self.pki / f"{self.client}.crt"), str(self.pki / f"{self.client}.key"))
        parts = urlsplit(self.server)
        connection = http.client.HTTPSConnection(
            parts.hostname or "", parts.port or 443, timeout=_TIMEOUT, context=context
        )
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, path, body=content, headers={"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", errors="replace")
        except http.client.HTTPException as error:
            raise ConnectionError(f"{self.server}: {error!r}") from error
        finally:
            connection.close()
        if answer.status >= http.client.BAD_REQUEST:
            raise RefusedError(answer.status, text[:500])
        return text

    def get(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.text(path))
        return found

    def create(self, path: str, body: dict[str, Any]) -> None:
        """Create an object; one that is already there is left as it is."""
        try:
            self.text(path, "POST", body)
        except RefusedError as error:
            if error.status != http.client.CONFLICT:
                raise
