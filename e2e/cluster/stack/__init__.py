"""What runs on a full cluster besides Kubernetes: DNS, Envoy Gateway with the gateway `edge`, and Prometheus."""

from __future__ import annotations

import http.client
import time
from concurrent.futures import ThreadPoolExecutor

from e2e.cluster import images
from e2e.cluster.commands import run
from e2e.cluster.context import GATEWAY_PORT, PROMETHEUS_PORT, Cluster, ClusterError, Say
from e2e.cluster.images.names import IMAGES
from e2e.cluster.stack import rendering
from e2e.cluster.stack.applying import Applier

__all__ = ["install"]

FIRST = ("pause", "coredns")
REST = ("envoy-gateway", "envoy", "prometheus")
ANSWER_SECONDS = 60.0


def install(cluster: Cluster, say: Say) -> None:
    """Install the stack and return when gateway and Prometheus answer on their NodePorts; repeating it is safe.

    Raises ClusterError with the object that did not become ready and its pods.
    """
    applier = Applier(cluster, say)
    with ThreadPoolExecutor(1) as pool:
        ready = pool.submit(_provide, cluster, say)
        _controllers(cluster, applier, say)
        ready.result()
    applier.rollout(rendering.NAMESPACE, "envoy-gateway")
    say("Envoy Gateway ready")
    # Not before: an Envoy that meets a control plane which is not ready waits up to 40 s until it asks again.
    applier.apply(rendering.own("gateway"))
    applier.condition("Programmed", "gateway/edge", namespace="feem-gateway")
    say("gateway edge programmed")
    if cluster.backend == "local":
        applier.rollout("kube-system", "coredns")
    applier.rollout("monitoring", "prometheus")
    if cluster.address:
        _answers(cluster.address, GATEWAY_PORT, "/", "the gateway")
        _answers(cluster.address, PROMETHEUS_PORT, "/-/ready", "Prometheus")
    say("gateway and Prometheus answer")


def _controllers(cluster: Cluster, applier: Applier, say: Say) -> None:
    """Apply what needs no gateway yet; CRDs first, as everything else may use them."""
    applier.apply(rendering.own("namespaces"))
    if cluster.backend == "local":
        applier.apply(rendering.own("coredns"))
    applier.apply(rendering.gateway_crds(cluster.cache, say))
    say("Gateway API and Envoy Gateway CRDs applied")
    applier.apply(rendering.gateway_controller(cluster.cache, say))
    applier.apply(rendering.own("prometheus"))
    names = ("httproutes.gateway.networking.k8s.io", "envoyproxies.gateway.envoyproxy.io")
    applier.condition("Established", *(f"crd/{name}" for name in names))


def _provide(cluster: Cluster, say: Say) -> None:
    """Have the images on the nodes, unless the nodes can pull them."""
    if cluster.backend == "given" or (cluster.backend == "kind" and _registry_answers()):
        return
    names = (*FIRST, *REST) if cluster.backend == "local" else REST
    for name in names:  # one after the other, so that the first pods start while the rest is made
        images.load(cluster, images.ensure([name], cluster.cache, say), say)


def _registry_answers() -> bool:
    """Ask through the engine for the smallest image: pulling it is the only question every registry understands."""
    try:
        run(["docker", "pull", "-q", IMAGES["pause"]], next_step="", timeout=60)
    except ClusterError:
        return False
    return True


def _answers(address: str, port: int, path: str, what: str) -> None:
    """Wait for any HTTP answer, a 404 of a gateway without routes included."""
    began, reason = time.monotonic(), ""
    while time.monotonic() - began < ANSWER_SECONDS:
        connection = http.client.HTTPConnection(address, port, timeout=5)
        try:
            connection.request("GET", path)
            connection.getresponse().read()
        except (OSError, http.client.HTTPException) as error:
            reason = str(error) or type(error).__name__
            time.sleep(0.1)
        else:
            return
        finally:
            connection.close()
    raise ClusterError(
        f"{what} does not answer on {address}:{port} after {ANSWER_SECONDS:.0f} s: {reason}; look at its Service and "
        "pods with `kubectl get pods,services -A`, and at kube-proxy's log in the state folder"
    )
