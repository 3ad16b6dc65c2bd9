"""The cluster's certificates: three authorities, and one certificate for each component, none shared."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .versions import API_SERVICE_ADDRESS, DNS_DOMAIN

_LIFETIME = dt.timedelta(days=365)
_BACKDATE = dt.timedelta(minutes=5)  # clocks of pods may lag
_SERVER = ExtendedKeyUsageOID.SERVER_AUTH
_CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH


@dataclass(frozen=True)
class Authority:
    """A signing certificate: etcd and the front proxy have their own, so a user's certificate opens neither."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Leaf:
    """One certificate to be made: file name, who it is, which groups, which names it serves under."""

    file: str
    authority: str
    name: str
    groups: tuple[str, ...] = ()
    serves: tuple[str, ...] = ()
    client: bool = True


def leaves(node: str, address: str) -> tuple[Leaf, ...]:
    """List every certificate of a cluster whose node is called `node` and whose servers answer on `address`."""
    service = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", f"kubernetes.default.svc.{DNS_DOMAIN}")
    here = ("localhost", "127.0.0.1", address)
    return (
        Leaf("apiserver", "ca", "kube-apiserver", (), (*service, *here, API_SERVICE_ADDRESS), client=False),
        Leaf("apiserver-kubelet-client", "ca", "kube-apiserver-kubelet-client"),
        Leaf("apiserver-etcd-client", "etcd-ca", "kube-apiserver-etcd-client"),
        Leaf("front-proxy-client", "front-proxy-ca", "front-proxy-client"),
        # etcd's HTTP gateway calls its own gRPC port with the server certificate, so that one is a client's as well
        Leaf("etcd-server", "etcd-ca", "etcd", (), here),
        Leaf("etcd-peer", "etcd-ca", "etcd-peer", (), here),
        Leaf("etcd-client", "etcd-ca", "etcd-inspection"),
        Leaf("kubelet-server", "ca", f"system:node:{node}", ("system:nodes",), (node, address), client=False),
        Leaf("kubelet", "ca", f"system:node:{node}", ("system:nodes",)),
        Leaf("admin", "ca", "feem-admin", ("system:masters",)),
        Leaf("controller-manager", "ca", "system:kube-controller-manager"),
        Leaf("scheduler", "ca", "system:kube-scheduler"),
        Leaf("proxy", "ca", "system:kube-proxy"),
        Leaf("network-policies", "ca", "feem:network-policies"),
        Leaf("kwok", "ca", "feem:kwok"),
    )


def create(folder: Path, node: str, address: str) -> None:
    """Make authorities, certificates and the service-account keys below `folder`, private keys readable by us only."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    authorities = {name: _make_authority(folder, name) for name in ("ca", "etcd-ca", "front-proxy-ca")}
    for leaf in leaves(node, address):
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = sign(authorities[leaf.authority], key.public_key(), leaf)
        _write_pair(folder, leaf.file, certificate, key)
    tokens = ec.generate_private_key(ec.SECP256R1())
    _write_private(folder / "service-accounts.key", _key_pem(tokens))
    public = tokens.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (folder / "service-accounts.pub").write_bytes(public)


def issue_user(folder: Path, user: str, groups: Sequence[str]) -> tuple[bytes, bytes]:
    """Make a client certificate for a user and groups from the cluster's authority; returns certificate and key."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = sign(load_authority(folder, "ca"), key.public_key(), Leaf("user", "ca", user, tuple(groups)))
    return certificate.public_bytes(serialization.Encoding.PEM), _key_pem(key)


def subject(name: str, groups: Sequence[str]) -> x509.Name:
    """Write user and groups the way the API server reads them: common name and organisations."""
    organisations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*organisations, x509.NameAttribute(NameOID.COMMON_NAME, name)])


def sign(authority: Authority, public: ec.EllipticCurvePublicKey, leaf: Leaf) -> x509.Certificate:
    usages = [usage for usage, wanted in ((_SERVER, bool(leaf.serves)), (_CLIENT, leaf.client)) if wanted]
    builder = _builder(subject(leaf.name, leaf.groups), authority.certificate.subject, public)
    builder = builder.add_extension(_key_usage(signs=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    if leaf.serves:
        names = x509.SubjectAlternativeName([_alternative(text) for text in leaf.serves])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(authority.key, hashes.SHA256())


def load_authority(folder: Path, name: str) -> Authority:
    key = serialization.load_pem_private_key((folder / f"{name}.key").read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{folder / name}.key is not an elliptic-curve key")
    return Authority(x509.load_pem_x509_certificate((folder / f"{name}.crt").read_bytes()), key)


def _make_authority(folder: Path, name: str) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    who = subject(f"feem-{name}", ())
    builder = _builder(who, who, key.public_key())
    builder = builder.add_extension(_key_usage(signs=True), critical=True)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    authority = Authority(builder.sign(key, hashes.SHA256()), key)
    _write_pair(folder, name, authority.certificate, key)
    return authority


def _builder(who: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    start = x509.CertificateBuilder().subject_name(who).issuer_name(issuer).public_key(public)
    dated = start.not_valid_before(now - _BACKDATE).not_valid_after(now + _LIFETIME)
    return dated.serial_number(x509.random_serial_number())


def _key_usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)


def _write_pair(folder: Path, file: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    (folder / f"{file}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    _write_private(folder / f"{file}.key", _key_pem(key))


def _write_private(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
