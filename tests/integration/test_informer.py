"""The local copy is complete before anybody reads it, follows every change, and heals after interruptions."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

import e2e.cluster
from e2e.cluster import Cluster
from feem.adapters.kubernetes.client import Client
from feem.adapters.kubernetes.informer import Informer
from feem.adapters.kubernetes.store import Store
from feem.ports import Body
from tests.integration.adapter import Adapter, adapter, operator_kubeconfig
from tests.integration.kubectl import Kubectl, Manifest

pytestmark = pytest.mark.integration
SERVICES, DEPLOYMENTS, PLANS = "services", "deployments.apps", "greyreleaseplans.feem.dev"
AsUser = Callable[[str], Kubectl]


@pytest.fixture
def kubeconfig(cluster: Cluster) -> Path:
    return operator_kubeconfig(cluster)


@pytest.fixture
def team(as_user: AsUser, namespace: str) -> Kubectl:
    return as_user("team@bank.example").within(namespace)


def a_plan(name: str, weight: int = 10) -> Manifest:
    return {
        "apiVersion": "feem.dev/v1alpha1",
        "kind": "GreyReleasePlan",
        "metadata": {"name": name},
        "spec": {"steps": [{"weight": weight, "bakeSeconds": 1}]},
    }


class Changes:
    """What the informer told, in order."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, bool]] = []

    def __call__(self, resource: str, body: Body, deleted: bool) -> None:  # noqa: FBT001 - the informer's signature
        self.told.append((resource, body["metadata"]["name"], deleted))


async def test_everything_is_there_before_the_first_word(kubeconfig: Path, team: Kubectl, namespace: str) -> None:
    for number in range(5):
        team.done("apply", manifest=a_plan(f"before-{number}"))
    seen: list[int] = []
    found: list[Adapter] = []

    def changed(*_: Any) -> None:
        seen.append(len(found[0].store.list(PLANS, namespace)) if found else 5)

    async with adapter(kubeconfig, changed) as feem:
        found.append(feem)
        assert len(feem.store.list(PLANS, namespace)) == 5
        assert feem.store.get(SERVICES, "default", "kubernetes") is not None
        assert feem.informer.problem == ""
    assert min(seen, default=5) == 5


async def test_changes_arrive_and_deletions_too(kubeconfig: Path, team: Kubectl, namespace: str) -> None:
    changes = Changes()
    async with adapter(kubeconfig, changes) as feem:
        team.done("apply", manifest=a_plan("watched"))
        await feem.until(lambda: feem.store.get(PLANS, namespace, "watched"))
        team.done("apply", manifest=a_plan("watched", 20))
        await feem.until(
            lambda: (feem.store.get(PLANS, namespace, "watched") or {})["spec"]["steps"][0]["weight"] == 20
        )
        team.done("delete", "plan", "watched")
        await feem.until(lambda: feem.store.get(PLANS, namespace, "watched") is None)
        await feem.until(lambda: (PLANS, "watched", True) in changes.told)
        assert (PLANS, "watched", False) in changes.told


async def test_nothing_is_ever_written(kubeconfig: Path, team: Kubectl, namespace: str) -> None:
    team.done("apply", manifest=a_plan("untouched"))
    before = team.read("plan", "untouched", "--show-managed-fields")
    async with adapter(kubeconfig) as feem:
        await feem.until(lambda: feem.store.get(PLANS, namespace, "untouched"))
        await asyncio.sleep(1)
        assert feem.writes() == []
    after = team.read("plan", "untouched", "--show-managed-fields")
    assert after == before
    assert "finalizers" not in after["metadata"]


async def test_it_stops_at_once_and_leaves_other_tasks_alone(kubeconfig: Path) -> None:
    bystander = asyncio.create_task(asyncio.sleep(30))
    async with adapter(kubeconfig):
        pass
    assert not bystander.done()
    assert [task for task in asyncio.all_tasks() if task is not bystander and task is not asyncio.current_task()] == []
    bystander.cancel()


class Line:
    """A line to the API server that can be cut and mended; TLS goes through untouched."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._whole = True
        self._pipes: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        self._whole = False
        for pipe in list(self._pipes):
            pipe.close()

    def mend(self) -> None:
        self._whole = True

    async def close(self) -> None:
        self.cut()
        if self._server is not None:
            self._server.close()
        async with asyncio.timeout(5):
            while self._pipes:  # noqa: ASYNC110 - each connection's task ends by itself now
                await asyncio.sleep(0.01)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._whole:
            writer.close()
            return
        there, back = await asyncio.open_connection(*self._target)
        pipes = {writer, back}
        self._pipes |= pipes
        try:
            await asyncio.gather(self._pump(reader, back), self._pump(there, writer))
        except ConnectionError:
            for pipe in pipes:
                pipe.close()
        finally:
            self._pipes -= pipes

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        finally:
            sink.close()


def through(line: Line, kubeconfig: Path, folder: Path) -> Path:
    """Return a kubeconfig whose server is the line."""
    config = yaml.safe_load(kubeconfig.read_text())
    config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{line.port}"
    file = folder / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    return file


def target_of(kubeconfig: Path) -> tuple[str, int]:
    host, _, port = yaml.safe_load(kubeconfig.read_text())["clusters"][0]["cluster"]["server"].rpartition(":")
    return host.removeprefix("https://"), int(port)


async def test_a_cut_line_heals_and_nothing_is_missed(
    kubeconfig: Path, team: Kubectl, namespace: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, logger="kopf")
    for name in ("stays", "goes"):
        team.done("apply", manifest=a_plan(name))
    line, changes = Line(target_of(kubeconfig)), Changes()
    await line.open()
    async with adapter(through(line, kubeconfig, tmp_path), changes) as feem:
        line.cut()
        team.done("delete", "plan", "goes")
        team.done("apply", manifest=a_plan("comes"))
        await asyncio.sleep(1)
        assert feem.store.get(PLANS, namespace, "goes") is not None
        line.mend()
        await feem.until(lambda: feem.store.get(PLANS, namespace, "comes"))
        await feem.until(lambda: feem.store.get(PLANS, namespace, "goes") is None)
        assert (PLANS, "goes", True) in changes.told
    await line.close()


async def test_a_restarted_api_server_with_a_deletion_nobody_saw(
    cluster: Cluster, kubeconfig: Path, team: Kubectl, namespace: str, tmp_path: Path
) -> None:
    """After a restart the API server has forgotten old events: the watch begins anew with a listing, which shows no deletions."""
    for name in ("kept", "lost"):
        team.done("apply", manifest=a_plan(name))
    line, changes = Line(target_of(kubeconfig)), Changes()
    await line.open()
    async with adapter(through(line, kubeconfig, tmp_path), changes) as feem:
        line.cut()
        team.done("delete", "plan", "lost")
        await asyncio.to_thread(e2e.cluster.component_restart, cluster, "kube-apiserver")
        line.mend()
        await feem.until(lambda: feem.store.get(PLANS, namespace, "lost") is None, "the deletion is noticed")
        assert (PLANS, "lost", True) in changes.told
        assert feem.store.get(PLANS, namespace, "kept") is not None
        team.done("apply", manifest=a_plan("after"))
        await feem.until(lambda: feem.store.get(PLANS, namespace, "after"))
    await line.close()


async def test_a_missing_right_is_told_and_nothing_is_called_complete(cluster: Cluster, namespace: str) -> None:
    stranger = e2e.cluster.user_kubeconfig(cluster, "nobody@bank.example")
    async with await Client.connect(str(stranger)) as client:
        informer = Informer(client, Store(), lambda *_: None)
        await informer.start()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(informer.synced(), 2)
        await informer.stop()
