"""The programs clusters consist of: taken from PATH where that serves, else built from Go modules into the cache."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from e2e.cluster.commands import run, which
from e2e.cluster.context import ClusterError, Say
from e2e.cluster.versions import HELM_LOWEST, KIND_LOWEST, KUBECTL_LOWEST, KUBECTL_NEAR

from . import building
from .recipes import recipe_for

__all__ = ["ensure"]

_ON_PATH: dict[str, tuple[tuple[str, ...], tuple[int, int]]] = {
    "kubectl": (("version", "--client"), KUBECTL_LOWEST),
    "helm": (("version", "--short"), HELM_LOWEST),
    "kind": (("version",), KIND_LOWEST),
}


def ensure(names: Iterable[str], cache: Path, say: Say) -> dict[str, Path]:
    """Return the path of each named program; builds what is neither on PATH nor in the cache, one after the other.

    One at a time, as a single Go build already keeps every core busy.
    """
    found: dict[str, Path] = {}
    for name in names:
        found[name] = _kubectl(cache, say) if name == "kubectl" else _from_path(name) or _from_cache(name, cache, say)
    return found


def _from_path(name: str, lowest: tuple[int, int] | None = None) -> Path | None:
    """Return a program of PATH when its version is high enough; None when it is to be built."""
    if name not in _ON_PATH:
        return None
    arguments, usual = _ON_PATH[name]
    program = which(name)
    if program is None:
        return None
    try:
        answer = run([program, *arguments], next_step="", timeout=20.0)
    except ClusterError:
        return None
    version = re.search(r"v(\d+)\.(\d+)", answer)
    return program if version and (int(version[1]), int(version[2])) >= (lowest or usual) else None


def _from_cache(name: str, cache: Path, say: Say) -> Path:
    try:
        recipe = recipe_for(name)
    except KeyError as error:
        raise ClusterError(f"no recipe makes a program called {name!r}: add one to the recipes.") from error
    return building.build(recipe, cache, say) / name


def _kubectl(cache: Path, say: Say) -> Path:
    """Choose a kubectl: PATH's when near in version, else the multi-call binary's when that is built, else PATH's.

    So nobody waits ten minutes for a kubectl, and a local cluster is spoken to in its own version.
    """
    near = _from_path("kubectl", KUBECTL_NEAR)
    if near:
        return near
    if not building.is_built(recipe_for("kubernetes"), cache):
        usable = _from_path("kubectl")
        if usable:
            return usable
    return _own_kubectl(cache, say)


def _own_kubectl(cache: Path, say: Say) -> Path:
    """Offer the kubectl inside the multi-call binary under its own name."""
    binary = building.build(recipe_for("kubernetes"), cache, say) / "kubernetes"
    link = binary.with_name("kubectl")
    if not link.is_symlink():
        half_made = binary.with_name(f".kubectl-{os.getpid()}")
        half_made.symlink_to(binary.name)
        half_made.rename(link)
    return link
