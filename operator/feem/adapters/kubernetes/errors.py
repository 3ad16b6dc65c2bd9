"""What an answer of the API server means for the attempt that asked."""

from __future__ import annotations

import json
from collections.abc import Mapping

from feem.ports import Conflict, Refused, Unavailable

UNTRUE = "the server rejected our request due to an error in our request"
"""How the API server says that a JSON patch could not be applied: one of its tests does not hold, or a path is not there."""
_UNAUTHORIZED, _NOT_FOUND, _TIMEOUT, _CONFLICT, _TOO_MANY = 401, 404, 408, 409, 429


class NotFound(Conflict):
    """The object, or its whole resource, does not exist: for a write it is gone since it was read."""


class AlreadyExists(Conflict):
    """An object of this name exists, so nothing was created."""


class Busy(Unavailable):
    """The API server asks to wait; `retry_after` in seconds, None when it did not say how long."""

    def __init__(self, message: str, retry_after: float | None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unauthorized(Unavailable):
    """The API server does not know us any more: the credentials have to be read again."""


def problem(what: str, code: int, data: bytes, headers: Mapping[str, str]) -> Exception:
    """Return the exception for an answer other than 2xx; `what` names the request, e.g. `update Service lending/x`."""
    status = _status(data)
    text = f"{what}: {status.get('message') or data[:300].decode(errors='replace') or 'no message'} ({code})"
    if code == _NOT_FOUND:
        return NotFound(text)
    if code == _CONFLICT:
        return AlreadyExists(text) if status.get("reason") == "AlreadyExists" else Conflict(text)
    if code == _UNAUTHORIZED:
        return Unauthorized(text)
    if code in (_TIMEOUT, _TOO_MANY) or code >= 500:
        return Busy(text, _seconds(headers.get("Retry-After")))
    return Refused(text)


def _status(data: bytes) -> dict[str, object]:
    """Return the `Status` object in a body, empty when it holds something else (a proxy's page, for one)."""
    try:
        parsed = json.loads(data)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _seconds(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
