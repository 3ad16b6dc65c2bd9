"""Kubeconfigs for people and programs: a client certificate that names the user and the groups."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from . import binaries, pki
from .commands import run
from .context import Cluster, ClusterError
from .kubeconfigs import write_kubeconfig
from .local.control import wait_until

_SIGNER = "kubernetes.io/kube-apiserver-client"
_DAY = 86_400


def user_kubeconfig(cluster: Cluster, user: str, groups: Sequence[str] = ()) -> Path:
    """Make a kubeconfig that shows the API server this user with these groups; the same question, the same file.

    A local cluster's authority signs at once; elsewhere the cluster is asked (CertificateSigningRequest), which needs
    an administrator's kubeconfig.
    """
    digest = hashlib.sha256(json.dumps([user, sorted(groups)]).encode()).hexdigest()[:8]
    path = cluster.state / "users" / f"{re.sub(r'[^A-Za-z0-9.-]+', '-', user)}-{digest}.kubeconfig"
    if path.is_file():
        return path
    entry = _cluster_entry(cluster)
    pair = (
        pki.issue_user(cluster.state / "pki", user, groups)
        if cluster.backend == "local"
        else _ask_cluster(cluster, user, groups, digest)
    )
    authority = entry.get("certificate-authority-data")
    content = base64.b64decode(authority) if authority else Path(entry["certificate-authority"]).read_bytes()
    name = f"feem-{cluster.name}"
    return write_kubeconfig(path, cluster=name, server=entry["server"], authority=content, user=user, pair=pair)


def _cluster_entry(cluster: Cluster) -> dict[str, str]:
    """Read server and authority of the current context."""
    document = yaml.safe_load(cluster.kubeconfig.read_text(encoding="utf-8"))
    contexts = {entry["name"]: entry["context"] for entry in document.get("contexts") or []}
    clusters = {entry["name"]: entry["cluster"] for entry in document.get("clusters") or []}
    try:
        entry: dict[str, str] = clusters[contexts[document["current-context"]]["cluster"]]
    except KeyError as error:
        raise ClusterError(f"{cluster.kubeconfig} has no usable current context: set one with kubectl.") from error
    if not ("certificate-authority-data" in entry or "certificate-authority" in entry):
        raise ClusterError(f"{cluster.kubeconfig} names no certificate authority: user certificates need one.")
    return entry


def _ask_cluster(cluster: Cluster, user: str, groups: Sequence[str], digest: str) -> tuple[bytes, bytes]:
    """Have the cluster sign a certificate: request, approve, fetch, remove the request."""
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(pki.subject(user, groups)).sign(key, hashes.SHA256())
    name = f"feem-{cluster.name}-{digest}"
    body: dict[str, Any] = {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": name},
        "spec": {
            "request": base64.b64encode(request.public_bytes(serialization.Encoding.PEM)).decode("ascii"),
            "signerName": _SIGNER,
            "usages": ["client auth", "digital signature"],
            "expirationSeconds": 30 * _DAY,
        },
    }
    kubectl = binaries.ensure(["kubectl"], cluster.cache, lambda _: None)["kubectl"]

    def ask(*words: str, stdin: str | None = None) -> str:
        next_step = "User certificates need a kubeconfig that may approve CertificateSigningRequests."
        return run([kubectl, f"--kubeconfig={cluster.kubeconfig}", *words], next_step=next_step, stdin=stdin)

    ask("delete", "csr", name, "--ignore-not-found")
    ask("create", "-f", "-", stdin=json.dumps(body))
    ask("certificate", "approve", name)
    certificate: list[str] = []

    def signed() -> bool:
        certificate[:] = [ask("get", "csr", name, "--output=jsonpath={.status.certificate}")]
        return bool(certificate[0])

    wait_until(signed, within=30, pause=0.5, failed=lambda: f"the cluster's signer {_SIGNER} did not sign {name}.")
    ask("delete", "csr", name)
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    return base64.b64decode(certificate[0]), private
