"""The credit factory's credit check and its bureau, deployed and asked as experiments need them: in any namespace."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from e2e.cluster.context import GATEWAY_PORT, Cluster, ClusterError, Say
from e2e.cluster.images import load
from e2e.cluster.images.example import CREDIT_CHECK, build_bureau, build_credit_check
from e2e.kit.example import condition
from e2e.kit.install import REPOSITORY
from e2e.kit.kubectl import Kubectl, wait_until
from e2e.kit.traffic import EXAMPLE as LIMIT_SCORING
from e2e.kit.traffic import Answer

Body = dict[str, Any]
NAME, BUREAU = "credit-check", "bureau"
FOLDER = LIMIT_SCORING.parent / NAME
HOST = "credit-check.lending.example"
PLAIN = ("bureau", "service", "httproute", "pdb", "deployment")


@dataclass(frozen=True)
class CreditCheck:
    """The service in the namespace of this kubectl; the gateway knows it by its host, so another copy needs another."""

    kubectl: Kubectl
    host: str = HOST

    def deploy(self, cluster: Cluster, say: Say, version: str = "1.0", *, governed: bool = True) -> None:
        """Load the images of both versions and of the bureau, apply the manifests, wait until it serves and is governed.

        A cluster without FEEM takes it with `governed=False`. Raises RuntimeError when another version is there:
        applying this one would ask for a release.
        """
        archives = [*build_credit_check(REPOSITORY, cluster.cache, say).values()]
        load(cluster, [*archives, build_bureau(REPOSITORY, cluster.cache, say)], say)
        there = self.image()
        if there not in ("", f"{CREDIT_CHECK}:{version}"):
            raise RuntimeError(f"{there} is in {self.kubectl.namespace} already: use set_version, or remove it first")
        say(f"applying credit-check {version} in {self.kubectl.namespace}, reached as {self.host}")
        self.kubectl.apply_text(yaml.safe_dump_all(self.manifests(version, there=bool(there), governed=governed)))
        for deployment in (BUREAU, NAME):
            self.kubectl.run("rollout", "status", f"deployment/{deployment}", "--timeout=120s")
        if governed:
            wait_until("the ManagedService becoming Ready", self.governed, 60)

    def manifests(self, version: str, *, there: bool = False, governed: bool = True) -> list[Body]:
        """Return what is applied: the example's files with this namespace, host and version; one that is there stays."""
        [namespace] = _read(LIMIT_SCORING / "k8s" / "namespace.yaml")
        namespace["metadata"]["name"] = self.kubectl.namespace
        found = [namespace]
        for name in (*PLAIN, *(["feem"] if governed else [])):
            if not (there and name == "deployment"):
                found += _read(FOLDER / "k8s" / f"{name}.yaml")
        for body in found:
            if body["kind"] == "HTTPRoute":
                body["spec"]["hostnames"] = [self.host]
            elif body["kind"] == "Deployment" and body["metadata"]["name"] == NAME:
                body["spec"]["template"]["spec"]["containers"][0]["image"] = f"{CREDIT_CHECK}:{version}"
        return found

    def governed(self) -> bool:
        """Whether FEEM holds its changes."""
        return condition(self.kubectl.get("managedservice", NAME), "Ready").get("reason") == "Governed"

    def image(self) -> str:
        """Return the image the Deployment asks for, empty when there is none."""
        body = self.kubectl.get("deployment", NAME)
        return str(body["spec"]["template"]["spec"]["containers"][0]["image"]) if body else ""

    def set_version(self, version: str) -> str:
        """Change the image, as a pipeline would; returns what kubectl printed, warnings included."""
        done = self.kubectl.attempt("set", "image", f"deployment/{NAME}", f"app={CREDIT_CHECK}:{version}")
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip())
        return (done.stderr + done.stdout).strip()

    def remove(self) -> None:
        """Delete the namespace with all that is in it; returns when it is gone."""
        self.kubectl.run("delete", "namespace", self.kubectl.namespace, "--ignore-not-found", "--timeout=180s")


@dataclass(frozen=True)
class ReportAnswer(Answer):
    """One request as its client saw it: how long it took in seconds, and what the report says, empty without one."""

    seconds: float = 0.0
    record: str = ""


class ReportTraffic:
    """The credit check's load generator, running beside whatever happens until it is stopped."""

    def __init__(
        self,
        cluster: Cluster,
        out: Path,
        *,
        host: str = HOST,
        rate: float = 30.0,
        seconds: float = 1800.0,
        timeout: float = 10.0,
    ) -> None:
        if cluster.address is None:
            raise ClusterError(f"cluster {cluster.name} has no gateway: make it with --profile full")
        self._out, self._rate = out, rate
        self._words = [str(FOLDER / "reportgen.py"), f"http://{cluster.address}:{GATEWAY_PORT}/credit-report"]
        options: Mapping[str, object] = {"host": host, "rate": rate, "seconds": seconds, "timeout": timeout, "out": out}
        self._words += [word for name, value in options.items() for word in (f"--{name}", str(value))]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._out.parent.mkdir(parents=True, exist_ok=True)
        self._out.write_text("")
        self._process = subprocess.Popen([sys.executable, *self._words], stdout=subprocess.DEVNULL)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=30)  # requests under way may hang until their own time is over

    def wait_for(self, seconds: float) -> None:
        """Return once clients were answered for so long; raises TimeoutError when it takes three times as long."""
        wait_until(f"{seconds:g} s of answers", lambda: len(self.answers()) > self._rate * seconds, 3 * seconds)

    def answers(self, since: float = 0.0, until: float = float("inf")) -> list[ReportAnswer]:
        """Return what the clients saw in [since, until), Unix seconds."""
        whole, _, _ = self._out.read_text().rpartition("\n")
        found = (json.loads(line) for line in whole.splitlines())
        every = (
            ReportAnswer(
                item["at"], item["status"], item["version"], item["error"], "", item["seconds"], item["record"]
            )
            for item in found
        )
        return [answer for answer in every if since <= answer.at < until]


def _read(path: Path) -> list[Body]:
    return [body for body in yaml.safe_load_all(path.read_text()) if body]
