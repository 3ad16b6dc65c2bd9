from __future__ import annotations

import json
import tarfile
from typing import TYPE_CHECKING

import pytest

from e2e.cluster.images import archive
from e2e.cluster.images.archive import Entry, Image

if TYPE_CHECKING:
    from pathlib import Path

IMAGE = Image(
    name="feem.example/thing:1.0",
    layers=(
        (Entry("etc/passwd", b"root"), Entry("usr/bin/tool", b"#!", mode=0o755), Entry("bin", link="usr/bin")),
        (Entry("tmp", mode=0o1777), Entry("app/long/" + "x" * 150, b"deep")),
    ),
    entrypoint=("/usr/bin/tool",),
    user="65532:65532",
)


def test_the_same_image_is_the_same_bytes_whatever_the_order_of_its_entries(tmp_path: Path) -> None:
    first = archive.write(IMAGE, tmp_path / "a.tar")
    shuffled = Image(**{**vars(IMAGE), "layers": tuple(tuple(reversed(layer)) for layer in IMAGE.layers)})
    second = archive.write(shuffled, tmp_path / "b" / "b.tar")
    assert archive.digest(first) == archive.digest(second)
    assert archive.read_names(first) == ("feem.example/thing:1.0",)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar", "b"]  # nothing half-made is left


def test_the_archive_says_what_runtimes_read(tmp_path: Path) -> None:
    with tarfile.open(archive.write(IMAGE, tmp_path / "a.tar")) as tar:
        [manifest] = json.load(tar.extractfile("manifest.json") or pytest.fail("no manifest"))
        config = json.load(tar.extractfile(manifest["Config"]) or pytest.fail("no config"))
        names = [name.removesuffix(".tar") for name in manifest["Layers"]]
        assert config["rootfs"]["diff_ids"] == [f"sha256:{name}" for name in names]
        for name in names:
            tar.extract(f"{name}.tar", tmp_path, filter="data")
            assert archive.digest(tmp_path / f"{name}.tar") == name
    assert config["config"]["Entrypoint"] == ["/usr/bin/tool"]
    assert config["config"]["User"] == "65532:65532"
    assert "Cmd" not in config["config"]
    assert config["architecture"] in {"amd64", "arm64"}


def test_a_layer_has_parents_before_children_belongs_to_root_and_carries_no_times(tmp_path: Path) -> None:
    _, path = archive.write_layer(IMAGE.layers[0] + IMAGE.layers[1], tmp_path / "layer.tar")
    with tarfile.open(path) as tar:
        members = {member.name: member for member in tar}
    assert list(members) == sorted(members)
    assert members["usr"].isdir()
    assert members["bin"].issym()
    assert (members["tmp"].mode, members["usr/bin/tool"].mode) == (0o1777, 0o755)
    assert {(member.uid, member.gid, member.mtime) for member in members.values()} == {(0, 0, 0)}


def test_of_two_entries_for_one_path_the_later_wins(tmp_path: Path) -> None:
    _, path = archive.write_layer([Entry("a", b"old"), Entry("/a", b"new")], tmp_path / "layer.tar")
    with tarfile.open(path) as tar:
        file = tar.extractfile("a")
        assert file
        assert file.read() == b"new"


def test_a_tree_keeps_what_is_executable(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "run").write_text("x")
    (tmp_path / "sub" / "run").chmod(0o700)
    (tmp_path / "text").write_text("y")
    entries = [(entry.path, entry.mode) for entry in archive.tree(tmp_path, "app")]
    assert entries == [("app/sub/run", 0o755), ("app/text", 0o644)]
