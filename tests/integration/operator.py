"""The operator as a process beside the test, with its own user name, and a service for it to govern."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tests.integration.kubectl import Kubectl, Manifest

NAME = "scoring"
T = TypeVar("T")


class Operator:
    """`feem operator`, started and killed at will."""

    def __init__(self, kubeconfig: Path, prometheus: str, log: Path, lease: str, **more: str) -> None:
        self._environment = {
            **os.environ,
            "FEEM_KUBECONFIG": str(kubeconfig),
            "FEEM_PROMETHEUS_URL": prometheus,
            "FEEM_NAMESPACE": "default",
            "FEEM_LEASE_NAME": lease,
            "FEEM_HTTP_PORT": "0",
            "FEEM_INTERVAL_SECONDS": "1",
            "FEEM_LEASE_SECONDS": "3",
            "FEEM_LOG_LEVEL": "INFO",
            **more,
        }
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as out:
            words = [sys.executable, "-m", "feem", "operator"]
            self._process = subprocess.Popen(words, env=self._environment, stdout=out, stderr=out)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def pause(self) -> None:
        """Stop it where it stands, as a machine that hangs does."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=20)

    @property
    def log(self) -> str:
        return self._log.read_text()


def until(what: str, probe: Callable[[], T | None], seconds: float = 30.0) -> T:
    """Wait for something true."""
    deadline = time.monotonic() + seconds
    while True:
        found = probe()
        if found:
            return found
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.15)


@dataclass(frozen=True)
class Shop:
    """One governed service in a namespace, as its owner sees it."""

    kubectl: Kubectl

    def apply(self, *manifests: Manifest) -> None:
        self.kubectl.done("apply", manifest={"apiVersion": "v1", "kind": "List", "items": list(manifests)})

    def get(self, kind: str, name: str = NAME) -> Manifest | None:
        answer = self.kubectl("get", kind, name, "--ignore-not-found", "-o", "json")
        assert answer.code == 0, answer.told
        found: Manifest | None = json.loads(answer.out) if answer.out.strip() else None
        return found

    def condition(self, kind: str, type_: str, name: str = NAME) -> Manifest:
        status = (self.get(kind, name) or {}).get("status") or {}
        return next((item for item in status.get("conditions") or () if item["type"] == type_), {})

    def reason(self, type_: str = "Ready", kind: str = "managedservice", name: str = NAME) -> str:
        return str(self.condition(kind, type_, name).get("reason", ""))

    def releases(self) -> list[Manifest]:
        found: list[Manifest] = self.kubectl.read("releases.feem.dev")["items"]
        return found

    def set_image(self, tag: str) -> str:
        return self.kubectl.done("set", "image", f"deployment/{NAME}", f"app=scoring:{tag}")

    def start(self, tag: str) -> str:
        before = {item["metadata"]["name"] for item in self.releases()}
        self.set_image(tag)

        def newest() -> str | None:
            new = [item["metadata"]["name"] for item in self.releases() if item["metadata"]["name"] not in before]
            return new[0] if new else None

        return until(f"a release of {tag}", newest)

    def ending(self, release: str) -> str | None:
        body = self.get("release.feem.dev", release) or {}
        if not (body.get("status") or {}).get("completedAt"):
            return None
        return self.reason("Succeeded", "release.feem.dev", release)


def deployment(name: str = NAME, tag: str = "1", **spec: Any) -> Manifest:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "app", "image": f"scoring:{tag}"}]},
            },
            **spec,
        },
    }


def service(name: str = NAME, **spec: Any) -> Manifest:
    wanted = {"selector": {"app": name}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": wanted}


def route(name: str = NAME, backend: str = NAME) -> Manifest:
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name},
        "spec": {"parentRefs": [{"name": "edge"}], "rules": [{"backendRefs": [{"name": backend, "port": 80}]}]},
    }


def objective(name: str = "answers", bad: str = 'events_total{code=~"5.."}', total: str = "events_total") -> Manifest:
    return {
        "apiVersion": "feem.dev/v1alpha1",
        "kind": "ServiceLevelObjective",
        "metadata": {"name": name},
        "spec": {"objective": "99.5", "indicator": {"ratio": {"bad": bad, "total": total}}},
    }


def managed(name: str = NAME, **spec: Any) -> Manifest:
    plan = {"steps": [{"weight": 20, "bakeSeconds": 3}, {"weight": 60, "bakeSeconds": 3}], "scaleDownDelaySeconds": 1}
    wanted = {
        "workload": {"name": NAME},
        "traffic": {"service": NAME, "httpRoute": NAME},
        "plan": plan,
        "objectives": [{"name": "answers"}],
        **spec,
    }
    body = {key: value for key, value in wanted.items() if value is not None}
    return {"apiVersion": "feem.dev/v1alpha1", "kind": "ManagedService", "metadata": {"name": name}, "spec": body}
