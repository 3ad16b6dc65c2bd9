"""Free places for a cluster: loopback ports for profile api, a small subnet for a cluster in its own namespace."""

from __future__ import annotations

import ipaddress
import json
import random
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network

from .commands import run
from .context import ClusterError

# Below the ports the kernel hands to outgoing connections and below NodePorts: a stopped component finds its port
# free again when it comes back.
LOWEST_PORT, HIGHEST_PORT = 20000, 29999
CLUSTER_NETWORK = IPv4Network("10.231.0.0/16")  # one /30 for each cluster: the host's end and the cluster's


def free_port(taken: Iterable[int] = (), host: str = "127.0.0.1") -> int:
    """Choose a TCP port nobody listens on, none of `taken`; random, so that two runs rarely want the same."""
    avoid = set(taken)
    for _ in range(500):
        port = random.randint(LOWEST_PORT, HIGHEST_PORT)  # noqa: S311 - spreads load, guards nothing
        if port not in avoid and is_free(port, host):
            return port
    raise ClusterError(
        f"no free TCP port between {LOWEST_PORT} and {HIGHEST_PORT} on {host} after 500 tries: "
        "end programs that listen there and try again."
    )


def is_free(port: int, host: str) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def subnet(index: int) -> tuple[IPv4Address, IPv4Address]:
    """Host's and cluster's address on the veth pair number `index`."""
    base = CLUSTER_NETWORK.network_address + 4 * index
    return base + 1, base + 2


def routed_networks() -> list[IPv4Network]:
    """List networks this machine already routes, apart from the default route."""
    routes = json.loads(run(["ip", "-json", "route", "show", "table", "main"], next_step="Install iproute2.") or "[]")
    return [ipaddress.IPv4Network(route["dst"], strict=False) for route in routes if route["dst"] != "default"]


def free_subnets(taken: Iterable[IPv4Network]) -> Iterable[int]:
    """Yield the indices of /30 networks that overlap none of `taken`, lowest first."""
    blocked = list(taken)
    for index in range(CLUSTER_NETWORK.num_addresses // 4):
        candidate = IPv4Network((int(CLUSTER_NETWORK.network_address) + 4 * index, 30))
        if not any(candidate.overlaps(network) for network in blocked):
            yield index
