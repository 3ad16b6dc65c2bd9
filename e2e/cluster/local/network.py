"""One veth pair between host and cluster, and the bridge of the pods, which only exists inside."""

from __future__ import annotations

import json
from pathlib import Path

from e2e.cluster.commands import run
from e2e.cluster.context import ClusterError
from e2e.cluster.ports import free_subnets, routed_networks, subnet

POD_SUBNET = "10.244.0.0/24"  # the same in every cluster: nobody outside its namespace sees it
BRIDGE, BRIDGE_ADDRESS = "pods0", "10.244.0.1"
_NEXT = "Profile full needs root and iproute2."


def connect(pid: int) -> tuple[str, str, str]:
    """Join host and the network namespace of process `pid`; returns the host's link, its address, the cluster's.

    The link's name is the lock: the kernel refuses a second one, so two runs never share a subnet.
    """
    for index in free_subnets(routed_networks()):
        link = f"feem{index}"
        if link in links():
            continue
        try:
            run(["ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", str(pid)], next_step=_NEXT)
        except ClusterError:
            if link in links():
                continue
            raise
        here, there = subnet(index)
        run(["ip", "address", "add", f"{here}/30", "dev", link], next_step=_NEXT)
        run(["ip", "link", "set", link, "up"], next_step=_NEXT)
        _arrange_inside(pid, str(here), str(there))
        return link, str(here), str(there)
    raise ClusterError("no free /30 network is left in 10.231.0.0/16: end clusters you no longer need (`down --all`).")


def _arrange_inside(pid: int, here: str, there: str) -> None:
    batch = "\n".join(
        [
            "link set lo up",
            f"address add {there}/30 dev eth0",
            "link set eth0 up",
            f"route add default via {here}",
            f"link add {BRIDGE} type bridge",
            f"address add {BRIDGE_ADDRESS}/24 dev {BRIDGE}",
            f"link set {BRIDGE} up",
        ]
    )
    inside = ["nsenter", f"--net=/proc/{pid}/ns/net"]
    run([*inside, "ip", "-batch", "-"], stdin=batch + "\n", next_step=_NEXT)
    settings = ["net.ipv4.ip_forward=1", "net.bridge.bridge-nf-call-iptables=1"]
    # through a shell-less `sysctl` of our own: /proc/sys/net shows the namespace of whoever looks
    for setting in settings:
        name, value = setting.split("=")
        path = "/proc/sys/" + name.replace(".", "/")
        run(
            [*inside, "tee", path],
            stdin=value,
            next_step="Load the kernel module br_netfilter (modprobe br_netfilter).",
        )


def disconnect(link: str) -> None:
    """Remove the host's end, and with it the pair; quiet when the kernel was faster."""
    if link in links():
        try:
            run(["ip", "link", "delete", link], next_step=_NEXT)
        except ClusterError:
            if link in links():
                raise


def links() -> set[str]:
    return {entry["ifname"] for entry in json.loads(run(["ip", "-json", "link", "show"], next_step=_NEXT) or "[]")}


def conflist(folder: Path) -> None:
    """Write the CNI configuration: pods on the bridge, able to reach themselves through a Service (hairpin)."""
    ranges = [[{"subnet": POD_SUBNET, "rangeStart": "10.244.0.10", "gateway": BRIDGE_ADDRESS}]]
    bridge = {
        "type": "bridge",
        "bridge": BRIDGE,
        "isGateway": True,
        "hairpinMode": True,
        "ipam": {"type": "host-local", "ranges": ranges, "routes": [{"dst": "0.0.0.0/0"}]},
    }
    document = {
        "cniVersion": "1.0.0",
        "name": "feem",
        "plugins": [bridge, {"type": "portmap", "capabilities": {"portMappings": True}}],
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "10-feem.conflist").write_text(json.dumps(document, indent=1) + "\n", encoding="ascii")
