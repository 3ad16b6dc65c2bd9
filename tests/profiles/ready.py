"""Reads the profiles and windows that come with FEEM, as YAML and as the objects they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from feem.api import KINDS, Resource

ROOT = Path(__file__).parents[2]
PROFILES = sorted((ROOT / "policies/profiles").glob("*.yaml"))
WINDOWS = sorted((ROOT / "policies/windows").glob("*.yaml"))
EXAMPLE = ROOT / "examples/credit-factory/limit-scoring/k8s/compliance.yaml"
_KINDS: dict[str, type[Resource]] = {kind.definition.kind: kind for kind in KINDS}


def documents(path: Path) -> list[dict[str, Any]]:
    """All objects of a file."""
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def ours(path: Path) -> list[dict[str, Any]]:
    """The objects of group feem.dev in a file."""
    return [body for body in documents(path) if body["apiVersion"].startswith("feem.dev/")]


def read(body: dict[str, Any]) -> Any:
    """Parse an object; raises what does not fit."""
    return _KINDS[body["kind"]].read(body)
