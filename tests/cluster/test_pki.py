"""Certificates: who signs whom, for which use, under which names."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from e2e.cluster import pki

CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cluster") / "pki"
    pki.create(folder, "feem-x", "10.231.0.2")
    return folder


def load(folder: Path, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / f"{name}.crt").read_bytes())


def usages(certificate: x509.Certificate) -> set[x509.ObjectIdentifier]:
    return set(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)


def who(certificate: x509.Certificate) -> tuple[str, list[str]]:
    name = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    groups = [entry.value for entry in certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
    return str(name), [str(group) for group in groups]


def test_every_certificate_is_signed_by_its_authority_and_no_other(folder: Path) -> None:
    authorities = {name: load(folder, name) for name in ("ca", "etcd-ca", "front-proxy-ca")}
    for leaf in pki.leaves("feem-x", "10.231.0.2"):
        certificate = load(folder, leaf.file)
        for name, authority in authorities.items():
            if name == leaf.authority:
                certificate.verify_directly_issued_by(authority)
            else:
                with pytest.raises(ValueError):
                    certificate.verify_directly_issued_by(authority)


def test_a_certificate_serves_only_what_it_is_for(folder: Path) -> None:
    assert usages(load(folder, "apiserver")) == {SERVER}
    assert usages(load(folder, "admin")) == {CLIENT}
    assert usages(load(folder, "etcd-server")) == {SERVER, CLIENT}
    assert usages(load(folder, "kubelet-server")) == {SERVER}


def test_the_api_server_answers_to_its_names_and_addresses(folder: Path) -> None:
    names = load(folder, "apiserver").extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "kubernetes.default.svc" in names.get_values_for_type(x509.DNSName)
    addresses = {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    assert addresses == {"127.0.0.1", "10.231.0.2", "10.96.0.1"}


def test_components_are_who_rbac_and_the_node_authorizer_expect(folder: Path) -> None:
    assert who(load(folder, "kubelet")) == ("system:node:feem-x", ["system:nodes"])
    assert who(load(folder, "scheduler")) == ("system:kube-scheduler", [])
    assert who(load(folder, "admin")) == ("feem-admin", ["system:masters"])


def test_only_the_administrator_is_above_rbac(folder: Path) -> None:
    masters = [leaf.file for leaf in pki.leaves("n", "10.0.0.1") if "system:masters" in leaf.groups]
    assert masters == ["admin"]


def test_private_keys_are_for_their_owner_only(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for key in folder.glob("*.key"):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_a_user_certificate_names_user_and_groups(folder: Path) -> None:
    content, key = pki.issue_user(folder, "ann@bank.example", ["feem:approvers", "payments"])
    certificate = x509.load_pem_x509_certificate(content)
    certificate.verify_directly_issued_by(load(folder, "ca"))
    assert who(certificate) == ("ann@bank.example", ["feem:approvers", "payments"])
    assert usages(certificate) == {CLIENT}
    assert b"PRIVATE KEY" in key


def test_no_two_certificates_share_a_key(folder: Path) -> None:
    points = set()
    for file in folder.glob("*.crt"):
        public = x509.load_pem_x509_certificate(file.read_bytes()).public_key()
        assert isinstance(public, ec.EllipticCurvePublicKey)
        points.add(public.public_numbers())
    assert len(points) == len(list(folder.glob("*.crt")))
