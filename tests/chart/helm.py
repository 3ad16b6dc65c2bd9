"""The chart, rendered by the real helm."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from e2e.cluster.binaries import ensure
from e2e.cluster.paths import cache_root

CHART = Path(__file__).parents[2] / "charts" / "feem"
NEWEST = ("--kube-version", "1.37.2", "--api-versions", "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy")
Body = dict[str, Any]


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


@functools.cache
def helm() -> str:
    """Return helm's path: the one on PATH, else one built into the clusters' cache."""
    return str(ensure(("helm",), cache_root(), _say)["helm"])


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run helm; its own settings stay out of it."""
    bare = {key: value for key, value in os.environ.items() if not key.startswith("HELM_")}
    return subprocess.run([helm(), *arguments], capture_output=True, text=True, timeout=60, check=False, env=bare)


def template(*arguments: str, namespace: str = "feem-system", versions: tuple[str, ...] = NEWEST) -> str:
    """Render the chart as YAML; fails with helm's own words."""
    done = run("template", "feem", str(CHART), "--namespace", namespace, *versions, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def render(values: Body | None = None, **options: Any) -> list[Body]:
    """Render the chart and return its objects."""
    chosen = [f"--set-json={key}={json.dumps(value)}" for key, value in (values or {}).items()]
    return [body for body in yaml.safe_load_all(template(*chosen, **options)) if body]


def of_kind(bodies: list[Body], kind: str) -> list[Body]:
    """Return the objects of one kind."""
    return [body for body in bodies if body["kind"] == kind]


def named(bodies: list[Body], kind: str, name: str) -> Body:
    """Return the one object of this kind and name."""
    (found,) = [body for body in of_kind(bodies, kind) if body["metadata"]["name"] == name]
    return found
