"""As much of HTTP as the service needs: one request and one answer a connection."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON = "application/json"
LARGEST_BODY = 64 * 1024


class BadRequestError(Exception):
    """The bytes are no request that can be read; says why."""


@dataclass(frozen=True)
class Request:
    """One request; the path is without its query."""

    method: str
    path: str
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """One answer."""

    status: HTTPStatus
    content_type: str
    body: bytes

    def encoded(self, headers: Mapping[str, str]) -> bytes:
        """Give the answer's bytes with these headers added.

        Every answer closes its connection: a gateway that keeps none open has to make one for the next request, and
        so feels at once that these pods are cut off.
        """
        every = {"Content-Type": self.content_type, "Content-Length": str(len(self.body)), "Connection": "close"}
        lines = [f"HTTP/1.1 {self.status.value} {self.status.phrase}"]
        lines += [f"{name}: {value}" for name, value in (every | dict(headers)).items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body


async def read(reader: asyncio.StreamReader) -> Request | None:
    """Read the one request of a connection, None when the client left without one. Raises BadRequestError."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
    except asyncio.IncompleteReadError:
        return None
    except (asyncio.LimitOverrunError, ValueError) as problem:
        raise BadRequestError("this is no HTTP request") from problem
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = fields.get("content-length", "0" if method == "GET" else "")
    if not (length.isascii() and length.isdigit()) or int(length) > LARGEST_BODY:
        raise BadRequestError(f"Content-Length must be 0..{LARGEST_BODY}, got {length!r}")
    try:
        return Request(method, target.partition("?")[0], await reader.readexactly(int(length)))
    except asyncio.IncompleteReadError:
        return None


def document(status: HTTPStatus, content: Mapping[str, object]) -> Answer:
    """Give a JSON answer."""
    return Answer(status, JSON, json.dumps(content).encode() + b"\n")


def problem(status: HTTPStatus, text: str) -> Answer:
    """Give an answer that says what is wrong."""
    return document(status, {"error": text})


def text(status: HTTPStatus, line: str) -> Answer:
    """Give one line of text."""
    return Answer(status, "text/plain", line.encode() + b"\n")
