"""The published log of a real API server: signed by a real operator, cosigned by a real witness, checked by two verifiers."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.cluster import etcd
from e2e.cluster.context import Cluster
from feem.adapters.audit.keys import LogSigner, SigningKey, generate_seed
from feem.core.tlog.vkey import Algorithm
from tests.independent.verifier import judge
from tests.integration.adapter import operator_kubeconfig
from tests.integration.conftest import AsUser
from tests.integration.log_anew import begin_log_anew
from tests.integration.operator import Operator, until

pytestmark = pytest.mark.integration
CATCHING_UP = 60.0  # seconds
KINDS = {"ed25519.seed": Algorithm.ED25519, "ml-dsa-44.seed": Algorithm.ML_DSA_44}


class Room:
    """Keys, a directory, a witness, an operator and a log of the test's own."""

    def __init__(self, cluster: Cluster, as_user: AsUser, root: Path) -> None:
        self.cluster, self.admin, self.root = cluster, as_user("admin"), root
        self.origin = f"feem.dev/test/{uuid.uuid4().hex[:8]}"
        self.keys, self.directory = root / "keys", root / "log"
        self.keys.mkdir()
        for file in KINDS:
            (self.keys / file).write_bytes(generate_seed())
        self.witness, policy = self._witness()
        (root / "policy").write_text(policy)
        asyncio.run(begin_log_anew(cluster, self.admin))
        self.operator: Operator | None = None

    def begin(self) -> None:
        """Start an operator, after the last one ended."""
        settings = {
            "FEEM_AUDIT_ORIGIN": self.origin,
            "FEEM_AUDIT_KEYS_DIR": str(self.keys),
            "FEEM_AUDIT_DIRECTORY": str(self.directory),
            "FEEM_AUDIT_WITNESSES_FILE": str(self.root / "policy"),
            "FEEM_AUDIT_PUBLISH_SECONDS": "0.5",
        }
        config = operator_kubeconfig(self.cluster)
        lease = f"audit-{uuid.uuid4().hex[:6]}"
        running = Operator(config, "http://127.0.0.1:9", self.root / "operator.log", lease, **settings)
        running.start()
        self.operator = running

    def stop(self) -> None:
        """End the operator, if one runs."""
        if self.operator is not None:
            self.operator.stop()
        self.operator = None

    def _witness(self) -> tuple[subprocess.Popen[str], str]:
        vkeys = [key.vkey() for key in self.signer().keys]
        told = ["audit", "witness", "--name", "witness.example", "--listen", "127.0.0.1:0"]
        told += ["--state", str(self.root / "witness"), *(word for vkey in vkeys for word in ("--log", vkey))]
        process = subprocess.Popen([sys.executable, "-m", "feem", *told], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in vkeys]
        assert all(line.startswith("witness ") for line in lines), lines
        names = [line.split()[1] for line in lines]
        return process, "".join(lines) + f"group both all {' '.join(names)}\nquorum both\n"

    def signer(self) -> LogSigner:
        return LogSigner(
            [SigningKey(self.origin, kind, (self.keys / file).read_bytes()) for file, kind in KINDS.items()]
        )

    @property
    def log(self) -> dict[str, Any]:
        answer = self.admin("get", "auditlog", "feem", "-o", "json", "--ignore-not-found")
        return dict(json.loads(answer.out)) if answer.out.strip() else {}

    def state(self) -> dict[str, str]:
        return {item["type"]: item["reason"] for item in (self.log.get("status") or {}).get("conditions") or ()}

    def size(self) -> int:
        return int((self.log.get("status") or {}).get("size", 0))

    def feem(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "feem", *words]
        if "--keys" not in words:
            command += ["--kubeconfig", str(self.cluster.kubeconfig)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    def end(self) -> None:
        self.stop()
        self.witness.terminate()
        self.witness.wait(timeout=10)
        self.admin("delete", "auditlog", "feem", "--ignore-not-found")


@pytest.fixture
def room(cluster: Cluster, as_user: AsUser, tmp_path: Path) -> Iterator[Room]:
    made = Room(cluster, as_user, tmp_path)
    try:
        made.begin()
        yield made
    finally:
        made.end()


def test_the_log_is_signed_witnessed_published_and_checked_at_home(room: Room) -> None:
    until("a witnessed head", lambda: room.state().get("Witnessed") == "Witnessed" or None, CATCHING_UP)
    assert room.state() == {"Signed": "Signed", "Published": "Published", "Witnessed": "Witnessed"}
    size = room.size()
    assert size > 0
    keys = "".join(f"{key.vkey()}\n" for key in room.signer().keys)
    file, bundle = room.root / "keys.txt", room.root / "log.zip"
    file.write_text(keys)
    policy = room.root / "auditor"
    logs = "".join(f"log {key.vkey()}\n" for key in room.signer().keys)
    policy.write_text(logs + (room.root / "policy").read_text())
    proven = room.feem("audit", "prove", str(size - 1), "--from", str(room.directory), "--out", str(room.root))
    assert proven.returncode == 0, proven.stderr
    exported = room.feem("audit", "export", "--from", str(room.directory), "--file", str(bundle))
    assert exported.returncode == 0, exported.stderr
    for given in (room.directory, bundle):
        found = room.feem("audit", "verify", str(given), "--keys", str(file), "--policy", str(policy))
        assert found.returncode == 0, found.stdout
    assert judge("directory", room.directory, keys).ok
    assert judge("bundle", bundle, keys).ok
    proof = room.root / f"{size - 1:012d}.tlog-proof"
    assert judge("proof", proof, keys, entry=proof.with_suffix(".json").read_bytes()).ok
    listed = room.feem("audit", "show", str(size - 1))
    assert json.loads(listed.stdout[: listed.stdout.rindex("}") + 1])["index"] == size - 1


def test_an_entry_edited_below_the_api_server_is_never_signed_over(room: Room) -> None:
    until("a signed head", lambda: room.state().get("Signed") == "Signed" or None, CATCHING_UP)
    room.stop()
    size = room.size()
    victim = size - 1
    key = f"/registry/feem.dev/auditrecords/{victim:012d}"
    stored = etcd.get(room.cluster, key)
    assert stored is not None
    assert b'"actor":"s' in stored
    etcd.put(room.cluster, key, stored.replace(b'"actor":"s', b'"actor":"S', 1))
    try:
        told = room.feem("audit", "verify")
        assert told.returncode == 1, told.stdout
        assert f"{victim}: DigestMismatch" in told.stdout
        room.begin()
        until("the fork to be told", lambda: room.state().get("Signed") == "Forked" or None, 60)
        assert room.size() == size, "nothing was signed over it"
        room.stop()
    finally:
        etcd.put(room.cluster, key, stored)
    room.begin()
    until("a newer head", lambda: room.size() > size or None, 60)
    assert room.state()["Signed"] == "Signed"
