"""Installs the operator as users do: an image, the chart, helm."""

from __future__ import annotations

import subprocess
from pathlib import Path

from e2e.cluster.binaries import ensure
from e2e.cluster.context import Cluster, Say
from e2e.cluster.images import load
from e2e.cluster.images.operator import build_operator, operator_image
from e2e.kit.kubectl import Kubectl

REPOSITORY = Path(__file__).resolve().parents[2]
NAMESPACE = "feem-system"
# its pods, and not those of the reaper
OPERATOR_PODS = "app.kubernetes.io/name=feem,app.kubernetes.io/component=operator"
PROMETHEUS = "http://prometheus.monitoring.svc:9090"


def install_operator(cluster: Cluster, say: Say, *, replicas: int = 1) -> None:
    """Build the operator's image, load it, and install or upgrade the chart; returns when the operator is Ready."""
    archive = build_operator(REPOSITORY, cluster.cache, say)
    load(cluster, [archive], say)
    kubectl = Kubectl.of(cluster)
    prepare_namespace(kubectl)
    image = operator_image(REPOSITORY)
    repository, _, tag = image.rpartition(":")
    # The tag stays when the code changes, so the pods must be told of a new image.
    build = archive.stem.rpartition("-")[2]
    values = [
        f"image.repository={repository}",
        f"image.tag={tag}",
        f"podAnnotations.build={build}",
        f"prometheus.url={PROMETHEUS}",
    ]
    helm = ensure(("helm",), cluster.cache, say)["helm"]
    say(f"helm upgrade --install feem charts/feem ({image})")
    words = [str(helm), "--kubeconfig", str(cluster.kubeconfig), "upgrade", "--install", "feem", "charts/feem"]
    words += ["--namespace", NAMESPACE, "--set", f"replicas={replicas}"]
    words += [word for value in values for word in ("--set-string", value)]
    words += ["--set-json", 'chaos.namespaces=["*"]']
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode != 0:
        raise RuntimeError(f"helm could not install the chart: {done.stderr.strip()}")
    for deployment in ("feem", "feem-reaper"):
        kubectl.run("rollout", "status", f"deployment/{deployment}", "--timeout=120s", namespace=NAMESPACE)


def prepare_namespace(kubectl: Kubectl) -> None:
    """Create the operator's namespace under the restricted pod security standard."""
    labels = "pod-security.kubernetes.io/enforce: restricted"
    text = f"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {NAMESPACE}\n  labels:\n    {labels}\n"
    kubectl.apply_text(text)
