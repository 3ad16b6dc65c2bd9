"""What each program is built from; whatever is written here is part of its cache key."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from e2e.cluster.versions import (
    CONTAINERD_VERSION,
    COREDNS_VERSION,
    ENVOY_GATEWAY_VERSION,
    HELM_VERSION,
    KIND_VERSION,
    KUBERNETES_VERSION,
    KWOK_VERSION,
    NETWORK_POLICIES_VERSION,
    PROMETHEUS_MODULE_VERSION,
    RUNC_VERSION,
)

_HERE = Path(__file__).parent
_SMALL = "-s -w"  # no symbol table, no DWARF: a third less to write and to load


@dataclass(frozen=True)
class Recipe:
    """One `go` call: either packages of a published module, or a main package of our own beside this file.

    `makes` are the names of the programs, each a file of the cache entry; `takes` the seconds of a cold build on
    2 cores, printed so that a waiting person knows what to expect.
    """

    name: str
    version: str
    makes: tuple[str, ...]
    takes: int
    packages: tuple[str, ...] = ()
    source: Path | None = None
    tags: str = ""
    ldflags: str = _SMALL
    cgo: bool = False

    def arguments(self, folder: Path) -> list[str]:
        """Write the arguments of `go` that put the programs into `folder` (which is also GOBIN)."""
        common = ["-v", f"-ldflags={self.ldflags}", *([f"-tags={self.tags}"] if self.tags else [])]
        if self.source is not None:
            return ["build", *common, "-o", str(folder / self.makes[0]), "."]
        return ["install", *common, *(f"{package}@{self.version}" for package in self.packages)]

    def digest(self) -> str:
        """Digest of everything the result depends on apart from the toolchain: 12 hex digits."""
        state = hashlib.sha256()
        fields = [self.version, self.makes, self.packages, self.tags, self.ldflags, self.cgo]
        state.update(json.dumps(fields).encode())
        if self.source is not None:
            for file in sorted(self.source.iterdir()):
                state.update(file.name.encode() + b"\0" + file.read_bytes())
        return state.hexdigest()[:12]

    def entry(self) -> str:
        return f"{self.name}-{self.version}-{self.digest()}"


_CONTAINERD = "github.com/containerd/containerd/v2/cmd"

RECIPES: tuple[Recipe, ...] = (
    Recipe(
        "kubernetes",
        KUBERNETES_VERSION,
        ("kubernetes",),
        570,
        source=_HERE / "kubernetes",
        ldflags=f"{_SMALL} -X k8s.io/component-base/version.gitVersion={KUBERNETES_VERSION}",
    ),
    Recipe("kwok", KWOK_VERSION, ("kwok",), 80, ("sigs.k8s.io/kwok/cmd/kwok",)),
    Recipe(
        "containerd",
        CONTAINERD_VERSION,
        ("containerd", "containerd-shim-runc-v2", "ctr"),
        75,
        tuple(f"{_CONTAINERD}/{program}" for program in ("containerd", "containerd-shim-runc-v2", "ctr")),
    ),
    Recipe(
        "runc", RUNC_VERSION, ("runc",), 15, ("github.com/opencontainers/runc",), tags="seccomp", cgo=True
    ),  # upstream links libseccomp statically; a dynamic one needs libseccomp2, which every Debian has
    # what its libraries share with Kubernetes is of the same versions, and so built already
    Recipe(
        "network-policies", NETWORK_POLICIES_VERSION, ("kube-network-policies",), 10, source=_HERE / "networkpolicies"
    ),
    Recipe("coredns", COREDNS_VERSION, ("coredns",), 110, source=_HERE / "coredns"),
    Recipe(
        "envoy-gateway",
        ENVOY_GATEWAY_VERSION,
        ("envoy-gateway",),
        230,
        ("github.com/envoyproxy/gateway/cmd/envoy-gateway",),
    ),
    Recipe(
        "prometheus",
        PROMETHEUS_MODULE_VERSION,
        ("prometheus",),
        150,
        ("github.com/prometheus/prometheus/cmd/prometheus",),
        tags="remove_all_sd,enable_kubernetes_sd",
    ),
    Recipe("helm", HELM_VERSION, ("helm",), 110, ("helm.sh/helm/v4/cmd/helm",)),
    Recipe("kind", KIND_VERSION, ("kind",), 25, ("sigs.k8s.io/kind",)),
)


def recipe_for(program: str) -> Recipe:
    for recipe in RECIPES:
        if program in recipe.makes:
            return recipe
    raise KeyError(program)
