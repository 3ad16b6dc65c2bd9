"""What the client sends, and what it makes of every kind of answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import RawTestServer
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config import incluster_config

from feem.adapters.kubernetes import connection
from feem.adapters.kubernetes.client import Client, Limits
from feem.adapters.kubernetes.connection import ConnectionProblem
from feem.adapters.kubernetes.errors import AlreadyExists, Busy, NotFound
from feem.ports import Conflict, Refused, Unavailable

DEPLOYMENTS = "deployments.apps"
Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Scripted:
    """An API server that gives prepared answers, the last one for ever, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: list[web.Response | Serve] = []
        self.asked: list[tuple[str, str, dict[str, str], Any, str]] = []
        self.tokens: list[str] = []

    def says(self, *answers: web.Response | Serve) -> None:
        self.answers = list(answers)

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        assert isinstance(request, web.BaseRequest)
        text = await request.text()
        body = json.loads(text) if text else None
        self.asked.append((request.method, request.path, dict(request.query), body, request.content_type))
        self.tokens.append(request.headers.get("Authorization", ""))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, web.Response):
            return web.Response(status=answer.status, body=answer.body, headers=answer.headers)
        return await answer(request)  # type: ignore[arg-type]


def status(code: int, reason: str = "", message: str = "said the server", **headers: str) -> web.Response:
    body = {"kind": "Status", "status": "Failure", "reason": reason, "message": message, "code": code}
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return web.Response(status=code, text=json.dumps(body), content_type="application/json", headers=named)


def fine(**body: Any) -> web.Response:
    return web.Response(text=json.dumps(body), content_type="application/json")


@pytest.fixture
async def server() -> AsyncIterator[tuple[Scripted, str]]:
    scripted = Scripted()
    async with RawTestServer(scripted.serve) as running:
        yield scripted, str(running.make_url("/")).rstrip("/")


@pytest.fixture
async def client(server: tuple[Scripted, str]) -> AsyncIterator[Client]:
    async with Client(Configuration(host=server[1]), limits=Limits(timeout=0.5, concurrency=3)) as found:
        yield found


@pytest.fixture
def api(server: tuple[Scripted, str]) -> Scripted:
    return server[0]


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (status(400), Refused),
        (status(403), Refused),
        (status(405), Refused),
        (status(413), Refused),
        (status(422), Refused),
        (status(404), NotFound),
        (status(409, "Conflict"), Conflict),
        (status(409, "AlreadyExists"), AlreadyExists),
        (status(401), Unavailable),
        (status(408), Busy),
        (status(429), Busy),
        (status(500), Busy),
        (status(503), Busy),
        (status(504), Busy),
        (web.Response(status=502, text="<html>bad gateway</html>"), Busy),
        (web.Response(status=200, text="<html>log in here</html>"), Unavailable),
    ],
    ids=lambda value: value.status if isinstance(value, web.Response) else value.__name__,
)
async def test_each_code_has_its_meaning(
    client: Client, api: Scripted, monkeypatch: pytest.MonkeyPatch, answer: web.Response, problem: type[Exception]
) -> None:
    async def same(_: str = "") -> Configuration:
        return client.configuration

    monkeypatch.setattr(connection, "load", same)
    api.says(answer)
    with pytest.raises(problem) as told:
        await client.create(DEPLOYMENTS, "lending", {"metadata": {"name": "scoring"}})
    assert type(told.value) is problem or issubclass(told.type, problem)
    assert "create Deployment lending" in str(told.value)


async def test_the_servers_own_words_are_passed_on(client: Client, api: Scripted) -> None:
    api.says(status(422, "Invalid", "spec.replicas: Invalid value: -1"))
    with pytest.raises(Refused, match=r"update Deployment lending/scoring: spec.replicas: Invalid value: -1 \(422\)"):
        await client.replace(DEPLOYMENTS, "lending", "scoring", {})


async def test_what_is_not_there_reads_as_none(client: Client, api: Scripted) -> None:
    api.says(status(404))
    assert await client.get(DEPLOYMENTS, "lending", "scoring") is None
    assert await client.delete(DEPLOYMENTS, "lending", "scoring", uid="u") is None


async def test_paths_and_bodies_of_every_verb(client: Client, api: Scripted) -> None:
    api.says(fine(metadata={}))
    await client.get("services", "lending", "scoring")
    await client.create("auditrecords.feem.dev", "", {"metadata": {"name": "0"}})
    await client.replace("releases.feem.dev", "lending", "r", {"status": {}}, subresource="status")
    await client.merge(DEPLOYMENTS, "lending", "d", {"spec": {"paused": None}})
    await client.apply(DEPLOYMENTS, "lending", "d", {"metadata": {"uid": "u"}})
    await client.delete(DEPLOYMENTS, "lending", "d", uid="u")
    managed = {"fieldManager": "feem"}
    options = {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "propagationPolicy": "Background",
        "preconditions": {"uid": "u"},
    }
    plain = "application/json"
    assert api.asked == [
        ("GET", "/api/v1/namespaces/lending/services/scoring", {}, None, plain),
        ("POST", "/apis/feem.dev/v1alpha1/auditrecords", managed, {"metadata": {"name": "0"}}, plain),
        ("PUT", "/apis/feem.dev/v1alpha1/namespaces/lending/releases/r/status", managed, {"status": {}}, plain),
        (
            "PATCH",
            "/apis/apps/v1/namespaces/lending/deployments/d",
            managed,
            {"spec": {"paused": None}},
            "application/merge-patch+json",
        ),
        (
            "PATCH",
            "/apis/apps/v1/namespaces/lending/deployments/d",
            {**managed, "force": "true"},
            {"metadata": {"uid": "u"}},
            "application/apply-patch+yaml",
        ),
        ("DELETE", "/apis/apps/v1/namespaces/lending/deployments/d", {}, options, plain),
    ]


async def test_a_deletion_that_finalizers_delay_returns_the_object(client: Client, api: Scripted) -> None:
    api.says(fine(metadata={"deletionTimestamp": "2026-03-01T12:00:00Z"}))
    assert await client.delete(DEPLOYMENTS, "lending", "d", uid="u") is not None
    api.says(fine(kind="Status", metadata={}))
    assert await client.delete(DEPLOYMENTS, "lending", "d", uid="u") is None


async def test_lists_come_page_by_page(client: Client, api: Scripted) -> None:
    api.says(fine(metadata={"continue": "more"}, items=[1]), fine(metadata={}, items=[2]))
    pages = [page["items"] async for page in client.pages(DEPLOYMENTS, limit=1)]
    assert pages == [[1], [2]]
    assert [asked[2] for asked in api.asked] == [{"limit": "1"}, {"limit": "1", "continue": "more"}]


@pytest.mark.parametrize("code", [429, 503])
async def test_a_short_wait_the_server_asks_for_is_honoured_once(client: Client, api: Scripted, code: int) -> None:
    api.says(status(code, Retry_After="0.1"), fine(metadata={"name": "d"}))
    assert await client.get(DEPLOYMENTS, "lending", "d") is not None
    assert len(api.asked) == 2
    api.says(status(code, Retry_After="0.1"))
    with pytest.raises(Busy) as told:
        await client.get(DEPLOYMENTS, "lending", "d")
    assert told.value.retry_after == 0.1
    assert len(api.asked) == 4


async def test_a_long_wait_is_the_callers_to_plan(client: Client, api: Scripted) -> None:
    api.says(status(429, Retry_After="30"))
    with pytest.raises(Busy) as told:
        await client.get(DEPLOYMENTS, "lending", "d")
    assert told.value.retry_after == 30
    assert len(api.asked) == 1


async def test_a_write_that_may_have_happened_is_not_repeated(client: Client, api: Scripted) -> None:
    api.says(status(504, Retry_After="0.1"))
    with pytest.raises(Busy):
        await client.create(DEPLOYMENTS, "lending", {})
    assert len(api.asked) == 1


async def test_a_write_that_was_turned_away_is_repeated(client: Client, api: Scripted) -> None:
    api.says(status(429, Retry_After="0.1"), fine(metadata={}))
    await client.create(DEPLOYMENTS, "lending", {})
    assert len(api.asked) == 2


async def test_a_silent_server_is_unavailable(client: Client, api: Scripted) -> None:
    async def silent(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(5)
        return fine()

    api.says(silent)
    with pytest.raises(Unavailable, match=r"no answer within 0.5 s"):
        await client.get(DEPLOYMENTS, "lending", "d")


async def test_a_server_that_hangs_up_is_unavailable(client: Client, api: Scripted) -> None:
    async def hangs_up(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        return fine()

    api.says(hangs_up)
    with pytest.raises(Unavailable):
        await client.create(DEPLOYMENTS, "lending", {})


async def test_no_server_at_all_is_unavailable(unused_tcp_port: int) -> None:
    async with Client(Configuration(host=f"http://127.0.0.1:{unused_tcp_port}")) as client:
        with pytest.raises(Unavailable):
            await client.get(DEPLOYMENTS, "lending", "d")


async def test_every_request_is_observed(client: Client, api: Scripted) -> None:
    seen: list[tuple[str, str, int | str]] = []
    client.observe = lambda verb, resource, code, seconds: seen.append((verb, resource, code)) if seconds >= 0 else None
    api.says(fine(metadata={}), status(409), status(404))
    await client.get(DEPLOYMENTS, "a", "b")
    with pytest.raises(Conflict):
        await client.merge("services", "a", "b", {})
    assert await client.get("releases.feem.dev", "a", "b") is None
    assert seen == [
        ("get", DEPLOYMENTS, "200"),
        ("patch", "services", "409"),
        ("get", "releases.feem.dev", "404"),
    ]


async def test_requests_under_way_are_bounded(client: Client, api: Scripted) -> None:
    now, most = 0, 0

    async def slow(_: web.Request) -> web.StreamResponse:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.02)
        now -= 1
        return fine(metadata={})

    api.says(slow)
    await asyncio.gather(*(client.get(DEPLOYMENTS, "a", str(number)) for number in range(12)))
    assert most == 3


def kubeconfig(host: str, token: str) -> str:
    return yaml.safe_dump(
        {
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": host}}],
            "users": [{"name": "u", "user": {"token": token}}],
        }
    )


async def test_stale_credentials_are_read_again(server: tuple[Scripted, str], tmp_path: Path) -> None:
    api, host = server
    file = tmp_path / "kubeconfig"
    file.write_text(kubeconfig(host, "old"))
    async with await Client.connect(str(file)) as client:
        api.says(status(401), fine(metadata={}))
        file.write_text(kubeconfig(host, "new"))
        await client.get(DEPLOYMENTS, "a", "b")
    assert api.tokens == ["Bearer old", "Bearer new"]


async def test_the_service_accounts_token_is_read_again(
    server: tuple[Scripted, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api, host = server
    token, ca = tmp_path / "token", tmp_path / "ca.crt"
    token.write_text("first")
    ca.write_text("unused")
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "1")
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(token))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(ca))
    configuration = await connection.load()
    assert configuration.host == "https://127.0.0.1:1"
    assert await configuration.get_api_key_with_prefix("BearerToken") == "bearer first"
    credentials = await connection.watch_credentials(configuration)
    assert (credentials.token, credentials.ca_path) == ("first", str(ca))
    assert host
    assert not api.asked


async def test_no_way_to_the_server_says_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ConnectionProblem, match="set KUBECONFIG"):
        await Client.connect()
    with pytest.raises(ConnectionProblem, match="nowhere"):
        await Client.connect(str(tmp_path / "nowhere"))
