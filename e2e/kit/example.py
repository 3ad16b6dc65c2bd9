"""The credit factory's limit scoring, deployed and changed as its product team would."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from e2e.cluster.context import Cluster, Say
from e2e.cluster.images import load
from e2e.cluster.images.example import build_limit_scoring
from e2e.kit.install import REPOSITORY
from e2e.kit.kubectl import Kubectl, wait_until
from e2e.kit.traffic import EXAMPLE

Body = dict[str, Any]
NAME = "limit-scoring"
PLAN = "two-steps"
IMAGE = "feem.example/limit-scoring"
MANIFESTS = ("namespace", "deployment", "service", "httproute", "feem")


@dataclass(frozen=True)
class Example:
    """The example on one cluster."""

    kubectl: Kubectl

    def deploy(self, cluster: Cluster, say: Say) -> None:
        """Load its images, apply its manifests, and wait until it serves and is governed."""
        load(cluster, build_limit_scoring(REPOSITORY, cluster.cache, say).values(), say)
        say("applying the example's manifests")
        there = self.kubectl.attempt("get", "deployment", NAME).returncode == 0
        for name in MANIFESTS:
            if not (there and name == "deployment"):  # applied again it would ask for a release of version 1.0
                self.kubectl.apply(EXAMPLE / "k8s" / f"{name}.yaml")
        if not there:
            self.kubectl.run("rollout", "status", f"deployment/{NAME}", "--timeout=120s")
        wait_until("the ManagedService becoming Ready", self.governed, 60)

    def watch_for(self, seconds: int) -> None:
        """Let promotions from now on be watched for so long."""
        self.kubectl.run("patch", "plan", PLAN, "--type=merge", "-p", f'{{"spec":{{"watchSeconds":{seconds}}}}}')

    def governed(self) -> bool:
        """Whether FEEM holds its changes."""
        return condition(self.kubectl.get("managedservice", NAME), "Ready").get("reason") == "Governed"

    def stable_image(self) -> str:
        """Return the image of the stable ReplicaSet, empty when nothing is governed yet."""
        service = self.kubectl.get("managedservice", NAME) or {}
        name = ((service.get("status") or {}).get("stable") or {}).get("replicaSet", "")
        body = self.kubectl.get("replicaset", name) if name else None
        return str(body["spec"]["template"]["spec"]["containers"][0]["image"]) if body else ""

    def image(self) -> str:
        """Return the image the Deployment asks for."""
        body = self.kubectl.get("deployment", NAME) or {}
        return str(body["spec"]["template"]["spec"]["containers"][0]["image"])

    def held(self) -> bool:
        """Whether the Deployment is paused."""
        return bool((self.kubectl.get("deployment", NAME) or {})["spec"].get("paused"))

    def other_good_version(self) -> str:
        """Return the good version that is not live now."""
        return "2.0" if self.stable_image().endswith(":1.0") else "1.0"

    def set_version(self, version: str) -> str:
        """Change the image, as a pipeline would; returns what kubectl printed, warnings included."""
        done = self.kubectl.attempt("set", "image", f"deployment/{NAME}", f"app={IMAGE}:{version}")
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip())
        return (done.stderr + done.stdout).strip()

    def newest_release(self, besides: set[str]) -> Body | None:
        """Return a release that is not among these names."""
        found = [item for item in self.kubectl.list("releases.feem.dev") if item["metadata"]["name"] not in besides]
        return found[-1] if found else None

    def release_names(self) -> set[str]:
        """Return the names of all releases so far."""
        return {item["metadata"]["name"] for item in self.kubectl.list("releases.feem.dev")}

    def start(self, version: str, seconds: float = 30) -> str:
        """Change the version and return the name of the release it leads to."""
        before = self.release_names()
        self.set_version(version)
        body = wait_until(f"a release of version {version}", lambda: self.newest_release(before), seconds)
        return str(body["metadata"]["name"])

    def release(self, name: str) -> Body:
        """Return one release."""
        body = self.kubectl.get("releases.feem.dev", name)
        if body is None:
            raise RuntimeError(f"Release {name} does not exist")
        return body

    def wait_end(self, name: str, seconds: float, seen: Callable[[Body], None] = lambda _body: None) -> str:
        """Wait until a release has ended and cleaned up; returns how, e.g. Promoted. `seen` gets each state on the way."""

        def ended() -> str | None:
            body = self.release(name)
            seen(body)
            done = (body.get("status") or {}).get("completedAt")
            return str(condition(body, "Succeeded")["reason"]) if done else None

        return wait_until(f"the end of Release {name}", ended, seconds, every=0.3)


def condition(body: Body | None, kind: str) -> Body:
    """Return one condition of an object, empty when it is not there."""
    conditions = ((body or {}).get("status") or {}).get("conditions") or ()
    return next((item for item in conditions if item["type"] == kind), {})
