"""Configuration of what makes a machine a node: containerd, kubelet, kube-proxy, NetworkPolicies."""

from __future__ import annotations

import os
from pathlib import Path

from e2e.cluster.commands import search_path
from e2e.cluster.context import ClusterError
from e2e.cluster.versions import DNS_ADDRESS, DNS_DOMAIN, PAUSE_IMAGE

from .controlplane import component_kubeconfig
from .network import POD_SUBNET, conflist
from .plan import Component, write_json
from .record import Layout, cgroup_name

_LONGEST_SOCKET = 100  # bytes; sockaddr_un holds 108


def containerd(layout: Layout, programs: dict[str, Path], plugins: Path) -> Component:
    """Run containerd with all its files in the state folder; `plugins` is where the CNI plugins are."""
    socket = layout.containerd_socket
    if len(os.fsencode(socket)) > _LONGEST_SOCKET:
        raise ClusterError(
            f"the path of containerd's socket is too long for the kernel: {socket}. Set FEEM_STATE to a shorter path."
        )
    conflist(layout.state / "cni")
    _refuse_pulls(layout.state / "registries")
    config = layout.state / "containerd.toml"
    config.write_text(_containerd_config(layout.state, socket, plugins), encoding="utf-8")
    folders = {str(programs[name].parent) for name in ("containerd", "containerd-shim-runc-v2", "runc")}
    path = os.pathsep.join([*sorted(folders), search_path()])
    return Component("containerd", (str(programs["containerd"]), f"--config={config}"), {"PATH": path})


def _refuse_pulls(folder: Path) -> None:
    """Send every pull to a port where nobody listens: images are imported, and no registry is reached from inside.

    Else a pull waits 50 s for a resolver that does not answer, and holds up all that the kubelet does for its pod.
    """
    (folder / "_default").mkdir(parents=True, exist_ok=True)
    (folder / "_default" / "hosts.toml").write_text('server = "http://127.0.0.1:9"\n', encoding="ascii")


def _containerd_config(state: Path, socket: Path, plugins: Path) -> str:
    return f"""version = 3
root = "{state}/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.nri.v1.nri", "io.containerd.tracing.processor.v1.otlp"]

[grpc]
  address = "{socket}"

[plugins."io.containerd.internal.v1.opt"]
  path = "/run/containerd-opt"

[plugins."io.containerd.cri.v1.images"]
  snapshotter = "overlayfs"
  [plugins."io.containerd.cri.v1.images".pinned_images]
    sandbox = "{PAUSE_IMAGE}"
  [plugins."io.containerd.cri.v1.images".registry]
    config_path = "{state}/registries"

[plugins."io.containerd.cri.v1.runtime"]
  # without CAP_SYS_RESOURCE nobody may make a process less likely to be killed than itself
  restrict_oom_score_adj = true
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ["{plugins}"]
    conf_dir = "{state}/cni"
  [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
      SystemdCgroup = false
"""


def kubelet(layout: Layout, kubernetes: Path) -> Component:
    """Run the kubelet: certificates only, pods under the cluster's own cgroup, names resolved by CoreDNS."""
    resolver = layout.state / "resolv.conf"
    resolver.write_text("# pods that do not use the cluster's DNS have none\n", encoding="ascii")
    config = layout.state / "kubelet.json"
    write_json(config, _kubelet_config(layout, resolver))
    argv = [
        str(kubernetes),
        "kubelet",
        f"--config={config}",
        f"--kubeconfig={component_kubeconfig(layout, 'kubelet')}",
        f"--hostname-override={layout.node}",
        f"--node-ip={layout.address}",
    ]
    return Component("kubelet", tuple(argv))


def _kubelet_config(layout: Layout, resolver: Path) -> dict[str, object]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "containerRuntimeEndpoint": f"unix://{layout.containerd_socket}",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(layout.pki / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(layout.pki / "kubelet-server.crt"),
        "tlsPrivateKeyFile": str(layout.pki / "kubelet-server.key"),
        "address": layout.address,
        "readOnlyPort": 0,
        "healthzPort": 0,
        "clusterDomain": DNS_DOMAIN,
        "clusterDNS": [DNS_ADDRESS],
        "resolvConf": str(resolver),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{cgroup_name(layout.state)}",
        "cgroupsPerQOS": True,
        "enforceNodeAllocatable": [],
        "failCgroupV1": False,
        "failSwapOn": False,
        "oomScoreAdj": 0,
        # the disk is the machine's: no pod is evicted and no image removed because of what others keep on it
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
        "localStorageCapacityIsolation": False,
        "imagePullCredentialsVerificationPolicy": "NeverVerify",  # images are imported, nobody has credentials
        "serializeImagePulls": False,
        "registerNode": True,
    }


def kube_proxy(layout: Layout, kubernetes: Path) -> Component:
    """Run kube-proxy with iptables rules inside the namespace; NodePorts answer on the cluster's address only."""
    config = layout.state / "proxy.json"
    document = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clientConnection": {"kubeconfig": str(component_kubeconfig(layout, "proxy"))},
        "hostnameOverride": layout.node,
        "clusterCIDR": POD_SUBNET,
        "bindAddress": layout.address,
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        "nodePortAddresses": [f"{layout.address}/32"],
        "oomScoreAdj": 0,
        # connection tracking limits are the machine's: left as they are
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        "iptables": {"minSyncPeriod": "100ms", "syncPeriod": "30s", "localhostNodePorts": False},
    }
    write_json(config, document)
    return Component("kube-proxy", (str(kubernetes), "kube-proxy", f"--config={config}"))


def network_policies(layout: Layout, program: Path) -> Component:
    """Run the enforcer of NetworkPolicies, as the bridge of the pods knows none.

    It judges packets inside the namespace, so its rules end with it. While it is stopped, pods that a policy selects
    are cut off altogether: a policy is never silently without effect.
    """
    kubeconfig = component_kubeconfig(layout, "network-policies")
    argv = (str(program), f"--kubeconfig={kubeconfig}", f"--node={layout.node}")
    return Component("network-policies", argv, {"PATH": search_path()})
