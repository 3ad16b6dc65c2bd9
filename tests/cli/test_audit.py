from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from feem.api.audit import AuditSpec, Part, Subject
from feem.cli.app import app
from feem.cli.audit.exported import read_file
from feem.cli.problem import Problem
from feem.core.audit.record import Statement, name_of, next_record
from tests.cli.fake import FakeCluster

OPERATOR = "system:serviceaccount:feem-system:feem"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def log(pairs: int = 3, release: str = "limit-scoring-4") -> list[dict[str, Any]]:
    head: AuditSpec | None = None
    items = []
    for index in range(2 * pairs):
        intent = index % 2 == 0
        statement = Statement(
            action="ShiftTraffic",
            part=Part.INTENT if intent else Part.OUTCOME,
            subject=Subject(kind="Release", namespace="lending", name=release if index < 4 else "other-1"),
            actor=OPERATOR,
            reason="Step1" if intent else "Done",
            message="10% of the requests go to the canary",
            intent=None if intent else index - 1,
        )
        head = next_record(head, statement, START + timedelta(seconds=index), 1)
        items.append({"metadata": {"name": name_of(index)}, "spec": head.wire()})
    return items


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["audit", *words], catch_exceptions=False)
    return done.exit_code, done.output


def test_a_whole_log_is_verified_and_says_what_was(cluster: FakeCluster) -> None:
    records = log()
    cluster.add("auditrecords.feem.dev", *records)
    code, out = run("verify")
    assert code == 0
    assert out.startswith("Verified 6 audit entries in the cluster: 0 to 5.\n")
    assert records[-1]["spec"]["digest"] in out


def test_a_changed_entry_is_named_by_index(cluster: FakeCluster) -> None:
    records = log()
    records[3]["spec"]["message"] = "90% of the requests go to the canary"
    cluster.add("auditrecords.feem.dev", *records)
    code, out = run("verify")
    assert code == 1
    assert "DAMAGED, first at entry 3:" in out
    assert "3: DigestMismatch" in out


def test_a_missing_entry_is_named_by_index(cluster: FakeCluster) -> None:
    records = log()
    del records[2]
    cluster.add("auditrecords.feem.dev", *records)
    code, out = run("verify")
    assert code == 1
    assert "DAMAGED, first at entry 2:" in out


def test_an_act_under_way_is_no_damage(cluster: FakeCluster) -> None:
    cluster.add("auditrecords.feem.dev", *log()[:-1])
    code, out = run("verify")
    assert code == 0
    assert "Acts without an outcome yet: 1 (4)." in out


def test_an_empty_log_is_told(cluster: FakeCluster) -> None:
    assert run("verify") == (0, "The audit log in the cluster is empty.\n")
    assert run("list") == (0, "No entries.\n")


def test_an_exported_log_is_verified_without_a_cluster(cluster: FakeCluster, tmp_path: Path) -> None:
    cluster.add("auditrecords.feem.dev", *log())
    file = tmp_path / "records.json"
    assert run("export", "--file", str(file))[0] == 0
    cluster.objects.clear()
    code, out = run("verify", "--file", str(file))
    assert code == 0
    assert "Verified 6 audit entries" in out
    file.write_text(file.read_text().replace('"epoch": 1', '"epoch": 2', 1))
    code, out = run("verify", "--file", str(file))
    assert code == 1
    assert "first at entry 0" in out


@pytest.mark.parametrize("option", ["--held", "--policy", "--entry"])
@pytest.mark.parametrize("of", ["the cluster", "a file"])
def test_what_would_not_be_looked_at_is_refused(cluster: FakeCluster, tmp_path: Path, option: str, of: str) -> None:
    cluster.add("auditrecords.feem.dev", *log())
    given = tmp_path / "given"
    given.write_text("")
    words = ["--file", str(given)] if of == "a file" else []
    with pytest.raises(Problem, match=option) as told:
        run("verify", option, str(given), *words)
    assert "feem audit export --file log.zip" in told.value.next_step


def test_a_proof_without_keys_is_no_damage(tmp_path: Path) -> None:
    proof = tmp_path / "0.tlog-proof"
    proof.write_text("")
    with pytest.raises(Problem, match="does not bring any") as told:
        run("verify", str(proof), "--entry", str(proof))
    assert "give --keys FILE" in told.value.next_step


def test_the_order_in_a_file_does_not_matter(tmp_path: Path) -> None:
    file = tmp_path / "records.json"
    file.write_text(json.dumps({"kind": "List", "items": log()[::-1]}))
    assert run("verify", "--file", str(file))[0] == 0


@pytest.mark.parametrize(
    ("content", "reason"),
    [("{", "it is not JSON"), ("[]", "it is not a list of audit records"), ('{"items": [1]}', "it is not a list")],
)
def test_another_file_is_refused(tmp_path: Path, content: str, reason: str) -> None:
    file = tmp_path / "other.json"
    file.write_text(content)
    with pytest.raises(Problem, match=reason):
        read_file(file)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="No such file"):
        read_file(tmp_path / "none.json")


def test_entries_can_be_listed_by_release_and_number(cluster: FakeCluster) -> None:
    cluster.add("auditrecords.feem.dev", *log())
    rows = run("list", "--release", "limit-scoring-4", "-n", "lending")[1].splitlines()[1:]
    assert [row.split()[0] for row in rows] == ["0", "1", "2", "3"]
    assert "Outcome of 0" in rows[1]
    rows = run("list", "--last", "2")[1].splitlines()[1:]
    assert [row.split()[0] for row in rows] == ["4", "5"]
