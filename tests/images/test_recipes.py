from __future__ import annotations

import importlib.util
import marshal
import shutil
import subprocess
import zipfile
from typing import TYPE_CHECKING

import pytest

from e2e.cluster.context import ClusterError
from e2e.cluster.images import debian, making, python_base, recipes
from e2e.cluster.images.archive import Entry, read_names
from e2e.cluster.images.names import IMAGES
from e2e.cluster.images.recipes import RECIPES, Recipe

if TYPE_CHECKING:
    from pathlib import Path

needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="reads Debian packages, which needs dpkg-deb")


def silent(_: str) -> None:
    """Take a progress line and drop it."""


def package(folder: Path, name: str, files: dict[str, bytes], links: dict[str, str] | None = None) -> Path:
    root = folder / name
    for path, content in {"DEBIAN/control": control(name), **files}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    for path, target in (links or {}).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).symlink_to(target)
    made = folder / f"{name}_1_all.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", root, made], check=True, capture_output=True)
    return made


def control(name: str) -> bytes:
    return f"Package: {name}\nVersion: 1\nArchitecture: all\nMaintainer: nobody <n@example>\nDescription: x\n".encode()


def test_every_image_has_a_recipe_and_an_explicit_tag() -> None:
    assert RECIPES.keys() == IMAGES.keys()
    for name in IMAGES.values():
        assert ":" in name.rpartition("/")[2]
        assert not name.endswith(":latest")


def test_an_image_is_made_once_for_its_inputs_and_again_when_one_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "coredns"
    program.write_bytes(b"one")
    recipe = Recipe(lambda _cache, _say: {"coredns": program}, RECIPES["coredns"].compose)
    monkeypatch.setitem(RECIPES, "coredns", recipe)
    said: list[str] = []
    first = making.ensure(["coredns"], tmp_path / "cache", said.append)["coredns"]
    assert read_names(first) == (IMAGES["coredns"],)
    assert making.ensure(["coredns"], tmp_path / "cache", said.append)["coredns"] == first
    assert len(said) == 1
    program.write_bytes(b"two")
    assert making.ensure(["coredns"], tmp_path / "cache", said.append)["coredns"] != first


def test_an_unknown_image_is_named() -> None:
    with pytest.raises(ClusterError, match="nginx"):
        making.ensure(["nginx"], recipes.PAUSE.source or pytest.fail("no source"), silent)


def test_the_key_depends_on_the_name_too(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_text("x")
    assert making.key("a:1", {"f": file}) != making.key("a:2", {"f": file})


@needs_dpkg
def test_package_files_move_below_usr_and_unwanted_ones_are_left_out(tmp_path: Path) -> None:
    made = package(
        tmp_path,
        "libthing",
        {"lib/x/libthing.so.1": b"so", "usr/share/doc/libthing/copyright": b"c", "etc/thing.conf": b"e"},
        {"lib64/ld.so": "/lib/x/libthing.so.1"},
    )
    found = {entry.path: entry for entry in debian.entries(made, drop=python_base.UNWANTED)}
    assert found.keys() == {"usr/lib/x/libthing.so.1", "usr/lib64/ld.so", "etc/thing.conf"}
    assert found["usr/lib64/ld.so"].link == "/lib/x/libthing.so.1"
    assert [entry.path for entry in debian.entries(made, keep=r"\.conf$")] == ["etc/thing.conf"]


def test_fetched_packages_are_taken_from_the_cache(tmp_path: Path) -> None:
    (tmp_path / "debian").mkdir()
    (tmp_path / "debian" / "libc6_2.36_amd64.deb").touch()
    found = debian.fetch(["libc6"], tmp_path, silent)
    assert found == {"libc6": tmp_path / "debian" / "libc6_2.36_amd64.deb"}


@needs_dpkg
def test_the_python_base_has_interpreter_pip_certificates_and_byte_code(tmp_path: Path) -> None:
    inputs = {name: package(tmp_path, name, {}) for name in python_base.PACKAGES}
    source = b"answer = 42\n"
    certificate = b"-----BEGIN CERTIFICATE-----\n"
    for name, files in {
        "python3.11-minimal": {"usr/bin/python3.11": b"elf"},
        "libpython3.11-stdlib": {"usr/lib/python3.11/thing.py": source, "usr/lib/python3.11/EXTERNALLY-MANAGED": b""},
        "ca-certificates": {"usr/share/ca-certificates/mozilla/A.crt": certificate},
    }.items():
        shutil.rmtree(tmp_path / name)
        inputs[name] = package(tmp_path, name, files)
    wheel = tmp_path / "pip.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("pip/__init__.py", "")
    image = python_base.compose("python:3.11", {**inputs, "pip": wheel})
    found: dict[str, Entry] = {entry.path: entry for entry in image.layers[0]}
    for path in ("usr/bin/python3.11", f"{python_base.SITE}/pip/__init__.py", "usr/local/bin/pip", "etc/passwd"):
        assert path in found
    assert found["usr/bin/sh"].link == "busybox"
    assert found["lib64"].link == "usr/lib64"
    assert found["etc/ssl/certs/ca-certificates.crt"].content == certificate
    assert not any("EXTERNALLY-MANAGED" in path for path in found)
    if importlib.util.MAGIC_NUMBER == python_base.MAGIC_OF_3_11:
        code = found["usr/lib/python3.11/__pycache__/thing.cpython-311.pyc"].content
        assert isinstance(code, bytes)
        scope: dict[str, object] = {}
        exec(marshal.loads(code[16:]), scope)  # noqa: S102, S302 - made above
        assert scope["answer"] == 42
        assert code[:4] == importlib.util.MAGIC_NUMBER
