"""The operator's image, from the sources of this repository."""

from __future__ import annotations

import shutil
import tempfile
import tomllib
from pathlib import Path

from e2e.cluster.context import ClusterError, Say
from e2e.cluster.images.building import build
from e2e.cluster.images.names import OPERATOR
from e2e.cluster.images.wheels import wheelhouse

SOURCES = ("Dockerfile", ".dockerignore", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md")
OFFLINE = {"PIP_NO_INDEX": "1"}


def build_operator(repository: Path, cache: Path, say: Say) -> Path:
    """Build `feem.dev/operator:<version of pyproject.toml>` and give its docker-archive; unchanged sources build none.

    Raises ClusterError with the builder's last lines.
    """
    project = tomllib.loads((repository / "pyproject.toml").read_text())
    needed = [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["postgres"]]
    requirements = [*needed, *project["build-system"]["requires"]]
    wheels = wheelhouse(requirements, cache, say)
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix=".operator-") as folder:
        context = _stage(Path(folder), repository)
        shutil.copytree(wheels, context / "build" / "wheels")
        tag = operator_image(repository)
        return build(context, context / "Dockerfile", tag, cache, say, OFFLINE)


def operator_image(repository: Path) -> str:
    """Give the image's name with tag, as the chart's values must carry it."""
    project = tomllib.loads((repository / "pyproject.toml").read_text())
    return f"{OPERATOR}:{project['project']['version']}"


def _stage(context: Path, repository: Path) -> Path:
    for name in SOURCES:
        if (repository / name).exists():
            shutil.copy2(repository / name, context / name)  # with its times, so that an unchanged file keeps its layer
    source = repository / "operator" / "feem"
    if not source.is_dir():
        raise ClusterError(f"{source} is missing: give the repository's root")
    shutil.copytree(source, context / "operator" / "feem", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(repository / "policies", context / "policies")
    return context
