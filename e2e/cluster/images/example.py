"""The examples' images: one Dockerfile, one tag for each behaviour, so that a change of image is the whole change."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from e2e.cluster.context import ClusterError, Say
from e2e.cluster.images.building import build
from e2e.cluster.images.names import LIMIT_SCORING
from e2e.cluster.images.wheels import wheelhouse

BEHAVIOURS = {"1.0": "good", "2.0": "good", "2.1": "slow", "2.2": "inverted", "2.3": "late", "3.0": "failing"}
FOLDER = Path("examples/credit-factory/limit-scoring")
CREDIT_CHECK = "feem.example/credit-check"
CREDIT_CHECK_BEHAVIOURS = {"1.0": "resilient", "1.1": "trusting"}
CREDIT_CHECK_FOLDER = Path("examples/credit-factory/credit-check")
BUREAU = "feem.example/bureau:1.0"
BUREAU_FOLDER = Path("examples/credit-factory/bureau")


def build_limit_scoring(
    repository: Path, cache: Path, say: Say, versions: Iterable[str] = tuple(BEHAVIOURS)
) -> dict[str, Path]:
    """Build `feem.example/limit-scoring:<version>` for each version and give their docker-archives by version.

    Raises ClusterError for an unknown version and with the builder's last lines.
    """
    with _context(repository / FOLDER, cache, say) as context:
        return {version: _build(LIMIT_SCORING, BEHAVIOURS, version, context, cache, say) for version in versions}


def build_credit_check(
    repository: Path, cache: Path, say: Say, versions: Iterable[str] = tuple(CREDIT_CHECK_BEHAVIOURS)
) -> dict[str, Path]:
    """Build `feem.example/credit-check:<version>` for each version, as `build_limit_scoring`."""
    with _context(repository / CREDIT_CHECK_FOLDER, cache, say) as context:
        return {
            version: _build(CREDIT_CHECK, CREDIT_CHECK_BEHAVIOURS, version, context, cache, say) for version in versions
        }


def build_bureau(repository: Path, cache: Path, say: Say) -> Path:
    """Build the synthetic credit bureau that credit-check asks, and give its docker-archive."""
    with _context(repository / BUREAU_FOLDER, cache, say) as context:
        return build(context, context / "Dockerfile", BUREAU, cache, say)


@contextmanager
def _context(example: Path, cache: Path, say: Say) -> Iterator[Path]:
    """Give a folder with what an example's Dockerfile copies, its wheels included where it requires any."""
    requirements = example / "app" / "requirements.txt"
    wheels = wheelhouse(requirements.read_text().split(), cache, say) if requirements.exists() else None
    with tempfile.TemporaryDirectory(dir=cache, prefix=".example-") as folder:
        context = Path(folder)
        shutil.copy2(example / "Dockerfile", context)
        shutil.copytree(example / "app", context / "app", ignore=shutil.ignore_patterns("__pycache__"))
        if wheels is not None:
            shutil.copytree(wheels, context / "wheels")
        yield context


def _build(image: str, behaviours: Mapping[str, str], version: str, context: Path, cache: Path, say: Say) -> Path:
    if version not in behaviours:
        raise ClusterError(f"{image.rpartition('/')[2]} {version} is unknown; there are {', '.join(behaviours)}")
    arguments = {"PIP_NO_INDEX": "1", "VERSION": version, "BEHAVIOUR": behaviours[version]}
    return build(context, context / "Dockerfile", f"{image}:{version}", cache, say, arguments)
