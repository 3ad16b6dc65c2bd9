"""The images of the stack under the names their projects publish them, so that a registry's would serve as well."""

from __future__ import annotations

from e2e.cluster import versions

IMAGES = {
    "pause": versions.PAUSE_IMAGE,
    "coredns": f"registry.k8s.io/coredns/coredns:{versions.COREDNS_VERSION}",
    "envoy": f"docker.io/envoyproxy/envoy:distroless-v{versions.ENVOY_VERSION}",
    "envoy-gateway": f"docker.io/envoyproxy/gateway:{versions.ENVOY_GATEWAY_VERSION}",
    "prometheus": f"docker.io/prom/prometheus:{versions.PROMETHEUS_VERSION}",
    "python": "docker.io/library/python:3.11-slim-bookworm",
}
OPERATOR = "feem.dev/operator"
LIMIT_SCORING = "feem.example/limit-scoring"
