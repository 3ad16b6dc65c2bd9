"""kubectl, as a user would call it."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from e2e.cluster.binaries import ensure
from e2e.cluster.context import Cluster

Body = dict[str, Any]


class KubectlError(RuntimeError):
    """kubectl said no; the message is what it said."""


@dataclass(frozen=True)
class Kubectl:
    """One kubectl with one identity."""

    binary: Path
    kubeconfig: Path
    namespace: str = "lending"

    @classmethod
    def of(cls, cluster: Cluster, kubeconfig: Path | None = None) -> Kubectl:
        """Return the cluster administrator's kubectl, or another user's."""
        binary = ensure(("kubectl",), cluster.cache, lambda _line: None)["kubectl"]
        return cls(binary, kubeconfig or cluster.kubeconfig)

    def run(self, *arguments: str, stdin: str | None = None, namespace: str | None = None) -> str:
        """Run kubectl; returns standard output, raises KubectlError with standard error."""
        done = self.attempt(*arguments, stdin=stdin, namespace=namespace)
        if done.returncode != 0:
            raise KubectlError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def attempt(
        self, *arguments: str, stdin: str | None = None, namespace: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl and return whatever came of it."""
        words = [str(self.binary), "--kubeconfig", str(self.kubeconfig), "-n", namespace or self.namespace, *arguments]
        return subprocess.run(words, input=stdin, capture_output=True, text=True, check=False, timeout=300)

    def get(self, kind: str, name: str, namespace: str | None = None) -> Body | None:
        """Return one object, or None when it does not exist."""
        done = self.attempt("get", kind, name, "-o", "json", "--ignore-not-found", namespace=namespace)
        if done.returncode != 0:
            raise KubectlError(done.stderr.strip())
        return json.loads(done.stdout) if done.stdout.strip() else None

    def list(self, kind: str, *more: str, namespace: str | None = None) -> list[Body]:
        """Return all objects of a kind in the namespace."""
        items: list[Body] = json.loads(self.run("get", kind, "-o", "json", *more, namespace=namespace))["items"]
        return items

    def apply(self, *paths: Path) -> str:
        """Apply files."""
        return self.run("apply", *(word for path in paths for word in ("-f", str(path))))

    def apply_text(self, text: str) -> str:
        """Apply a document."""
        return self.run("apply", "-f", "-", stdin=text)

    def replaced(self, namespace: str) -> Kubectl:
        """Return the same kubectl for another namespace."""
        return Kubectl(self.binary, self.kubeconfig, namespace)


T = TypeVar("T")


def wait_until(what: str, probe: Callable[[], T | None], seconds: float, every: float = 0.5) -> T:
    """Poll until `probe` returns something true; raises TimeoutError that says what did not happen."""
    deadline = time.monotonic() + seconds
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen within {seconds:.0f} s")
        time.sleep(every)
