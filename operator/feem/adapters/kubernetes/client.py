"""One door to the API server for every request that is not a watch."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import aiohttp
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration

from feem.adapters.kubernetes import connection
from feem.adapters.kubernetes.errors import UNTRUE, Busy, NotFound, Unauthorized, problem
from feem.adapters.kubernetes.request import APPLY_PATCH, JSON, JSON_PATCH, MERGE_PATCH, Request
from feem.adapters.kubernetes.resources import type_of
from feem.adapters.kubernetes.skew import Skew
from feem.core.ownership import FIELD_MANAGER
from feem.ports import Body, Conflict, Refused, Unavailable

PATIENCE = 2.0
"""The longest Retry-After, in seconds, that is waited for here; a longer one is the caller's to plan with."""

Observe = Callable[[str, str, int | str, float], None]
"""Called for every request: RBAC verb, resource, HTTP status or the word why there was none, seconds."""


@dataclass(frozen=True)
class Limits:
    """`timeout` and `connect_timeout` in seconds; `concurrency` bounds the requests under way at once."""

    timeout: float = 10.0
    connect_timeout: float = 3.0
    concurrency: int = 32


class Client:
    """Raw JSON in and out. Every method raises Conflict, Unavailable or Refused as the ports describe them."""

    def __init__(
        self,
        configuration: Configuration,
        *,
        observe: Observe | None = None,
        limits: Limits | None = None,
        kubeconfig: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.configuration = configuration
        self.observe: Observe = observe or (lambda *_: None)
        self._limits = limits or Limits()
        self._slots = asyncio.Semaphore(self._limits.concurrency)
        self._kubeconfig = kubeconfig
        self._clock = clock
        self._skew = Skew()
        self._api = _api_client(configuration)
        self._reloading = asyncio.Lock()

    @classmethod
    async def connect(
        cls, kubeconfig: str = "", *, observe: Observe | None = None, limits: Limits | None = None
    ) -> Self:
        """Find the API server and return a client for it; raises ConnectionProblem (an Unavailable)."""
        return cls(await connection.load(kubeconfig), observe=observe, limits=limits, kubeconfig=kubeconfig)

    @property
    def skew(self) -> float | None:
        """Seconds by which our clock is ahead of the API server's, within half a second or so; None before its first answer."""
        return self._skew.seconds

    async def close(self) -> None:
        """Close all connections."""
        await self._api.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def get(self, resource: str, namespace: str, name: str, *, timeout: float | None = None) -> Body | None:  # noqa: ASYNC109 - handed to the HTTP client
        """Read one object; None when it does not exist."""
        try:
            return await self.send(Request("get", "GET", type_of(resource), namespace, name, timeout=timeout))
        except NotFound:
            return None

    async def pages(
        self,
        resource: str,
        *,
        namespace: str = "",
        limit: int = 500,
        query: tuple[tuple[str, str], ...] = (),
        accept: str = JSON,
    ) -> AsyncIterator[Body]:
        """List a resource of a namespace, or of the whole cluster, page by page."""
        token = ""
        while True:
            more = (("limit", str(limit)), *((("continue", token),) if token else ()))
            asked = (*query, *more)
            page = await self.send(Request("list", "GET", type_of(resource), namespace, query=asked, accept=accept))
            yield page
            token = (page.get("metadata") or {}).get("continue") or ""
            if not token:
                return

    async def create(self, resource: str, namespace: str, body: Body, *, dry_run: bool = False) -> Body:
        """Create an object; raises AlreadyExists (a Conflict) when its name is taken. A dry run stores nothing."""
        query = (*_MANAGED, ("dryRun", "All")) if dry_run else _MANAGED
        return await self.send(Request("create", "POST", type_of(resource), namespace, query=query, body=body))

    async def replace(
        self,
        resource: str,
        namespace: str,
        name: str,
        body: Body,
        *,
        subresource: str = "",
        timeout: float | None = None,  # noqa: ASYNC109 - handed to the HTTP client
    ) -> Body:
        """Replace an object, or its subresource; the body carries the resourceVersion it was read at."""
        return await self.send(
            Request("update", "PUT", type_of(resource), namespace, name, subresource, _MANAGED, body, timeout=timeout)
        )

    async def merge(self, resource: str, namespace: str, name: str, patch: Body, *, subresource: str = "") -> Body:
        """Patch an object by JSON merge patch (RFC 7396); null removes a field."""
        return await self.send(
            Request("patch", "PATCH", type_of(resource), namespace, name, subresource, _MANAGED, patch, MERGE_PATCH)
        )

    async def patch(
        self, resource: str, namespace: str, name: str, operations: Sequence[Body], *, subresource: str = ""
    ) -> Body:
        """Patch an object by JSON patch (RFC 6902), all operations or none; raises Conflict when one of its tests does not hold."""
        request = Request(
            "patch", "PATCH", type_of(resource), namespace, name, subresource, _MANAGED, list(operations), JSON_PATCH
        )
        try:
            return await self.send(request)
        except Refused as refused:
            if UNTRUE in str(refused):
                raise Conflict(f"{request}: the object is not as it was when it was read") from refused
            raise

    async def evict(self, namespace: str, name: str, *, uid: str, grace_seconds: int | None = None) -> None:
        """Evict exactly the pod with this UID; one that is gone is evicted. Raises Refused where a disruption budget forbids it."""
        options: Body = {"preconditions": {"uid": uid}}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"namespace": namespace, "name": name},
            "deleteOptions": options,
        }
        try:
            await self.send(Request("create", "POST", type_of("pods"), namespace, name, "eviction", body=body))
        except NotFound:
            return
        except Busy as busy:
            if "disruption budget" in str(busy):
                raise Refused(str(busy)) from busy
            raise

    async def apply(self, resource: str, namespace: str, name: str, body: Body) -> Body:
        """Server-side apply. The body should carry the object's UID, else an object that is gone would be made anew."""
        query = (*_MANAGED, ("force", "true"))
        return await self.send(
            Request(
                "patch", "PATCH", type_of(resource), namespace, name, query=query, body=body, content_type=APPLY_PATCH
            )
        )

    async def delete(
        self,
        resource: str,
        namespace: str,
        name: str,
        *,
        uid: str,
        propagation: str = "Background",
        grace_seconds: int | None = None,
    ) -> Body | None:
        """Delete exactly the object with this UID; returns its last state if finalizers keep it, None when it is gone.

        Raises Conflict when another object has taken its name.
        """
        options: Body = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": propagation,
            "preconditions": {"uid": uid},
        }
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        try:
            answer = await self.send(Request("delete", "DELETE", type_of(resource), namespace, name, body=options))
        except NotFound:
            return None
        return answer if (answer.get("metadata") or {}).get("deletionTimestamp") else None

    async def send(self, request: Request) -> Body:
        """Send one request. A server that asks to wait a moment, or refuses stale credentials, is asked once more."""
        async with self._slots:
            api = self._api
            try:
                return await self._once(request)
            except Unauthorized:
                await self._reload(api)
            except Busy as busy:
                if busy.retry_after is None or busy.retry_after > PATIENCE or not _unprocessed(request, busy):
                    raise
                await asyncio.sleep(busy.retry_after)
            return await self._once(request)

    async def _once(self, request: Request) -> Body:
        started, asked, code = time.perf_counter(), self._clock(), "error"
        try:
            status, data, headers = await self._exchange(request)
            code = str(status)
            self._skew.note(headers.get("Date"), asked=asked, answered=self._clock())
        except TimeoutError as late:
            code = "timeout"
            raise Unavailable(f"{request}: no answer within {request.timeout or self._limits.timeout:g} s") from late
        except (aiohttp.ClientError, OSError) as broken:
            raise Unavailable(f"{request}: {type(broken).__name__}: {broken}") from broken
        finally:
            self.observe(request.verb, request.type.name, code, time.perf_counter() - started)
        if not 200 <= status < 300:
            raise problem(str(request), status, data, headers)
        try:
            answer: Body = json.loads(data)
        except ValueError as other:
            raise Unavailable(f"{request}: the answer is no JSON: something else than the API server spoke") from other
        return answer

    async def _exchange(self, request: Request) -> tuple[int, bytes, Mapping[str, str]]:
        method, url, headers, body, _ = await self._api.param_serialize(
            request.method,
            request.type.path(request.namespace, request.name, request.subresource),
            query_params=list(request.query),
            header_params={"Accept": request.accept, "Content-Type": request.content_type},
            body=request.body,
            auth_settings=["BearerToken"],
        )
        timeout = aiohttp.ClientTimeout(
            total=request.timeout or self._limits.timeout, sock_connect=self._limits.connect_timeout
        )
        response = await self._api.call_api(method, url, headers, body, _request_timeout=timeout)
        data: bytes = await response.read()
        return response.status, data, response.headers

    async def _reload(self, refused: ApiClient) -> None:
        """Read the credentials again, for tokens and certificates that were replaced since the start."""
        async with self._reloading:
            if self._api is refused:
                self.configuration = await connection.load(self._kubeconfig)
                self._api = _api_client(self.configuration)
                await refused.close()


def _api_client(configuration: Configuration) -> ApiClient:
    api = ApiClient(configuration)
    api.user_agent = "feem"
    return api


_MANAGED: tuple[tuple[str, str], ...] = (("fieldManager", FIELD_MANAGER),)


def _unprocessed(request: Request, busy: Busy) -> bool:
    """Whether repeating cannot do a thing twice: reads, and requests that priority and fairness turned away (429)."""
    return request.method == "GET" or str(busy).endswith("(429)")


def with_type(resource: str, body: Mapping[str, Any]) -> Body:
    """Return a body with its apiVersion and kind, which writes need and lists leave out."""
    kind = type_of(resource)
    return {"apiVersion": kind.api_version, "kind": kind.kind, **body}
