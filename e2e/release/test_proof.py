"""What an auditor relies on: a changed byte is named, and an operator at rest writes nothing."""

from __future__ import annotations

import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import e2e.cluster.etcd
from e2e.cluster.context import Cluster
from e2e.kit.audit import check, feem, published, records, verify, write_keys
from e2e.kit.example import NAME, Example
from e2e.kit.install import NAMESPACE
from e2e.kit.traffic import Traffic
from tests.independent.verifier import judge

OPERATOR = "system:serviceaccount:feem-system:feem"
QUIET_SECONDS = 15
HOUSEKEEPING = {"leases", "events"}


def test_a_changed_byte_in_a_stored_record_is_named(cluster: Cluster, example: Example) -> None:
    if cluster.backend != "local":
        pytest.skip("etcd can be reached only where this machine runs it")
    before = verify(example.kubectl)
    assert before.ok, before.text
    log = records(example.kubectl)
    victim = log[len(log) // 2]
    key = f"/registry/feem.dev/auditrecords/{victim['index']:012d}"
    stored = e2e.cluster.etcd.get(cluster, key)
    assert stored is not None
    reason = victim["action"].encode()
    changed = stored.replace(b'"action":"' + reason, b'"action":"X' + reason[1:], 1)
    assert changed != stored
    e2e.cluster.etcd.put(cluster, key, changed)
    try:
        found = verify(example.kubectl)
        assert not found.ok
        assert str(victim["index"]) in found.text
    finally:
        e2e.cluster.etcd.put(cluster, key, stored)
    assert verify(example.kubectl).ok


def test_a_release_is_proven_at_home(example: Example, traffic: Traffic, tmp_path: Path) -> None:
    """Log, one entry and the evidence of a release leave the cluster, and two verifiers accept them without it."""
    assert traffic.answers()
    name = example.start(example.other_good_version())
    assert example.wait_end(name, 300) == "Promoted"
    log = published(example.kubectl)
    keys = write_keys(log, tmp_path / "keys.txt")
    bundle, pack = tmp_path / "log.zip", tmp_path / "evidence.zip"
    for words in (
        ("audit", "export", "--file", str(bundle)),
        ("audit", "prove", "1", "--out", str(tmp_path)),
        ("release", "evidence", name, "-n", example.kubectl.namespace, "--file", str(pack)),
    ):
        done = feem(example.kubectl, *words)
        assert done.ok, done.text
    proof = tmp_path / "000000000001.tlog-proof"
    entry = proof.with_suffix(".json")
    for given in ([str(bundle)], [str(pack)], [str(proof), "--entry", str(entry)]):
        found = check(*given, "--keys", str(keys))
        assert found.ok, found.text
    text = keys.read_text()
    assert judge("bundle", bundle, text).ok
    assert judge("pack", pack, text).ok
    assert judge("proof", proof, text, entry=entry.read_bytes()).ok
    with zipfile.ZipFile(pack) as files:
        report = files.read("report.html").decode()
        assert name in report
        assert any(path.startswith("samples/") for path in files.namelist())


def writes(cluster: Cluster, since: float) -> list[dict[str, Any]]:
    """The operator's writes in the API server's own audit log, its Lease and Events apart."""
    assert cluster.audit_log is not None
    found = []
    for line in cluster.audit_log.read_text().splitlines():
        entry = json.loads(line)
        if entry["user"]["username"] != OPERATOR or entry["verb"] in ("get", "list", "watch"):
            continue
        began = time.mktime(time.strptime(entry["requestReceivedTimestamp"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
        if began >= since - 1 and entry["objectRef"]["resource"] not in HOUSEKEEPING:
            found.append(entry)
    return found


def test_at_rest_nothing_is_written(cluster: Cluster, example: Example, tell: Callable[[str], None]) -> None:
    if cluster.audit_log is None:
        pytest.skip("the API server's audit log can be read only where this machine runs it")
    system = example.kubectl.replaced(NAMESPACE)
    system.run("rollout", "restart", "deployment/feem")
    system.run("rollout", "status", "deployment/feem", "--timeout=120s")
    time.sleep(3)
    published(example.kubectl)  # the new leader says so in the log, and signs it
    before = len(records(example.kubectl))
    since = time.time() + 1
    for kind, name in (("managedservice", NAME), ("deployment", NAME), ("httproute", NAME), ("service", NAME)):
        example.kubectl.run("label", kind, name, "touched=now", "--overwrite")
        example.kubectl.run("label", kind, name, "touched-")
    time.sleep(QUIET_SECONDS)
    found = writes(cluster, since)
    tell(f"{len(found)} writes in {QUIET_SECONDS} s after every object of a settled service was touched")
    assert found == []
    assert len(records(example.kubectl)) == before
