"""Command lines of the control plane, and of kwok, which plays the kubelets of nodes that do not exist."""

from __future__ import annotations

from pathlib import Path

from e2e.cluster.kubeconfigs import write_kubeconfig
from e2e.cluster.versions import SERVICE_SUBNET

from .plan import Component
from .record import Layout

_ISSUER = "https://kubernetes.default.svc.cluster.local"
_HERE = Path(__file__).parent
KWOK_NODE = "kwok-0"


def etcd(layout: Layout, kubernetes: Path) -> Component:
    """Run etcd with its own authority: client certificates on both ports. No fsync: this data may be lost."""
    pki, client, peer = layout.pki, layout.etcd, f"https://127.0.0.1:{layout.etcd_peer_port}"
    argv = [
        str(kubernetes),
        "etcd",
        "--name=feem",
        f"--data-dir={layout.state / 'etcd'}",
        "--unsafe-no-fsync",
        "--log-level=warn",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=feem={peer}",
        f"--cert-file={pki / 'etcd-server.crt'}",
        f"--key-file={pki / 'etcd-server.key'}",
        f"--trusted-ca-file={pki / 'etcd-ca.crt'}",
        "--client-cert-auth",
        f"--peer-cert-file={pki / 'etcd-peer.crt'}",
        f"--peer-key-file={pki / 'etcd-peer.key'}",
        f"--peer-trusted-ca-file={pki / 'etcd-ca.crt'}",
        "--peer-client-cert-auth",
    ]
    return Component("etcd", tuple(argv))


def apiserver(layout: Layout, kubernetes: Path) -> Component:
    """Run the API server: RBAC and node authorization, no anonymous requests, every write in the audit log."""
    pki = layout.pki
    argv = [
        str(kubernetes),
        "kube-apiserver",
        f"--bind-address={layout.host}",
        f"--secure-port={layout.api_port}",
        f"--etcd-servers={layout.etcd}",
        f"--etcd-cafile={pki / 'etcd-ca.crt'}",
        *_pair(pki, "apiserver-etcd-client", "--etcd-certfile", "--etcd-keyfile"),
        *_pair(pki, "apiserver", "--tls-cert-file", "--tls-private-key-file"),
        "--tls-min-version=VersionTLS12",
        f"--client-ca-file={pki / 'ca.crt'}",
        "--anonymous-auth=false",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        *_pair(pki, "apiserver-kubelet-client", "--kubelet-client-certificate", "--kubelet-client-key"),
        f"--kubelet-certificate-authority={pki / 'ca.crt'}",
        "--kubelet-preferred-address-types=InternalIP",
        f"--requestheader-client-ca-file={pki / 'front-proxy-ca.crt'}",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        *_pair(pki, "front-proxy-client", "--proxy-client-cert-file", "--proxy-client-key-file"),
        f"--service-account-issuer={_ISSUER}",
        f"--service-account-key-file={pki / 'service-accounts.pub'}",
        f"--service-account-signing-key-file={pki / 'service-accounts.key'}",
        f"--service-cluster-ip-range={SERVICE_SUBNET}",
        "--allow-privileged=true",
        "--profiling=false",
        f"--audit-policy-file={_HERE / 'audit-policy.yaml'}",
        f"--audit-log-path={layout.audit_log}",
        "--audit-log-maxsize=1000",
        "--audit-log-maxbackup=1",
    ]
    if layout.address is None:  # nobody reaches a Service of a loopback cluster: its endpoints need no care
        argv.append("--endpoint-reconciler-type=none")
    return Component("kube-apiserver", tuple(argv))


def controller_manager(layout: Layout, kubernetes: Path) -> Component:
    pki = layout.pki
    argv = [
        str(kubernetes),
        "kube-controller-manager",
        f"--kubeconfig={component_kubeconfig(layout, 'controller-manager')}",
        "--leader-elect=false",
        "--secure-port=0",
        "--profiling=false",
        "--use-service-account-credentials",
        f"--service-account-private-key-file={pki / 'service-accounts.key'}",
        f"--root-ca-file={pki / 'ca.crt'}",
        *_pair(pki, "ca", "--cluster-signing-cert-file", "--cluster-signing-key-file"),
        "--kube-api-qps=500",  # the default of 20 delays the start of its controllers by seconds
        "--kube-api-burst=1000",
    ]
    return Component("kube-controller-manager", tuple(argv))


def scheduler(layout: Layout, kubernetes: Path) -> Component:
    argv = [
        str(kubernetes),
        "kube-scheduler",
        f"--kubeconfig={component_kubeconfig(layout, 'scheduler')}",
        "--leader-elect=false",
        "--secure-port=0",
        "--profiling=false",
    ]
    return Component("kube-scheduler", tuple(argv))


def kwok(layout: Layout, program: Path) -> Component:
    argv = [
        str(program),
        f"--kubeconfig={component_kubeconfig(layout, 'kwok')}",
        f"--config={_HERE / 'kwok-stages.yaml'}",
        "--manage-nodes-with-label-selector=type=kwok",
        "--node-ip=192.0.2.1",  # RFC 5737: an address that is nobody's
        "--cidr=198.51.100.0/24",
        "--node-lease-duration-seconds=40",
        "--v=WARN",
    ]
    return Component("kwok", tuple(argv), {"HOME": str(layout.state)})


def component_kubeconfig(layout: Layout, leaf: str) -> Path:
    """Write the kubeconfig of a component from its certificate; returns its path."""
    pki = layout.pki
    pair = ((pki / f"{leaf}.crt").read_bytes(), (pki / f"{leaf}.key").read_bytes())
    return write_kubeconfig(
        layout.kubeconfig if leaf == "admin" else pki / f"{leaf}.kubeconfig",
        cluster=f"feem-{layout.name}",
        server=layout.server,
        authority=(pki / "ca.crt").read_bytes(),
        user=leaf,
        pair=pair,
    )


def _pair(pki: Path, name: str, certificate_flag: str, key_flag: str) -> list[str]:
    return [f"{certificate_flag}={pki / name}.crt", f"{key_flag}={pki / name}.key"]
