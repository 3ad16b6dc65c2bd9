"""A command line and a kubectl for tests that bring real clusters up, in a state folder of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from e2e.cluster import binaries
from e2e.cluster.local import cgroups
from e2e.cluster.paths import cache_root
from e2e.cluster.processes import marked

ROOT = Path(__file__).parents[2]
WEB = "web"


@dataclass(frozen=True)
class Machine:
    """This machine, as far as one state folder of clusters is concerned."""

    root: Path

    def command(self, *words: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
        """Start `python -m e2e.cluster`; nothing of the caller's KUBECONFIG reaches it."""
        environment = {key: value for key, value in os.environ.items() if key != "KUBECONFIG"}
        return subprocess.Popen(
            [sys.executable, "-m", "e2e.cluster", *words],
            cwd=ROOT,
            env=environment | {"FEEM_STATE": str(self.root), "FEEM_CACHE": str(cache_root())} | (env or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *words: str, env: dict[str, str] | None = None) -> str:
        """Run a command to its end; it must succeed."""
        process = self.command(*words, env=env)
        said, _ = process.communicate(timeout=400)
        assert process.returncode == 0, said
        return said

    def up(self, name: str, profile: str = "api") -> str:
        return self.run("up", "--name", name, "--profile", profile, "--backend", "local")

    def supervisor(self, name: str) -> int:
        return int(json.loads((self.root / name / "supervisor.json").read_text())["pid"])

    def kubectl(self, name: str, *words: str, stdin: str | None = None, kubeconfig: Path | None = None) -> str:
        program = binaries.ensure(["kubectl"], cache_root(), print)["kubectl"]
        done = subprocess.run(
            [program, f"--kubeconfig={kubeconfig or self.root / name / 'kubeconfig'}", *words],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def remains(self) -> list[str]:
        """Name everything that clusters of this folder left on the machine."""
        found = [str(path) for path in self.root.glob("*")]
        mounts = Path("/proc/self/mounts").read_text().splitlines()
        found += [line for line in mounts if str(self.root) in line]
        groups = [path for root in cgroups.hierarchies() for path in root.glob("feem-t[0-9]-*")]
        return found + [str(path) for path in groups]

    def processes(self, name: str) -> int:
        return len(marked(self.root / name))


def traces() -> tuple[list[str], list[str]]:
    """Take note of packet rules and kernel settings of the host, to compare before and after."""
    rules = subprocess.run(["iptables-save"], capture_output=True, text=True, check=False).stdout.splitlines()
    settings = [Path(f"/proc/sys/{name}").read_text() for name in ("vm/overcommit_memory", "kernel/panic")]
    return [rule for rule in rules if any(mark in rule for mark in ("KUBE", "CNI", "FEEM"))], settings


def eventually(done: Callable[[], object], within: float = 15.0) -> None:
    deadline = time.monotonic() + within
    while not done():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def deployment(image: str, *command: str, replicas: int = 1) -> str:
    """Write a Deployment called `web`, in line with Pod Security `restricted`, and its Service on port 80."""
    secure = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "runAsUser": 65532,
    }
    container: dict[str, Any] = {
        "name": WEB,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": list(command),
        "readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1},
        "securityContext": secure | {"seccompProfile": {"type": "RuntimeDefault"}},
    }
    labels = {"app": WEB}
    spec = {"containers": [container], "terminationGracePeriodSeconds": 0}
    items = [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": WEB},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": spec},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": WEB},
            "spec": {
                "type": "NodePort",
                "selector": labels,
                "ports": [{"port": 80, "targetPort": 8080, "nodePort": 30123}],
            },
        },
    ]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
