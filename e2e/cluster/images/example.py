"""The example's images: one Dockerfile, one tag for each behaviour, so that a change of image is the whole change."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from e2e.cluster.context import ClusterError, Say
from e2e.cluster.images.building import build
from e2e.cluster.images.names import LIMIT_SCORING
from e2e.cluster.images.wheels import wheelhouse

BEHAVIOURS = {"1.0": "good", "2.0": "good", "2.1": "slow", "2.2": "inverted", "2.3": "late", "3.0": "failing"}
FOLDER = Path("examples/credit-factory/limit-scoring")


def build_limit_scoring(
    repository: Path, cache: Path, say: Say, versions: Iterable[str] = tuple(BEHAVIOURS)
) -> dict[str, Path]:
    """Build `feem.example/limit-scoring:<version>` for each version and give their docker-archives by version.

    Raises ClusterError for an unknown version and with the builder's last lines.
    """
    example = repository / FOLDER
    requirements = (example / "app" / "requirements.txt").read_text().split()
    wheels = wheelhouse(requirements, cache, say)
    with tempfile.TemporaryDirectory(dir=cache, prefix=".example-") as folder:
        context = Path(folder)
        shutil.copy2(example / "Dockerfile", context)
        shutil.copytree(example / "app", context / "app", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(wheels, context / "wheels")
        return {version: _build(version, context, cache, say) for version in versions}


def _build(version: str, context: Path, cache: Path, say: Say) -> Path:
    if version not in BEHAVIOURS:
        raise ClusterError(f"limit-scoring {version} is unknown; there are {', '.join(BEHAVIOURS)}")
    arguments = {"PIP_NO_INDEX": "1", "VERSION": version, "BEHAVIOUR": BEHAVIOURS[version]}
    return build(context, context / "Dockerfile", f"{LIMIT_SCORING}:{version}", cache, say, arguments)
