"""Build Dockerfiles: with Docker where an engine answers, else with buildah, which needs no daemon."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from e2e.cluster.commands import run, which
from e2e.cluster.context import ClusterError, Say
from e2e.cluster.images import archive, debian
from e2e.cluster.images.making import ensure
from e2e.cluster.images.names import IMAGES
from e2e.cluster.locks import file_lock

BASE = IMAGES["python"]
SECONDS = 900.0
KEPT = 3
POLICY = '{"default": [{"type": "insecureAcceptAnything"}]}\n'  # the only images read are our own files


def build(
    context: Path, dockerfile: Path, tag: str, cache: Path, say: Say, arguments: Mapping[str, str] | None = None
) -> Path:
    """Build `dockerfile` on `context` and give the image `tag` as a docker-archive; a known input builds nothing.

    `arguments` are build arguments. Raises ClusterError with the builder's last lines.
    """
    given = dict(arguments or {})
    engine = docker_answers()
    base = [] if engine else [ensure(["python"], cache, say)["python"].name]
    key = _key(context, dockerfile, [tag, *base, *(f"{name}={value}" for name, value in sorted(given.items()))])
    target = cache / "images" / f"{tag.replace('/', '_').replace(':', '_')}-{key}.tar"
    with file_lock(cache / "locks" / "image-build.lock", say, f"the image {tag}"):
        if target.exists():
            return target
        began = time.monotonic()
        say(f"building the image {tag} with {'docker' if engine else 'buildah'}")
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".building-") as folder:
            partial = Path(folder) / "image.tar"
            make = _with_docker if engine else _with_buildah
            make(context, dockerfile, tag, given, partial, cache, say)
            _check_arguments(partial, tag, given)
            partial.rename(target)
        _forget_older(target)
        say(f"built the image {tag} in {time.monotonic() - began:.0f} s")
    return target


def docker_answers() -> bool:
    """Tell whether a Docker engine answers within a few seconds."""
    if which("docker") is None:
        return False
    try:
        run(["docker", "version", "--format", "{{.Server.Version}}"], next_step="", timeout=10)
    except ClusterError:
        return False
    return True


def _check_arguments(path: Path, tag: str, given: Mapping[str, str]) -> None:
    """Refuse an image whose environment has another value for a build argument: buildah 1.28 caches ENV without them."""
    baked = dict(word.partition("=")[::2] for word in archive.read_config(path)["config"].get("Env") or ())
    for name, value in given.items():
        if baked.get(name, value) != value:
            raise ClusterError(
                f"{tag} was built with {name}={value} but carries {baked[name]}: the builder reused a layer of another "
                f"build; put a RUN that uses {name} before the ENV that bakes it in"
            )


def _forget_older(target: Path) -> None:
    """Keep the last few archives of a tag: they are large, and another run may still be loading an older one."""
    same_tag = target.parent.glob(f"{target.name.rpartition('-')[0]}-*.tar")
    for old in sorted(same_tag, key=lambda path: path.stat().st_mtime)[:-KEPT]:
        old.unlink(missing_ok=True)


def _key(context: Path, dockerfile: Path, words: list[str]) -> str:
    state = hashlib.sha256("\n".join(words).encode() + dockerfile.read_bytes())
    for entry in archive.tree(context, "context"):
        content = entry.content.read_bytes() if isinstance(entry.content, Path) else b""
        state.update(f"{entry.path} {entry.mode:o} {len(content)}\n".encode())
        state.update(content)
    return state.hexdigest()[:16]


def _options(dockerfile: Path, tag: str, given: Mapping[str, str]) -> list[str]:
    values = [word for name, value in given.items() for word in ("--build-arg", f"{name}={value}")]
    return ["-f", str(dockerfile), "-t", tag, *values]


def _with_docker(
    context: Path, dockerfile: Path, tag: str, given: Mapping[str, str], target: Path, cache: Path, say: Say
) -> None:
    next_step = "Run the same `docker build` by hand to see all of its output."
    try:
        run(["docker", "image", "inspect", BASE], next_step="", timeout=30)
    except ClusterError:
        try:
            run(["docker", "pull", "-q", BASE], next_step="", timeout=300)
        except ClusterError:
            say(f"no registry gives {BASE}: it is made from Debian packages")
            run(["docker", "load", "-i", ensure(["python"], cache, say)["python"]], next_step=next_step)
    run(["docker", "build", *_options(dockerfile, tag, given), context], next_step=next_step, timeout=SECONDS)
    run(["docker", "save", "-o", target, tag], next_step=next_step, timeout=SECONDS)


def _with_buildah(
    context: Path, dockerfile: Path, tag: str, given: Mapping[str, str], target: Path, cache: Path, say: Say
) -> None:
    store = _Store(cache, say)
    store.base(ensure(["python"], cache, say)["python"])
    store.call("bud", "--isolation", "chroot", "--layers", "--pull-never", *_options(dockerfile, tag, given), context)
    store.call("push", "-q", tag, f"docker-archive:{target}:{tag}")


class _Store:
    """Buildah with its storage in the cache folder, so that this machine's own containers never meet ours."""

    def __init__(self, cache: Path, say: Say) -> None:
        if which("buildah") is None:
            debian.install(("buildah",), say)
        self._root = cache / "buildah"
        self._root.mkdir(parents=True, exist_ok=True)
        self._policy = self._root / "policy.json"
        self._policy.write_text(POLICY)
        self._driver = self._choose_driver()

    def call(self, verb: str, *words: str | Path) -> str:
        """Run one buildah command; raises ClusterError with its last lines."""
        return self._run(self._driver, [verb, *words])

    def base(self, path: Path) -> None:
        """Have the base image in the store, once for each archive."""
        mark = self._root / f"base-{self._driver}"
        if not mark.exists() or mark.read_text() != path.name:
            self.call("pull", "-q", "--signature-policy", str(self._policy), f"docker-archive:{path}")
            mark.write_text(path.name)

    def _choose_driver(self) -> str:
        """Take overlay unless the cache lies on a file system that cannot carry it, such as another overlay."""
        mark = self._root / "driver"
        if not mark.exists():
            try:
                self._run("overlay", ["images", "-q"])
                mark.write_text("overlay")
            except ClusterError:
                mark.write_text("vfs")
        return mark.read_text()

    def _run(self, driver: str, words: Sequence[str | Path]) -> str:
        places = [f"--root={self._root / driver}", f"--runroot={self._root / driver}.run"]
        environment = {**os.environ, "STORAGE_DRIVER": driver, "BUILDAH_ISOLATION": "chroot"}
        next_step = f"Look at the lines above; removing {self._root} starts buildah's storage anew."
        return run(
            ["buildah", *places, f"--storage-driver={driver}", *words],
            next_step=next_step,
            env=environment,
            timeout=SECONDS,
        )
