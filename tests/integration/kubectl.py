"""kubectl as one user in one namespace: what tests say to the API server, and its answers as a person sees them."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """Exit code, standard output, and what the user is told beside it: warnings and errors."""

    code: int
    out: str
    told: str


@dataclass(frozen=True)
class Kubectl:
    """Calling it never raises; `done` and `refused` assert the outcome and return the text that matters."""

    program: Path
    kubeconfig: Path
    namespace: str = "default"

    def within(self, namespace: str) -> Kubectl:
        return replace(self, namespace=namespace)

    def __call__(self, *words: str, manifest: Manifest | None = None) -> Answer:
        command = [str(self.program), f"--kubeconfig={self.kubeconfig}", f"--namespace={self.namespace}", *words]
        if manifest is not None:
            command.append("--filename=-")
        text = None if manifest is None else yaml.safe_dump(manifest)
        ran = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=60)
        return Answer(ran.returncode, ran.stdout, ran.stderr)

    def done(self, *words: str, manifest: Manifest | None = None) -> str:
        """Assert that the request was accepted; returns what the user was told beside the result (warnings)."""
        answer = self(*words, manifest=manifest)
        assert answer.code == 0, f"kubectl {' '.join(words)}: {answer.told}"
        return answer.told

    def refused(self, *words: str, manifest: Manifest | None = None) -> str:
        """Assert that the request was refused; returns the error as the user reads it."""
        answer = self(*words, manifest=manifest)
        assert answer.code != 0, f"kubectl {' '.join(words)} was accepted: {answer.out}"
        return answer.told

    def read(self, *words: str) -> Manifest:
        """Get one object, or the list a `get` returns."""
        answer = self("get", *words, "--output=json")
        assert answer.code == 0, f"kubectl get {' '.join(words)}: {answer.told}"
        found: Manifest = json.loads(answer.out)
        return found
