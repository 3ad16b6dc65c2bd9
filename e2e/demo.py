"""make demo: a good version is allowed and promoted, a failing and a lenient one are rolled back, under load, on its own cluster."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import e2e.cluster
from e2e.cluster.context import Cluster, ClusterError
from e2e.kit import words
from e2e.kit.audit import check, published, write_keys
from e2e.kit.compliance import ROLE, Person, name_profile, name_ticket, put_under_profile, wait_for_gates
from e2e.kit.example import NAME, Example, condition
from e2e.kit.impact import Decided, reaction
from e2e.kit.install import REPOSITORY, install_operator
from e2e.kit.kubectl import Kubectl, KubectlError, wait_until
from e2e.kit.story import Story
from e2e.kit.traffic import Answer, Traffic, summary

RATE = 100.0
LENIENT = "2.2"
DECISIONS = "limit-scoring-decisions"
BEGAN = time.monotonic()
Body = dict[str, Any]


def main(arguments: list[str] | None = None) -> int:
    """Run the demo; exit code 0 when all releases ended as they should and the audit log verifies."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cluster", default="feem-demo", help="name of the cluster (default %(default)s)")
    name = parser.parse_args(arguments).cluster
    try:
        return Demo(name).run()
    except (ClusterError, KubectlError, TimeoutError, RuntimeError) as problem:
        print(
            f"\nThe demo stopped: {problem}\nThe cluster is left as it is; `make demo-clean` removes it.",
            file=sys.stderr,
        )
        return 1


def say(line: str) -> None:
    """Print one progress line with the seconds since the start."""
    print(f"{time.monotonic() - BEGAN:7.1f} s  {line}", flush=True)


class Demo:
    """The parts of the demo, each timed."""

    def __init__(self, name: str) -> None:
        self._cluster, self._times = name, dict[str, float]()
        self._name, self._began = "", time.time()

    def run(self) -> int:
        """Do everything in order."""
        with self._part("cluster"):
            cluster = e2e.cluster.up(self._cluster, "full", "auto", say)
        kubectl = Kubectl.of(cluster)
        example = Example(kubectl)
        with self._part("operator"):
            install_operator(cluster, say)
        with self._part("example"):
            example.deploy(cluster, say)
        with Traffic(cluster, cluster.state / "demo-traffic.jsonl", rate=RATE) as traffic:
            say(f"clients send {RATE:.0f} requests a second through the gateway")
            self._first_version(example)
            put_under_profile(example)
            lead, officer = self._people(cluster)
            with self._part("good release"):
                good = self._allowed(example, lead, officer, "2.0") and self._follow(
                    example, traffic, "2.0", "Promoted"
                )
            with self._part("failing release"):
                bad = self._release(example, traffic, lead, officer, "3.0")
            with self._part("lenient release"):
                lenient = self._release(example, traffic, lead, officer, LENIENT)
            answers = traffic.answers()
        say(f"clients saw over the whole demo: {summary(answers)}")
        with self._part("audit"):
            verified = self._feem(cluster, "audit", "verify") and self._proven(cluster, kubectl)
        self._farewell(cluster)
        return 0 if good and bad and lenient and verified else 1

    def _first_version(self, example: Example) -> None:
        """A demo that is run again finds the last good version live, so it starts from whatever serves now."""
        name_profile(example, None)
        live = example.stable_image()
        if live.endswith(":1.0") and example.image() == live:
            return
        say(f"an earlier demo left {example.image()}; going back to 1.0 first")
        before = example.release_names()
        example.set_version("1.0")
        if live.endswith(":1.0"):
            wait_until("the stable template", lambda: not example.held(), 60)
            return
        body = wait_until("a release of 1.0", lambda: example.newest_release(before), 60)
        example.wait_end(body["metadata"]["name"], 240)

    def _people(self, cluster: Cluster) -> tuple[Person, Person]:
        """Return who asks for changes, and holds the risk role as well, and who allows them."""
        return Person.known(cluster, "team-lead", "developers", "risk"), Person.known(cluster, "risk-officer", "risk")

    def _ask(self, lead: Person, version: str) -> str:
        """Change the image in the team lead's own name; returns the release that waits for its gates."""
        requester = Example(lead.kubectl)
        name_ticket(lead.kubectl, "CREDIT-101")
        self._began = time.time()
        say(f"{lead.user}$ kubectl set image deployment/{NAME} app=...:{version}")
        return requester.start(version)

    def _allowed(self, example: Example, lead: Person, officer: Person, version: str) -> bool:
        """Show a change that waits, who may not allow it, and who may; returns whether the API server saw to that."""
        name = self._ask(lead, version)
        say(f"Release {name} waits: {wait_for_gates(example, name)}")
        print(officer.kubectl.run("get", "rel", name))
        say(f"{lead.user} holds the role {ROLE} as well, and approves the change that {lead.user} asked for:")
        denied = lead.kubectl.attempt("create", "-f", "-", stdin=_approval(name, lead.kubectl.namespace, ""))
        print((denied.stdout + denied.stderr).strip())
        say(f"{lead.user} writes an approval in the name of {officer.user}:")
        forged = lead.kubectl.attempt("create", "-f", "-", stdin=_approval(name, lead.kubectl.namespace, officer.user))
        print((forged.stdout + forged.stderr).strip())
        say(f"{officer.user}$ feem approve {name} --role {ROLE}")
        approved = officer.approve(name)
        print((approved.stdout + approved.stderr).strip())
        self._name = name
        return denied.returncode != 0 and forged.returncode != 0 and approved.returncode == 0

    def _release(self, example: Example, traffic: Traffic, lead: Person, officer: Person, version: str) -> bool:
        """Let a bad version be asked for and approved, for approvals prove nothing about code; evidence rolls it back."""
        self._name = self._ask(lead, version)
        wait_for_gates(example, self._name)
        approved = officer.approve(self._name)
        if approved.returncode != 0:
            say(f"{officer.user} could not approve: {approved.stderr.strip()}")
        return self._follow(example, traffic, version, "RolledBack") and approved.returncode == 0

    def _follow(self, example: Example, traffic: Traffic, version: str, expected: str) -> bool:
        name, began = self._name, self._began
        story = Story(say)
        result = example.wait_end(name, 300, story.tell)
        answers = traffic.answers(began)
        say(f"Release {name} ended: {condition(example.release(name), 'Succeeded').get('message')}")
        for line in story.weights(answers, version):
            say(line)
        if expected == "RolledBack":
            for line in impact(answers, version, story):
                say(line)
        say(f"clients saw: {summary(answers)}")
        print(self._tree(example, name))
        if version == LENIENT:
            self._read_aloud(example, name)
        if result != expected:
            say(f"Release {name} should have ended {expected}, but it ended {result}")
        return result == expected

    def _read_aloud(self, example: Example, name: str) -> None:
        """Print what a risk officer reads of a release."""
        described = example.kubectl.run("describe", "rel", name)
        say(f"what a risk officer reads, from `kubectl describe rel {name} -n {example.kubectl.namespace}`:")
        print(words.excerpt(described, DECISIONS))

    def _tree(self, example: Example, name: str) -> str:
        words = [sys.executable, "-m", "feem", "get", "release", name, "-n", example.kubectl.namespace]
        words += ["--kubeconfig", str(example.kubectl.kubeconfig)]
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60).stdout

    def _feem(self, cluster: Cluster, *arguments: str) -> bool:
        say(f"$ feem {' '.join(arguments)}")
        words = [sys.executable, "-m", "feem", *arguments, "--kubeconfig", str(cluster.kubeconfig)]
        return subprocess.run(words, check=False, timeout=120).returncode == 0

    def _proven(self, cluster: Cluster, kubectl: Kubectl) -> bool:
        """Take log and evidence out of the cluster and check them without it, as an auditor would at home."""
        log = published(kubectl)
        status, folder = log["status"], cluster.state / "demo-proof"
        folder.mkdir(exist_ok=True)
        keys, bundle, pack = write_keys(log, folder / "keys.txt"), folder / "log.zip", folder / f"{self._name}.zip"
        say(f"AuditLog {log['spec']['origin']}: {status['size']} entries signed with {len(status['keys'])} keys")
        made = self._feem(cluster, "audit", "export", "--file", str(bundle))
        namespace = Example(kubectl).kubectl.namespace
        made = self._feem(cluster, "release", "evidence", self._name, "-n", namespace, "--file", str(pack)) and made
        good = made
        for file in (bundle, pack):
            found = check(str(file), "--keys", str(keys))
            say(f"$ feem audit verify {file} --keys {keys}")
            print(found.text.strip())
            good = good and found.ok
        return good

    @contextmanager
    def _part(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self._times[name] = time.monotonic() - began

    def _farewell(self, cluster: Cluster) -> None:
        print("\nTimes")
        for name, seconds in self._times.items():
            print(f"  {name:14} {seconds:6.1f} s")
        print(f"  {'in all':14} {time.monotonic() - BEGAN:6.1f} s")
        config = cluster.kubeconfig
        shown = config if Path(config).is_absolute() else REPOSITORY / config
        print(f"""
Look around
  export KUBECONFIG={shown}
  kubectl get msvc,rel,slo -n lending          what is governed, and every release
  kubectl describe rel -n lending              why each one ended as it did
  kubectl get audit                            every act, in order
  kubectl set image deployment/limit-scoring app=feem.example/limit-scoring:2.1 -n lending    a slow version
  kubectl feem evidence save NAME -n lending -o FILE   the samples behind a verdict; `kubectl feem evidence replay FILE` judges them anew
  .venv/bin/feem watch {NAME} -n lending   a release while it runs
Remove it
  make demo-clean""")


def _approval(release: str, namespace: str, by: str) -> str:
    """An approval as kubectl creates it; the API server fills in who that is, and what it allows."""
    author = f", by: {by}" if by else ""
    return f"""
apiVersion: feem.dev/v1alpha1
kind: Decision
metadata: {{generateName: {release}-, namespace: {namespace}}}
spec: {{release: {release}, verb: Approve, role: {ROLE}, reason: it is urgent{author}}}
"""


def impact(answers: Sequence[Answer], version: str, story: Story) -> Iterator[str]:
    """Say what the bad version did to clients: failed answers, or decisions that nobody would call failed."""
    yield from reaction(answers, version, story)
    if version == LENIENT and (decided := Decided.of(answers, version, story)):
        yield from decided.lines()


if __name__ == "__main__":
    sys.exit(main())
