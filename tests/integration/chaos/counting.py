"""A client of the API server that counts what it writes, and ends where it is told to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal

from feem.adapters.kubernetes.client import Client
from feem.adapters.kubernetes.errors import NotFound
from feem.adapters.kubernetes.request import APPLY_PATCH, Request
from feem.adapters.kubernetes.resources import type_of
from feem.ports import Body

Moment = Literal["before", "after"]
MOMENTS: tuple[Moment, ...] = ("before", "after")


class Crash(Exception):  # noqa: N818 - it is what happens to a process, and nothing catches it
    """The process ends here."""


class CountingClient(Client):
    """Counts so that a write which is refused and tried again is one, however often a controller comes in between.

    `asked`: writes under way or carried out; `written`: those that the API server carried out, as `verb Kind [subresource]`.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.asked = 0
        self.written: list[str] = []
        self._crash: tuple[int, Moment] | None = None
        self._ended = False
        self.meanwhile: Callable[[], Awaitable[Any]] | None = None
        """What somebody else does once, after our look at an object and before our first write."""

    def crash_at(self, number: int, moment: Moment) -> None:
        """End before this write is sent, or once as many are carried out; counted from here on and from 1."""
        self.go_on()
        self._crash = (number, moment)

    def go_on(self) -> None:
        """Crash no more, and count anew."""
        self.asked, self._crash, self._ended = 0, None, False
        self.written.clear()

    async def send(self, request: Request) -> Body:
        if request.method == "GET":
            return await super().send(request)
        if self._ended:
            raise Crash  # whatever else the process had begun
        self.asked += 1
        act, self.meanwhile = self.meanwhile, None
        if act is not None:
            await act()
        self._end_at(self.asked, "before")
        try:
            answer = await super().send(request)
        except Exception:
            self.asked -= 1
            raise
        self.written.append(" ".join(filter(None, (request.verb, request.type.kind, request.subresource))))
        self._end_at(len(self.written), "after")
        return answer

    def _end_at(self, number: int, moment: Moment) -> None:
        if self._crash == (number, moment):
            self._ended = True
            raise Crash


async def apply_as(client: Client, manager: str, resource: str, body: Body, *, force: bool = True) -> Body:
    """Server-side apply under a manager's name, as `kubectl apply --server-side` does; raises Conflict unless forced."""
    kind, metadata = type_of(resource), body["metadata"]
    query = (("fieldManager", manager), ("force", "true" if force else "false"))
    whole = {"apiVersion": kind.api_version, "kind": kind.kind, **body}
    place = (kind, metadata.get("namespace", ""), metadata["name"])
    return await client.send(
        Request("patch", "PATCH", *place, query=query, body=whole, content_type=APPLY_PATCH, timeout=30)
    )


async def listed(client: Client, resource: str, namespace: str) -> Sequence[Body]:
    """Every object of a resource in a namespace; none where there is no such resource."""
    found: list[Body] = []
    try:
        async for page in client.pages(resource, namespace=namespace):
            found += page.get("items") or ()
    except NotFound:
        return ()
    return found
