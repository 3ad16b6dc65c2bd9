from __future__ import annotations

import os
from pathlib import Path

import pytest

from e2e.cluster import binaries
from e2e.cluster.context import Cluster, ClusterError
from e2e.cluster.images import archive, building, example, loading, operator
from e2e.cluster.images.archive import Entry, Image

REPOSITORY = Path(__file__).parents[2]
FAKE_BUILDAH = """#!/bin/sh
echo "$@" >> "$FAKE_LOG"
for last; do :; done
case "$*" in *" push "*) rest=${last#docker-archive:}; cp "$FAKE_IMAGE" "${rest%%:*}";; esac
"""
FAKE_CTR = """#!/bin/sh
echo "$@" >> "$FAKE_LOG"
case "$*" in *" list "*) cat "$FAKE_LOG.images" 2>/dev/null; exit 0;; esac
"""


def silent(_: str) -> None:
    """Take a progress line and drop it."""


def program(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a buildah and a docker without engine on PATH that only note what they are asked."""
    folder = tmp_path / "bin"
    program(folder, "buildah", FAKE_BUILDAH)
    program(folder, "docker", "#!/bin/sh\nexit 1\n")
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_LOG", str(tmp_path / "log"))
    image = Image("built:1", ((Entry("f", b"1"),),), environment=("BAKED=1.0",))
    monkeypatch.setenv("FAKE_IMAGE", str(archive.write(image, tmp_path / "image.tar")))
    base = tmp_path / "python-0123.tar"
    base.touch()
    monkeypatch.setattr(building, "ensure", lambda *_: {"python": base})
    return tmp_path / "log"


def context(folder: Path) -> Path:
    (folder / "context").mkdir()
    (folder / "context" / "Dockerfile").write_text("FROM scratch\n")
    (folder / "context" / "app.py").write_text("print()\n")
    return folder / "context"


def test_buildah_builds_in_a_storage_of_its_own_and_only_what_changed(tmp_path: Path, log: Path) -> None:
    folder, cache = context(tmp_path), tmp_path / "cache"

    def build(**arguments: str) -> Path:
        return building.build(folder, folder / "Dockerfile", "feem.example/app:1.0", cache, silent, arguments)

    first = build(VERSION="1.0")
    calls = log.read_text().splitlines()
    assert all(f"--root={cache}/buildah/overlay" in call for call in calls)
    [bud] = [call for call in calls if " bud " in call]
    assert "--isolation chroot" in bud
    assert "--pull-never" in bud
    assert "--build-arg VERSION=1.0" in bud
    assert first.name.startswith("feem.example_app_1.0-")
    assert build(VERSION="1.0") == first
    assert log.read_text().splitlines() == calls
    assert build(VERSION="2.0") != first
    (folder / "app.py").write_text("print(1)\n")
    assert build(VERSION="1.0") != first
    assert log.read_text().count(" pull ") == 1  # the base image is in the storage by now


def test_an_image_that_carries_the_argument_of_another_build_is_refused(tmp_path: Path, log: Path) -> None:
    folder = context(tmp_path)
    building.build(folder, folder / "Dockerfile", "a:1", tmp_path / "cache", silent, {"BAKED": "1.0"})
    with pytest.raises(ClusterError, match=r"BAKED=2\.0 but carries 1\.0"):
        building.build(folder, folder / "Dockerfile", "a:1", tmp_path / "cache", silent, {"BAKED": "2.0"})


def test_archives_of_older_builds_are_removed(tmp_path: Path, log: Path) -> None:
    folder, cache = context(tmp_path), tmp_path / "cache"
    for number in range(6):
        building.build(folder, folder / "Dockerfile", "a:1", cache, silent, {"N": str(number)})
    assert len(list((cache / "images").glob("a_1-*.tar"))) == building.KEPT


def test_the_operator_image_is_built_from_sources_and_wheels_only(
    tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    (wheels / "kopf-1-py3-none-any.whl").touch()
    monkeypatch.setattr(operator, "wheelhouse", lambda *_: wheels)

    def build(folder: Path, dockerfile: Path, tag: str, *_: object) -> Path:
        seen.extend(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
        assert dockerfile == folder / "Dockerfile"
        return Path(tag)

    monkeypatch.setattr(operator, "build", build)
    assert operator.build_operator(REPOSITORY, tmp_path, silent) == Path(operator.operator_image(REPOSITORY))
    assert {"Dockerfile", "pyproject.toml", "build/wheels/kopf-1-py3-none-any.whl"} <= set(seen)
    assert any(path.startswith("operator/feem/") for path in seen)
    assert not any(path.startswith(("tests", "e2e", "docs")) or "__pycache__" in path for path in seen)


def test_dockerfiles_run_as_a_numbered_user_that_is_not_root() -> None:
    for path in (REPOSITORY / "Dockerfile", REPOSITORY / example.FOLDER / "Dockerfile"):
        text = path.read_text()
        assert "\nUSER 65532:65532\n" in text
        assert text.count("\nFROM ") == text.count(f"\nFROM {building.BASE}")


def test_an_unknown_version_of_the_example_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    monkeypatch.setattr(example, "wheelhouse", lambda *_: wheels)
    with pytest.raises(ClusterError, match=r"9\.9"):
        example.build_limit_scoring(REPOSITORY, tmp_path, silent, ["9.9"])


def cluster(folder: Path, backend: str, containerd: Path | None) -> Cluster:
    return Cluster("t", "full", backend, folder, folder, folder / "kubeconfig", None, containerd, None)


def test_images_are_loaded_once_for_each_content(tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ctr = program(tmp_path / "bin", "ctr", FAKE_CTR)
    monkeypatch.setattr(binaries, "ensure", lambda *_: {"ctr": ctr})
    target = cluster(tmp_path, "local", tmp_path / "containerd.sock")
    first = archive.write(Image("a:1", ((Entry("f", b"1"),),)), tmp_path / "a-1.tar")
    second = archive.write(Image("a:1", ((Entry("f", b"2"),),)), tmp_path / "a-2.tar")

    def imports() -> int:
        return log.read_text().count(" import ")

    loading.load(target, [first], silent)
    assert f"--address={tmp_path}/containerd.sock --namespace=k8s.io images import" in log.read_text()
    Path(f"{log}.images").write_text("a:1\n")
    loading.load(target, {"a": first}, silent)
    assert imports() == 1
    loading.load(target, [second], silent)  # the same name, another content
    assert imports() == 2
    Path(f"{log}.images").write_text("")  # the runtime lost it
    loading.load(target, [second], silent)
    assert imports() == 3


def test_a_given_cluster_must_pull(tmp_path: Path) -> None:
    path = archive.write(Image("a:1", ((Entry("f", b"1"),),)), tmp_path / "a.tar")
    with pytest.raises(ClusterError, match="push"):
        loading.load(cluster(tmp_path, "given", None), [path], silent)
