"""Finding a cluster again, and not mistaking remains for one."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from e2e.cluster import kind, lifecycle, paths
from e2e.cluster.context import ClusterError
from e2e.cluster.local import lifecycle as local
from e2e.cluster.local.plan import write_json
from e2e.cluster.local.record import READY, STARTING, cgroup_name, read_record, write_record
from e2e.cluster.processes import alive, identify
from tests.cluster.layouts import api_layout


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FEEM_STATE", str(tmp_path / "clusters"))
    monkeypatch.setenv("FEEM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "clusters" / "demo"


def supervised_by(state: Path, pid: int, started_later: int = 0) -> None:
    process = identify(pid)
    assert process
    write_json(state / "supervisor.json", asdict(process) | {"started": process.started + started_later})


def test_a_record_comes_back_as_it_was_written(state: Path) -> None:
    layout = api_layout(state)
    write_record(layout, READY)
    assert read_record(state) == (layout, READY)


def test_a_ready_cluster_whose_supervisor_lives_is_found(state: Path) -> None:
    write_record(api_layout(state), READY)
    supervised_by(state, os.getpid())
    cluster = lifecycle.find("demo")
    assert cluster
    assert (cluster.backend, cluster.profile, cluster.kubeconfig) == ("local", "api", state / "kubeconfig")


@pytest.mark.parametrize("phase", [STARTING, READY])
def test_remains_are_no_cluster(state: Path, phase: str) -> None:
    write_record(api_layout(state), phase)
    assert lifecycle.find("demo") is None
    supervised_by(state, os.getpid(), started_later=0 if phase == STARTING else 1)
    assert lifecycle.find("demo") is None


@pytest.mark.parametrize("content", ["", "{", '{"backend": "local"}', '{"backend": "other"}', "[]"])
def test_half_a_record_is_no_cluster(state: Path, content: str) -> None:
    state.mkdir(parents=True)
    (state / "cluster.json").write_text(content)
    (state / "supervisor.json").write_text(content)
    assert lifecycle.find("demo") is None


def test_a_pid_given_to_somebody_else_is_not_the_supervisor(state: Path) -> None:
    write_record(api_layout(state), READY)
    supervised_by(state, os.getpid(), started_later=1)
    local.purge(state, lambda _: None)  # must not kill this process
    assert not state.exists()


def test_a_process_of_an_earlier_boot_is_gone() -> None:
    process = identify(os.getpid())
    assert process
    assert alive(process)
    assert not alive(type(process)(process.pid, process.started, "another-boot"))


def test_a_profile_is_a_floor(state: Path) -> None:
    write_record(api_layout(state), READY)
    supervised_by(state, os.getpid())
    (state / "plan.json").write_text("[]")
    assert lifecycle.up("demo", "api", "auto", lambda _: None).name == "demo"
    with pytest.raises(ClusterError, match="remove it first"):
        lifecycle.up("demo", "full", "auto", lambda _: None)


def test_the_same_name_in_another_place_has_another_cgroup() -> None:
    assert cgroup_name(Path("/a/demo")) != cgroup_name(Path("/b/demo"))
    assert cgroup_name(Path("/a/demo")).startswith("feem-demo-")


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a/b", "..", "a" * 31, "1a"])
def test_names_that_hosts_and_cgroups_cannot_bear_are_refused(name: str) -> None:
    with pytest.raises(ClusterError, match="Choose another --name"):
        paths.cluster_state(name)


def test_our_own_kubeconfig_is_not_a_given_cluster(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "docker_answers", lambda: False)
    monkeypatch.setenv("KUBECONFIG", str(state / "kubeconfig"))
    assert lifecycle.choose_backend(lambda _: None) == "local"
    monkeypatch.setenv("KUBECONFIG", "/somewhere/else")
    assert lifecycle.choose_backend(lambda _: None) == "given"
    monkeypatch.delenv("KUBECONFIG")
    assert lifecycle.choose_backend(lambda _: None) == "local"


def test_kind_is_chosen_where_an_engine_answers_and_has_the_image(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setattr(lifecycle, "docker_answers", lambda: True)
    said: list[str] = []
    for available, backend in ((True, "kind"), (False, "local")):
        monkeypatch.setattr(kind, "node_image_available", lambda _, available=available: available)
        assert lifecycle.choose_backend(said.append) == backend
    assert "neither be found nor pulled" in said[0]


def test_status_tells_remains_from_clusters(state: Path) -> None:
    api_layout(state)
    assert lifecycle.names() == ["demo"]
    assert json.loads(json.dumps(lifecycle.names())) == ["demo"]
