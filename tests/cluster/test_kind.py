"""Backend kind, as far as it goes without an engine: every command it would give, to a stand-in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from e2e.cluster import kind
from e2e.cluster.context import ClusterError


class Engine:
    """Answers for docker and kind, and keeps what it was asked."""

    def __init__(self, *, image: bool = True, pulls: bool = True) -> None:
        self.asked: list[list[str]] = []
        self._image, self._pulls = image, pulls

    def run(self, argv: Sequence[str | Path], **_: Any) -> str:
        words = [str(word) for word in argv]
        self.asked.append(words)
        if words[:3] == ["docker", "image", "inspect"] and not self._image:
            raise ClusterError("no such image")
        if words[:2] == ["docker", "pull"] and not self._pulls:
            raise ClusterError("no such host")
        return "true\n" if words[:2] == ["docker", "inspect"] else ""


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    engine = Engine()
    install(engine, monkeypatch)
    return engine


def install(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kind, "run", engine.run)
    programs = {"kind": Path("/programs/kind")}
    monkeypatch.setattr(kind, "binaries", SimpleNamespace(ensure=lambda *_: programs))


def test_up_find_and_down_give_kind_the_right_commands(engine: Engine, tmp_path: Path) -> None:
    state = tmp_path / "demo"
    cluster = kind.up(state, "api", tmp_path / "cache", lambda _: None)
    create = next(words for words in engine.asked if "create" in words)
    assert create[:3] == ["/programs/kind", "create", "cluster"]
    assert {"--name=feem-demo", f"--kubeconfig={state / 'kubeconfig'}"} <= set(create)
    assert any(word.startswith("--image=kindest/node:v1.37") for word in create)
    assert cluster == kind.find(state)
    assert cluster.address
    kind.down(state, lambda _: None)
    assert engine.asked[-1][:4] == ["/programs/kind", "delete", "cluster", "--name=feem-demo"]


def test_a_half_made_cluster_is_deleted_before_the_next_attempt(engine: Engine, tmp_path: Path) -> None:
    state = tmp_path / "demo"
    kind.up(state, "api", tmp_path / "cache", lambda _: None)
    record = json.loads((state / "kind.json").read_text())
    (state / "kind.json").write_text(json.dumps(record | {"ready": False}))
    assert kind.find(state) is None
    engine.asked.clear()
    kind.up(state, "api", tmp_path / "cache", lambda _: None)
    verbs = [words[1] for words in engine.asked if words[0] == "/programs/kind"]
    assert verbs == ["delete", "create"]


def test_node_ports_and_audit_log_reach_the_host(tmp_path: Path) -> None:
    node = kind.configuration(tmp_path, "127.0.0.3")["nodes"][0]
    assert [(entry["hostPort"], entry["listenAddress"]) for entry in node["extraPortMappings"]] == [
        (30080, "127.0.0.3"),
        (30090, "127.0.0.3"),
    ]
    assert {entry["hostPath"] for entry in node["extraMounts"]} >= {str(tmp_path / "audit")}
    patches = [yaml.safe_load(patch) for patch in node["kubeadmConfigPatches"]]
    arguments = {entry["name"] for entry in patches[0]["apiServer"]["extraArgs"]}
    assert arguments == {"audit-policy-file", "audit-log-path"}
    assert patches[1] == {"kind": "KubeletConfiguration", "failCgroupV1": False}


def test_a_second_cluster_takes_another_loopback_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kind, "is_free", lambda _, host: host != "127.0.0.1")
    assert kind.free_loopback() == "127.0.0.2"


@pytest.mark.parametrize(
    ("image", "pulls", "available"), [(True, False, True), (False, True, True), (False, False, False)]
)
def test_the_node_image_is_there_or_is_pulled(
    *, image: bool, pulls: bool, available: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine(image=image, pulls=pulls)
    install(engine, monkeypatch)
    assert kind.node_image_available(lambda _: None) is available


def test_the_node_image_can_be_another_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FEEM_KIND_NODE_IMAGE", "registry.bank.example/kindest/node:v1.37.0")
    argv = kind.create_argv(Path("kind"), tmp_path / "demo")
    assert "--image=registry.bank.example/kindest/node:v1.37.0" in argv
